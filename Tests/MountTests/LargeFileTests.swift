// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("A large file through the mount")
struct LargeFileTests {
  /// Mounts afresh, so that every read starts cold, and gives the file's path and its object.
  private func withLargeFile(
    _ options: [String] = [], sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (MountedCatalog, String, StoredObject) async throws -> Void
  ) async throws {
    try await MountedCatalog.with(.glue, options: options, sourceLocation: sourceLocation) { lake in
      let table = try lake.seed.table("telemetry.readings")
      let (objects, prefixLength) = lake.emulator.seededObjects(at: table.dataDirectory)
      let object = try #require(objects.first)
      #expect(object.size > 8 << 20)
      let name = String(decoding: object.key.dropFirst(prefixLength), as: UTF8.self)
      try await body(lake, lake.path + "/telemetry/readings/data/" + name, object)
    }
  }

  @Test("dd with odd block sizes reads the same bytes")
  func blockSizes() async throws {
    try await withLargeFile { lake, file, object in
      for size in ["12345", "131071", "1048577", "7"] {
        // Seven bytes at a time only of the last 70,000.
        let script =
          #"{ if [ "$SIZE" = 7 ]; then head -c -70000 "$F"; dd if="$F" bs=7 iflag=skip_bytes skip="$TAIL"; else dd if="$F" bs="$SIZE"; fi; } 2>/dev/null | sha256sum"#
        let result = try await lake.shell(script, ["F": file, "SIZE": size, "TAIL": "\(object.size - 70_000)"]).succeeded()
        #expect(result.trimmed == "\(object.sha256)  -", "block size \(size)")
      }
    }
  }

  @Test("Direct I/O reads the same bytes")
  func directReads() async throws {
    try await withLargeFile { lake, file, object in
      let result = try await lake.shell(#"dd if="$F" iflag=direct bs=1M status=none | sha256sum"#, ["F": file]).succeeded()
      #expect(result.trimmed == "\(object.sha256)  -")
    }
  }

  @Test("Four processes at once read the same bytes")
  func severalProcesses() async throws {
    try await withLargeFile { lake, file, object in
      let script = #"for reader in 1 2 3 4; do sha256sum <"$F" & done; wait"#
      let result = try await lake.shell(script, ["F": file]).succeeded()
      #expect(result.lines == Array(repeating: "\(object.sha256)  -", count: 4))
    }
  }

  @Test("Mapped memory and reads at random places give the same bytes")
  func mappedAndRandom() async throws {
    try await withLargeFile { lake, file, object in
      let program = #"""
        import hashlib, mmap, os, random, sys
        path, seed = sys.argv[2], 20260722
        descriptor = os.open(path, os.O_RDONLY)
        size = os.fstat(descriptor).st_size
        chance = random.Random(seed)
        places = [(chance.randrange(size), chance.choice((1, 100, 4096, 70000, 300000))) for _ in range(200)]
        early = [os.pread(descriptor, length, offset) for offset, length in places]
        beyond = os.pread(descriptor, 10, size), os.pread(descriptor, 10, size - 3), os.pread(descriptor, 10, size + 1000)
        with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as mapped:
            whole = bytes(mapped)
        print(hashlib.sha256(whole).hexdigest())
        print(sum(part != whole[offset:offset + length] for part, (offset, length) in zip(early, places)))
        print([len(part) for part in beyond])
        """#
      let result = try await lake.python(program, [file]).succeeded()
      #expect(result.lines == [object.sha256, "0", "[0, 3, 0]"])
    }
  }

  @Test("A memory limit smaller than the file changes no byte")
  func smallMemory() async throws {
    try await withLargeFile(["--memory-limit", "16M"]) { lake, file, object in
      let script = #"for reader in 1 2 3; do sha256sum <"$F" & done; cat "$F" | sha256sum; wait; tac "$F" | wc -c"#
      let result = try await lake.shell(script, ["F": file]).succeeded()
      #expect(result.lines == Array(repeating: "\(object.sha256)  -", count: 4) + ["\(object.size)"])
    }
  }

  @Test("A sequential read asks S3 for every byte once")
  func noByteTwice() async throws {
    let proxy = try await CountingProxy(to: .shared())
    try await MountedCatalog.with(.glue, proxy: proxy) { lake in
      try await lake.shell(#"ls "$M/telemetry/readings/data""#).succeeded()
      proxy.reset()
      try await lake.shell(#"cat "$M"/telemetry/readings/data/*.parquet >/dev/null"#).succeeded()
      let ranges = proxy.requests.filter { $0.kind == "GET" && $0.target.contains(".parquet") }.compactMap { $0.headers["range"] }
      let object = try #require(lake.emulator.seededObjects(at: lake.seed.table("telemetry.readings").dataDirectory).objects.first)
      let spans = try ranges.map { try byteSpan($0) }.sorted { $0.lowerBound < $1.lowerBound }
      #expect(spans.first?.lowerBound == 0)
      #expect(zip(spans, spans.dropFirst()).allSatisfy { $0.upperBound + 1 == $1.lowerBound }, "\(spans)")
      #expect((spans.last?.upperBound ?? 0) >= Int(object.size) - 1)
      #expect(proxy.count("HEAD") == 0)
    }
  }

  private func byteSpan(_ header: String) throws -> ClosedRange<Int> {
    let numbers = header.drop { $0 != "=" }.dropFirst().split(separator: "-").compactMap { Int($0) }
    try #require(numbers.count == 2 && numbers[0] <= numbers[1], "\(header)")
    return numbers[0]...numbers[1]
  }
}
