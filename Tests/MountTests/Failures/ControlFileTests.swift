// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import WireFormats

extension FailureTests {
  @Suite("Control files say what a mount does")
  struct ControlFileTests {
    @Test("The control directory is found by name, is in no listing, and holds five files")
    func hidden() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await bench.mount()
        #expect(try await bench.shell("ls -a \"$M\"").succeeded().lines == [".", "..", "sales"])
        let names = ["config.json", "errors.jsonl", "metrics", "refresh", "status.json"]
        #expect(try await bench.shell("ls \"$M/.bergfs\"").succeeded().lines == names)
        let whole = try await bench.shell(
          "cat \"$M\"/.bergfs/*.json* && wc -c < \"$M/.bergfs/status.json\" && tail -n 1 \"$M/.bergfs/metrics\"")
        try whole.succeeded()
        let sizes = try await bench.shell("stat -c %s \"$M/.bergfs/status.json\"")
        #expect(sizes.trimmed == "0", "\(sizes)")
        let other = try await bench.shell("cat \"$M/.bergfs/other\"")
        #expect(other.errorText.contains("No such file"), "\(other)")
      }
    }

    @Test("status.json names version, catalog, regions, credentials, options and memory")
    func status() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await bench.mount(["--metadata-ttl", "7", "--memory-limit", "96M"])
        let text = try await bench.shell("cat \"$M/.bergfs/status.json\"").succeeded().output
        let root = try JSONDocument(parsing: text).root
        #expect(try root.integer("pid") == Int64(try #require(bench.daemons.first)))
        #expect(try root.text("mountpoint") == bench.mountpoint)
        #expect(try root.integer("uptime-seconds") >= 0)
        #expect(root["catalog"]?["name"]?.string == "lake" && root["catalog"]?["type"]?.string == "glue")
        #expect(root["regions"]?["Glue"]?.string == "eu-central-1")
        let credentials = try #require(root["credentials"]?.elements.first { _ in true })
        #expect(credentials["access-key-id"]?.string == "AKIDSTANDIN" && credentials["source"]?.string?.isEmpty == false)
        #expect(root["options"]?["metadata-ttl-seconds"]?.double == 7)
        #expect(root["memory"]?["limit-bytes"]?.int64 == 96 << 20)
        #expect(try root.text("version").isEmpty == false)
      }
    }

    @Test("metrics are valid Prometheus text and count what was done")
    func metrics() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await bench.mount()
        let before = try PrometheusText(try await bench.shell("cat \"$M/.bergfs/metrics\"").succeeded().text)
        try await bench.shell("ls -l \"$M/sales\" && cat \"$M/sales/orders/data/part-0.parquet\" && ! cat \"$M/sales/nothing/data\"")
          .succeeded()
        let after = try PrometheusText(try await bench.shell("cat \"$M/.bergfs/metrics\"").succeeded().text)
        #expect(after.types.values.contains("counter") && after.types.values.contains("gauge") && after.types.values.contains("histogram"))
        #expect(after.types.keys.allSatisfy { $0.hasPrefix("bergfs_") }, "\(after.types.keys)")
        for (series, value) in before.samples where after.types[String(series.prefix { $0 != "{" })] == "counter" {
          #expect((after.samples[series] ?? -1) >= value, "\(series) went back")
        }
        let requests = after.samples.filter { $0.key.contains("requests") && $0.key.contains("GetObject") }
        #expect(requests.values.reduce(0, +) >= 1, "\(after.samples.keys.sorted())")
      }
    }

    @Test("errors.jsonl has one JSON object a failure, plain absence is none, and not more than 1,000 are kept")
    func errors() async throws {
      try await FailureBench.withAccount { bench, account in
        try await bench.mount()
        _ = try await bench.shell("cat \"$M/sales/absent\" \"$M/sales/orders/data/absent\"")
        #expect(try await bench.errorRecords().isEmpty)
        account.setFault { $0.operation == "GetObject" && $0.path.contains("part-0") ? StandInAccount.s3Error(403, "AccessDenied") : nil }
        _ = try await bench.shell("for i in {1..1050}; do read -rn 1 x < \"$M/sales/orders/data/part-0.parquet\"; done 2>/dev/null")
        let records = try await bench.errorRecords()
        #expect(records.count == 1000, "\(records.count)")
        #expect(records.allSatisfy { $0.errno == "EACCES" && $0.requestID == "stand-in-42" && $0.operation == "read" })
        #expect(records.map(\.time) == records.map(\.time).sorted())
      }
    }

    @Test("config.json and `bergfs config` list the properties in effect with their sources, secrets masked")
    func configuration() async throws {
      try await FailureBench.withAccount { bench, account in
        try await bench.mount(["--property", "s3.retry.num-retries=2"])
        let text = try await bench.shell("cat \"$M/.bergfs/config.json\"").succeeded().output
        let rows = try JSONDocument(parsing: text).root.elements.map { node in
          (try node.text("key"), try node.text("value"), try node.text("source"))
        }
        #expect(rows.contains { $0 == ("s3.retry.num-retries", "2", "--property") }, "\(rows)")
        #expect(rows.contains { $0.0 == "glue.endpoint" && $0.1 == account.endpoint && $0.2.hasPrefix(bench.yaml + ":") }, "\(rows)")
        #expect(rows.contains { $0.0 == "client.secret-access-key" && $0.1 == "****" }, "\(rows)")
        let listing = try await bench.bergfs(["config", "lake"]).succeeded()
        #expect(listing.text.contains("client.secret-access-key = ****") && listing.text.contains(account.endpoint), "\(listing)")
      }
    }

    @Test("Reading refresh makes a foreign change show at once, whatever the TTL")
    func refresh() async throws {
      try await FailureBench.withAccount { bench, account in
        try await bench.mount(["--metadata-ttl", "3600"])
        let look = "ls \"$M/sales\" && ls \"$M/sales/orders/data\" && readlink \"$M/sales/orders/metadata/current.metadata.json\""
        let before = ["orders", "part-0.parquet", StandInAccount.metadataName]
        #expect(try await bench.shell(look).succeeded().lines == before)
        account.putTable("returns")
        account.put("warehouse/orders/data/part-1.parquet", Array("PAR1".utf8))
        let next = StandInAccount.metadataName.replacing("00001", with: "00002")
        account.put("warehouse/orders/metadata/\(next)", StandInAccount.metadata(of: "orders"))
        account.setPointer("orders", "warehouse/orders/metadata/\(next)")
        #expect(try await bench.shell(look).succeeded().lines == before, "a TTL of an hour was over")
        try await bench.shell("cat \"$M/.bergfs/refresh\"").succeeded()
        #expect(try await bench.shell(look).succeeded().lines == ["orders", "returns", "part-0.parquet", "part-1.parquet", next])
        account.removeTable("orders")
        try await bench.shell("cat \"$M/.bergfs/refresh\"").succeeded()
        let gone = try await bench.shell("ls \"$M/sales\"; ls \"$M/sales/orders\"")
        #expect(gone.text == "returns\n" && gone.errorText.contains("No such file"), "\(gone)")
      }
    }
  }
}
