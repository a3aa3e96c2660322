// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("What reading and listing cost at the server, counted")
struct ReadCostTests {
  /// Runs something on a large file of a fresh mount, whose attributes are known, with the requests counted from there on.
  private func withLargeFile(
    properties: [String: String?] = [:], _ body: (MountedCatalog, CountingProxy, String, Int) async throws -> Void
  ) async throws {
    let proxy = try await CountingProxy(to: .shared())
    try await MountedCatalog.with(.glue, options: ["--metadata-ttl", "60"], properties: properties, proxy: proxy) { lake in
      let file = try await lake.shell(#"ls "$M"/telemetry/readings/data/*.parquet | head -n 1"#).succeeded().trimmed
      let size = try #require(Int(try await lake.shell(#"stat -c %s "$F""#, ["F": file]).succeeded().trimmed))
      try #require(size > 8 << 20)
      proxy.reset()
      try await body(lake, proxy, file, size)
    }
  }

  /// What was asked of the server, in the order of the file.
  private func ranges(_ proxy: CountingProxy) throws -> [Range<Int>] {
    try proxy.requests.filter { $0.kind == "GET" }.map { request in
      let numbers = try #require(request.headers["range"]).drop { $0 != "=" }.dropFirst().split(separator: "-").compactMap { Int($0) }
      try #require(numbers.count == 2)
      return numbers[0]..<numbers[1] + 1
    }.sorted { $0.lowerBound < $1.lowerBound }
  }

  private func fetched(_ proxy: CountingProxy) throws -> Int { try ranges(proxy).reduce(0) { $0 + $1.count } }

  @Test("Opening a file whose attributes are known and reading its first byte is one GET")
  func firstByte() async throws {
    try await withLargeFile { lake, proxy, file, _ in
      try await lake.shell(#"head -c 1 "$F" | wc -c"#, ["F": file]).succeeded()
      #expect(proxy.counts == ["GET": 1])
    }
  }

  @Test("A sequential read takes a request a MiB at most, and no byte that was not asked for")
  func sequential() async throws {
    try await withLargeFile { lake, proxy, file, size in
      try await lake.shell(#"cat "$F" >/dev/null"#, ["F": file]).succeeded()
      #expect(proxy.counts.keys.sorted() == ["GET"])
      #expect(proxy.count("GET") <= size >> 20 + 1)
      #expect(try fetched(proxy) == size)
    }
  }

  @Test("Keys of the analytics accelerator decide how long the requests of a sequential read are, and in whose name they ask")
  func accelerator() async throws {
    let keys = [
      "s3.analytics-accelerator.enabled": "true", "s3.analytics-accelerator.physicalio.blocksizebytes": "4194304",
      "s3.analytics-accelerator.useragentprefix": "my-lake",
    ]
    try await withLargeFile(properties: keys) { lake, proxy, file, size in
      try await lake.shell(#"cat "$F" >/dev/null"#, ["F": file]).succeeded()
      let edges = [0, 1152 << 10] + stride(from: 5 << 20, to: size, by: 4 << 20) + [size]
      #expect(try ranges(proxy) == zip(edges, edges.dropFirst()).map { $0..<$1 })
      #expect(proxy.requests.allSatisfy { $0.headers["user-agent"] == "my-lake bergfs" })
    }
  }

  @Test("Reads of 256 KiB at random places fetch at most a quarter more; small ones at the same places then ask nothing")
  func random() async throws {
    try await withLargeFile { lake, proxy, file, size in
      let program = #"""
        import os, sys
        descriptor = os.open(sys.argv[2], os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
        size, shift = int(sys.argv[3]), int(sys.argv[4])
        slots = os.fstat(descriptor).st_size // (2 << 20)
        for slot in [3, 1, 2][:slots]:
            data = os.pread(descriptor, size, (slot << 21) + 36864 + shift)
            assert len(data) == size, len(data)
        """#
      try await lake.python(program, [file, "\(256 << 10)", "0"]).succeeded()
      let asked = 3 * 256 << 10
      #expect(try fetched(proxy) <= asked * 5 / 4)
      proxy.reset()
      try await lake.python(program, [file, "\(16 << 10)", "65536"]).succeeded()
      #expect(proxy.requests.isEmpty, "\(proxy.counts)")
    }
  }

  @Test("A directory listed again shows what the listing of that moment holds")
  func listedAgain() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_again.table", in: .glue)
    let (bucket, key) = EmulatorWithSeed.split(table.location)
    try await emulator.account(["put", bucket, key + "/data/a/part-", "--count", "30"], input: Array("x".utf8))
    let proxy = try CountingProxy(to: emulator)
    try await MountedCatalog.with(.glue, options: ["--metadata-ttl", "60"], proxy: proxy) { lake in
      let list = #"ls -f "$M/test_again/table/data/a" | wc -l; ls -l "$M/test_again/table/data/a" | grep -c ^-"#
      #expect(try await lake.shell(list).succeeded().lines == ["32", "30"])
      proxy.reset()
      #expect(try await lake.shell(list).succeeded().lines == ["32", "30"])
      #expect(proxy.requests.isEmpty, "\(proxy.counts)")
      try await emulator.account(["put", bucket, key + "/data/a/new-", "--count", "3"], input: Array("x".utf8))
      #expect(try await lake.shell(list).succeeded().lines == ["32", "30"])
      #expect(try await lake.shell(#"cat "$M/.bergfs/refresh" >/dev/null; "# + list).succeeded().lines == ["35", "33"])
    }
  }
}
