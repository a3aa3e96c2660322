// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

/// Counts, not times: they hold on a busy machine too. What they cost in time is in docs/performance.md.
@Suite("What writing costs")
struct WritingCostTests {
  private static let lock = [
    "lock-impl": "org.apache.iceberg.aws.dynamodb.DynamoDbLockManager", "lock.table": "bergfs-locks-of-cost-tests",
  ]

  /// The requests of the committing command, by kind. A command that looks whether the name is taken lists the directory, once.
  private func requests(ofCommit script: String, on table: WritableTable) async throws -> [String: Int] {
    var counts = try await requests(of: script, on: table)
    #expect(counts["LIST"] ?? 0 <= 1, "\(script): \(counts)")
    counts["LIST"] = nil
    return counts
  }

  /// The requests of one run of a script, by kind.
  private func requests(of script: String, on table: WritableTable) async throws -> [String: Int] {
    let proxy = try #require(table.proxy)
    proxy.reset()
    try await table.shell(script).succeeded()
    return proxy.counts
  }

  /// What a client reads and writes before it commits, and what then commits.
  private static let forms = [
    (prepare: #"next a "$RANDOM" >"$T/name""#, commit: #"cp "$T/$(cat "$T/name")" "$X/""#),
    (
      prepare: #"sed "s/\"properties\": *{/&\"k$RANDOM\":\"v\",/" "$X/current.metadata.json" >"$X/new""#,
      commit: #"mv "$X/new" "$X/current.metadata.json""#
    ),
  ]

  @Test("A commit puts one object, reads the entry once and writes it once", arguments: Metastore.allCases)
  func commit(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_cost_commit.t", options: ["--metadata-ttl", "60"], proxied: true) { table in
      let entry = metastore == .glue ? (read: "GetTable", write: "UpdateTable") : (read: "GetItem", write: "UpdateItem")
      for form in Self.forms {
        // The first warms what a mount reads once.
        try await table.shell("\(form.prepare)\n\(form.commit)").succeeded()
        try await table.shell(form.prepare).succeeded()
        let counts = try await requests(ofCommit: form.commit, on: table)
        #expect(counts == ["PUT": 1, entry.read: 1, entry.write: 1], "\(form.commit): \(counts)")
      }
    }
  }

  @Test("The lock adds what takes it and what gives it back", arguments: Metastore.allCases)
  func lockedCommit(metastore: Metastore) async throws {
    // Locks go by the table's name: two catalogs that shared a lock table would wait for one another.
    let properties = Self.lock.merging(["lock.table": "cost-locks-\(metastore.rawValue)"]) { $1 }.mapValues(Optional.some)
    let options = ["--metadata-ttl", "60"]
    try await WritableTable.with(metastore, "test_cost_locked.t", options: options, properties: properties, proxied: true) { table in
      for form in Self.forms {
        try await table.shell("\(form.prepare)\n\(form.commit)").succeeded()
        try await table.shell(form.prepare).succeeded()
        let counts = try await requests(ofCommit: form.commit, on: table)
        // Looked at, taken, renewed just before the entry is written, given back.
        let entry = metastore == .glue ? ["GetItem": 1, "GetTable": 1, "UpdateTable": 1] : ["GetItem": 2, "UpdateItem": 1]
        #expect(counts == entry.merging(["PUT": 1, "PutItem": 2, "DeleteItem": 1]) { $1 }, "\(form.commit): \(counts)")
      }
    }
  }

  @Test("A small file is one PUT, whoever copies it", arguments: Metastore.allCases)
  func smallFiles(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_cost_small.t", options: ["--metadata-ttl", "60"], proxied: true) { table in
      try await table.shell(
        #"mkdir "$T/many" && for n in $(seq 100); do head -c 4096 /dev/urandom >"$T/many/$n"; done; echo >"$D/first"; ls "$D""#
      ).succeeded()
      for script in [#"cp -r "$T/many" "$D/copied""#, #"rsync -r "$T/many/" "$D/synced/""#] {
        let counts = try await requests(of: script, on: table)
        #expect(counts["PUT"] == 100, "\(script): \(counts)")
        // The first write has asked whether the server keeps conditions. The new directory is listed once at the most, and no name in it is asked for.
        #expect(counts.values.reduce(0, +) <= 104, "\(script): \(counts)")
      }
    }
  }

  @Test("A file written in order is staged up to 64 MiB, and nothing of it once its upload has begun", arguments: Metastore.allCases)
  func streamed(metastore: Metastore) async throws {
    let part = 16 << 20
    let properties = ["s3.multipart.part-size-bytes": "\(part)"]
    try await WritableTable.with(metastore, "test_cost_streamed.t", properties: properties, proxied: true) { table in
      let program = """
        import json, os, sys
        file = os.open(sys.argv[1] + "/big", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        most = 0
        for _ in range(80):
            os.write(file, bytes(1 << 20))
            with open(sys.argv[2] + "/.bergfs/status.json") as status:
                used = json.load(status)["writing"]["staging-used-bytes"]
            most = max(most, used)
        os.close(file)
        print(most >> 20, used)
        """
      let staged = try await table.lake.shell(#"python3 -c "$P" "$D" "$M""#, ["P": program, "D": table.data]).succeeded().trimmed
      let figures = staged.split(separator: " ").compactMap { Int($0) }
      #expect(figures.count == 2 && figures.allSatisfy { $0 <= 64 } && figures.last == 0, "MiB at the most, bytes at the end: \(staged)")
      let proxy = try #require(table.proxy)
      let parts = proxy.requests.filter { $0.target.contains("partNumber=") }
      #expect(parts.map(\.body.count) == Array(repeating: part, count: 5))
      #expect(proxy.requests.allSatisfy { $0.method != "GET" || !$0.target.contains("/big") })
      #expect(try await table.objects()["data/big"]?.size == 80 << 20)
    }
  }
}
