// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Requests that a mount sends, counted before the server")
struct RequestCountTests {
  @Test(
    "ls -lR of a table of N files in D directories sends no HEAD and at most ceil(N/1000) + D LIST requests", arguments: Metastore.allCases)
  func recursiveListing(metastore: Metastore) async throws {
    let proxy = try await CountingProxy(to: .shared())
    try await MountedCatalog.with(metastore, proxy: proxy) { lake in
      for name in ["web.clicks", "sales.orders", "web.pageviews"] {
        let table = try lake.seed.table(name)
        proxy.reset()
        let listed = try await lake.shell(#"ls -lR "$M/$TABLE""#, ["TABLE": table.path]).succeeded()
        let files = listed.lines.count { $0.hasPrefix("-") }
        let directories = listed.lines.count { $0.hasPrefix("d") } + 1
        #expect(files >= Int(table.dataFileCount))
        #expect(proxy.count("LIST") <= (files + 999) / 1000 + directories, "\(name): \(proxy.counts)")
        #expect(proxy.count("HEAD") == 0, "\(name): \(proxy.counts)")
        // The metadata file, and no data.
        #expect(proxy.count("GET") <= 1, "\(name): \(proxy.counts)")
      }
    }
  }

  @Test("A directory of more objects than a page is listed with one LIST a page")
  func pages() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_pages.wide", in: .glue)
    let (bucket, key) = EmulatorWithSeed.split(table.location)
    try await emulator.account(["put", bucket, key + "/data/wide/part-", "--count", "2100"], input: Array("x".utf8))
    let proxy = try CountingProxy(to: emulator)
    try await MountedCatalog.with(.glue, options: ["--metadata-ttl", "60"], proxy: proxy) { lake in
      proxy.reset()
      let listed = try await lake.shell(#"ls -l "$M/test_pages/wide/data/wide" | tail -n +2 | awk '{ print $5 }' | sort | uniq -c"#)
        .succeeded()
      #expect(listed.trimmed.split(separator: " ").map(String.init) == ["2100", "1"])
      #expect(proxy.count("LIST") <= 5, "\(proxy.counts)")
      #expect(proxy.count("HEAD") == 0, "\(proxy.counts)")
      proxy.reset()
      let found = try await lake.shell(#"find "$M/test_pages/wide/data/wide" -type f -size 1c | wc -l"#).succeeded()
      #expect(found.trimmed == "2100")
      #expect(proxy.requests.isEmpty, "\(proxy.counts)")
    }
  }

  @Test(
    "ls -l of a namespace of 250 tables costs one GetTables page on Glue; on DynamoDB a Query and ceil(N/100) BatchGetItem",
    arguments: Metastore.allCases)
  func namespace(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let location = try emulator.catalog(metastore).table("sales.inventory").metadataLocation
    try await emulator.account(["entries", metastore.rawValue, "test_many", "250", location])
    let proxy = try CountingProxy(to: emulator)
    try await MountedCatalog.with(metastore, options: ["--metadata-ttl", "60"], proxy: proxy) { lake in
      proxy.reset()
      let listed = try await lake.shell(#"ls -l "$M/test_many" | grep -c '^d'"#).succeeded()
      #expect(listed.trimmed == "250")
      let counts = proxy.counts
      switch metastore {
      case .glue:
        #expect(counts["GetTables"] == 1, "\(counts)")
        #expect(Set(counts.keys).isSubset(of: ["GetTables", "GetDatabase", "GetDatabases"]), "\(counts)")
        #expect(counts.values.reduce(0, +) <= 2, "\(counts)")
      case .dynamodb:
        #expect(counts["BatchGetItem"] == 3, "\(counts)")
        #expect(Set(counts.keys).isSubset(of: ["BatchGetItem", "Query", "GetItem"]), "\(counts)")
        #expect((counts["Query"] ?? 0) <= 3, "\(counts)")
        #expect((counts["GetItem"] ?? 0) <= 1, "\(counts)")
      }
      proxy.reset()
      let kinds = try await lake.shell(#"stat -c %F "$M"/test_many/table_00* | sort | uniq -c"#).succeeded()
      #expect(kinds.trimmed.split(separator: " ").map(String.init) == ["250", "directory"])
      #expect(proxy.requests.isEmpty, "\(proxy.counts)")
    }
  }

  @Test("Names that desktops and shells probe cost no request")
  func probes() async throws {
    let proxy = try await CountingProxy(to: .shared())
    try await MountedCatalog.with(.glue, options: ["--metadata-ttl", "60"], proxy: proxy) { lake in
      // Looked up and not listed: no listing says yet that the names are absent.
      try await lake.shell(#"stat "$M/sales/orders/data" "$M/sales/orders/metadata" >/dev/null"#).succeeded()
      proxy.reset()
      let script = #"""
        for directory in "$M" "$M/sales" "$M/sales/orders" "$M/sales/orders/data" "$M/sales/orders/metadata"; do
          for name in .git .hidden .Trash .Trash-0 .DS_Store ._orders autorun.inf; do stat "$directory/$name" 2>/dev/null && echo found; done
        done; :
        """#
      #expect(try await lake.shell(script).succeeded().text == "")
      #expect(proxy.requests.isEmpty, "\(proxy.counts)")
    }
  }

  @Test("Within the TTL the pointer of a table is asked for once, however often it is read", arguments: Metastore.allCases)
  func pointerReads(metastore: Metastore) async throws {
    let proxy = try await CountingProxy(to: .shared())
    try await MountedCatalog.with(metastore, options: ["--metadata-ttl", "60"], proxy: proxy) { lake in
      proxy.reset()
      let script = #"for round in $(seq 50); do readlink "$M/sales/orders/metadata/current.metadata.json"; done | sort -u | wc -l"#
      #expect(try await lake.shell(script).succeeded().trimmed == "1")
      let entryReads = (proxy.counts["GetTable"] ?? 0) + (proxy.counts["GetItem"] ?? 0)
      #expect(entryReads >= 1 && entryReads <= 3, "\(proxy.counts)")
      proxy.reset()
      try await lake.shell(script).succeeded()
      #expect(proxy.requests.isEmpty, "\(proxy.counts)")
    }
  }
}
