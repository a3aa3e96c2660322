// SPDX-License-Identifier: Apache-2.0

import Iceberg
import ObjectCache
import TestSupport
import Testing
import WireFormats

@testable import CatalogFS

/// What files of `.iceberg` hold, and what reading them asks for.
@Suite struct SnapshotReadingTests {
  private static let data = "\(ViewLake.place)/data"

  private static func lake(
    size: Int, ttl: Duration = .seconds(3600), tuning: Prefetcher.Tuning = .init(), mostVersions: Int = 4_096
  ) -> (lake: ViewLake, bytes: [UInt8]) {
    let lake = ViewLake(ttl: ttl, tuning: tuning, mostVersions: mostVersions)
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
    lake.tree.put("\(data)/a.parquet", bytes)
    var entry = TestManifest.Entry("\(data)/a.parquet")
    entry.size = Int64(size)
    lake.put(list: 1, [lake.put("m1", TestManifest(version: 2, [entry]))])
    lake.commit([.init(id: 1, timestamp: 1_000)])
    return (lake, bytes)
  }

  private static func read(_ lake: ViewLake, _ handle: UInt64, _ offset: Int64, _ size: Int) async throws -> [UInt8] {
    let bytes = try await lake.tree.filesystem.read(handle: handle, offset: offset, size: size)
    return withExtendedLifetime(bytes.owner) { bytes.segments.flatMap { Array($0) } }
  }

  @Test("A file of a snapshot opens without a request, is bound to the version of the first answer, and later ranges name that")
  func binding() async throws {
    let (lake, bytes) = Self.lake(size: 3 << 20)
    let inode = try await lake.walk("current").attributes.inode
    #expect(inode > 0)
    let file = try await lake.walk("snapshots", "1", "data", "a.parquet")
    #expect(file.attributes.size == Int64(bytes.count))
    lake.files.faults.forgetCalls()
    let handle = try await lake.tree.filesystem.open(inode: file.attributes.inode).handle
    #expect(lake.files.faults.calls.isEmpty)
    // Two readers at once: the second waits for the version that the first one learns.
    async let tail = Self.read(lake, handle, Int64(bytes.count) - 100, 100)
    #expect(try await Self.read(lake, handle, 0, 4_096) == Array(bytes[..<4_096]))
    #expect(try await tail == Array(bytes.suffix(100)))
    let calls = lake.files.faults.calls
    #expect(calls.count { $0.isHead || $0.isList } == 0)
    let etags = calls.compactMap { call -> String?? in if case .read(_, let etag, _) = call { .some(etag) } else { nil } }
    #expect(etags.count { $0 == nil } == 1 && etags.count { $0 != nil } == 1, "\(calls)")
    lake.files.faults.forgetCalls()
    // The object is replaced: what is cached is the version that was opened, what is not is stale.
    lake.tree.put("\(Self.data)/a.parquet", bytes.reversed())
    #expect(try await Self.read(lake, handle, 0, 4_096) == Array(bytes[..<4_096]))
    let error = await #expect(throws: FilesystemError.self) { _ = try await Self.read(lake, handle, 1_400_000, 4_096) }
    #expect(error?.code == .stale)
    lake.tree.filesystem.release(handle: handle)
    // The next handle asks anew.
    let next = try await lake.tree.filesystem.open(inode: file.attributes.inode).handle
    #expect(try await Self.read(lake, next, 0, 16) == Array(bytes.reversed().prefix(16)))
    lake.tree.filesystem.release(handle: next)
  }

  @Test("What was read by a snapshot is cached for data, and the other way round")
  func sharedBlocks() async throws {
    let (lake, bytes) = Self.lake(size: 100_000)
    #expect(try await lake.read("snapshots", "1", "data", "a.parquet", by: 65_536).utf8.count > 0)
    let object = try await lake.tree.walk("sales", "orders", "data", "a.parquet").attributes.inode
    lake.files.faults.forgetCalls()
    let handle = try await lake.tree.filesystem.open(inode: object).handle
    #expect(try await Self.read(lake, handle, 0, 4_096) == Array(bytes[..<4_096]))
    lake.tree.filesystem.release(handle: handle)
    let file = try await lake.walk("snapshots", "1", "data", "a.parquet").attributes.inode
    let again = try await lake.tree.filesystem.open(inode: file).handle
    #expect(try await Self.read(lake, again, 0, 4_096) == Array(bytes[..<4_096]))
    lake.tree.filesystem.release(handle: again)
    #expect(lake.files.faults.calls.count { $0.isRead } == 0, "\(lake.files.faults.calls)")
  }

  @Test("The first request for a file of a snapshot is what the reader makes of the read, whatever its tuning")
  func tunedBinding() async throws {
    var tuning = Prefetcher.Tuning()
    tuning.wholeObject = 4 << 20
    tuning.maximumRequest = 2 << 20
    let (lake, bytes) = Self.lake(size: 3 << 20, tuning: tuning)
    let file = try await lake.walk("snapshots", "1", "data", "a.parquet").attributes.inode
    let object = try await lake.tree.walk("sales", "orders", "data", "a.parquet").attributes.inode
    for inode in [file, object] {
      lake.files.faults.forgetCalls()
      let handle = try await lake.tree.filesystem.open(inode: inode).handle
      #expect(try await Self.read(lake, handle, 1_500_000, 100) == Array(bytes[1_500_000..<1_500_100]))
      lake.tree.filesystem.release(handle: handle)
      let ranges = lake.files.faults.calls.compactMap { call -> Range<Int64>? in
        if case .read(_, _, let range) = call { range } else { nil }
      }
      // The cache has all of it at the second time.
      #expect(ranges == (inode == file ? [0..<2 << 20, 2 << 20..<3 << 20] : []))
    }
  }

  @Test(
    "As many versions of files of snapshots are remembered as s3.analytics-accelerator.physicalio.metadatastore.capacity says",
    arguments: [1, 2])
  func rememberedVersions(capacity: Int) async throws {
    let (lake, _) = Self.lake(size: 3 << 20, mostVersions: capacity)
    let place = lake.tree.location("\(Self.data)/a.parquet")
    lake.tree.filesystem.versions.keep("\"other\"", of: lake.tree.location("\(Self.data)/b.parquet"))
    let file = try await lake.walk("snapshots", "1", "data", "a.parquet").attributes.inode
    for offset in [Int64(0), 1_400_000] {
      let handle = try await lake.tree.filesystem.open(inode: file).handle
      _ = try await Self.read(lake, handle, offset, 4_096)
      lake.tree.filesystem.release(handle: handle)
      // Room for two: the file's own version stays when another one comes.
      lake.tree.filesystem.versions.keep("\"other\"", of: lake.tree.location("\(Self.data)/b.parquet"))
    }
    let etags = lake.files.faults.calls.compactMap { call -> String?? in
      if case .read(place, let etag, _) = call { .some(etag) } else { nil }
    }
    #expect(etags.map { $0 != nil } == [false, capacity == 2])
  }

  @Test("A file that a snapshot names and that is gone is ESTALE at the first read")
  func gone() async throws {
    let (lake, _) = Self.lake(size: 100)
    let file = try await lake.walk("snapshots", "1", "data", "a.parquet").attributes.inode
    lake.files.delete(lake.tree.location("\(Self.data)/a.parquet"))
    let handle = try await lake.tree.filesystem.open(inode: file).handle
    let error = await #expect(throws: FilesystemError.self) { _ = try await Self.read(lake, handle, 0, 10) }
    #expect(error?.code == .stale && error?.message.contains("is gone, though a snapshot still names it") == true)
    lake.tree.filesystem.release(handle: handle)
  }

  private static func manyManifests(_ count: Int, files: Int) -> ViewLake {
    let lake = ViewLake(ttl: .seconds(3600))
    let entries = (0..<count).map { number in
      var manifest = TestManifest(
        version: 2,
        (0..<files).map { file in
          var entry = TestManifest.Entry("\(data)/day=\(number)/\(file).parquet")
          entry.day = Int64(number)
          entry.status = file == 0 ? 2 : 1
          entry.lowerBounds = [(1, [UInt8(truncatingIfNeeded: file), 0, 0, 0, 0, 0, 0, 0])]
          return entry
        })
      manifest.isPartitioned = true
      manifest.blockSize = 7
      return lake.put("m\(number)", manifest)
    }
    lake.put(list: 1, entries)
    lake.commit([.init(id: 1, timestamp: 1_000)], isPartitioned: true)
    return lake
  }

  @Test("The first lines of files.jsonl come before the last manifest is read")
  func streaming() async throws {
    let lake = Self.manyManifests(8, files: 20)
    let last = lake.tree.location(ViewLake.manifest("m7"))
    let gate = lake.files.faults.hold { if case .read(let location, _, _) = $0 { location == last } else { false } }
    let file = try await lake.walk("files.jsonl")
    #expect(file.attributes.size == 0)
    let opened = try await lake.tree.filesystem.open(inode: file.attributes.inode)
    #expect(opened.isDirect)
    let first = try await Self.read(lake, opened.handle, 0, 1 << 20)
    #expect(String(decoding: first, as: UTF8.self).contains("day=0/1.parquet"))
    #expect(gate.arrivals == 0)
    gate.open()
    var offset = Int64(first.count)
    while true {
      let more = try await Self.read(lake, opened.handle, offset, 1 << 20)
      if more.isEmpty { break }
      offset += Int64(more.count)
    }
    lake.tree.filesystem.release(handle: opened.handle)
    // Read to its end once, it has its size, and is read as any other file.
    let again = try await lake.walk("files.jsonl")
    #expect(again.attributes.size == offset && again.attributes.inode != file.attributes.inode)
    #expect(try await lake.tree.filesystem.open(inode: again.attributes.inode).isDirect == false)
  }

  @Test("files.jsonl reads the same from any place and in any steps")
  func anyPlace() async throws {
    // More than two checkpoints of 1 MiB, of three manifests.
    let lake = Self.manyManifests(3, files: 2_500)
    let whole = Array(try await lake.read("files.jsonl", by: 1 << 20).utf8)
    #expect(whole.count > 3 << 20)
    #expect(whole.split(separator: UInt8(ascii: "\n")).count == 3 * 2_499)
    let file = try await lake.walk("files.jsonl")
    #expect(file.attributes.size == Int64(whole.count))
    let handle = try await lake.tree.filesystem.open(inode: file.attributes.inode).handle
    for (offset, size) in [(whole.count - 50, 100), (0, 10), (2_500_000, 200_000), (1_048_570, 20), (whole.count, 10), (1_300_000, 4_096)] {
      let part = try await Self.read(lake, handle, Int64(offset), size)
      let isSame = part == Array(whole[offset..<min(whole.count, offset + size)])
      #expect(isSame, "\(size) bytes at \(offset)")
    }
    lake.tree.filesystem.release(handle: handle)
  }

  @Test("partitions.jsonl adds up data and delete files by partition, and has its size once it was made")
  func partitions() async throws {
    let lake = Self.manyManifests(3, files: 5)
    #expect(try await lake.walk("partitions.jsonl").attributes.size == 0)
    let text = try await lake.read("partitions.jsonl")
    let rows = try text.split(separator: "\n").map { try JSONDocument(parsing: Array($0.utf8)).root }
    #expect(rows.map { $0["partition"]?["day"]?.string } == ["1970-01-01", "1970-01-02", "1970-01-03"])
    #expect(rows.allSatisfy { $0["file_count"]?.int64 == 4 && $0["record_count"]?.int64 == 40 })
    #expect(rows.allSatisfy { $0["last_updated_snapshot_id"]?.int64 == 1 })
    #expect(try await lake.walk("partitions.jsonl").attributes.size == Int64(text.utf8.count))
  }

  @Test("An empty table has empty tables of files, no current snapshot, and its schema")
  func empty() async throws {
    let lake = ViewLake()
    lake.commit([])
    for name in ["files.jsonl", "partitions.jsonl", "manifests.jsonl"] { #expect(try await lake.read(name) == "") }
    for name in ["snapshots", "by-time"] { #expect(try await lake.list(name).isEmpty) }
    await #expect(throws: FilesystemError.self) { try await lake.walk("current") }
    #expect(try await lake.read("schema.json").contains("\"name\": \"id\""))
    #expect(try await !lake.list().contains("current"))
  }

  @Test("Metadata that cannot be read shows where the table is, and nothing else")
  func location() async throws {
    let tree = Tree()
    tree.commit(["sales"], "orders")
    #expect(try await tree.list("sales", "orders", ".iceberg") == ["location.txt"])
    let error = await #expect(throws: FilesystemError.self) { try await tree.read("sales", "orders", ".iceberg", "history.jsonl") }
    #expect(error?.code == .failed)
  }

  @Test("With io.manifest.cache-enabled a manifest is read once for all views, and let go of when its time is over")
  func manifestCache() async throws {
    for isEnabled in [true, false] {
      let lake = ViewLake(ttl: .seconds(3600), cachesManifests: isEnabled)
      lake.commit(files: ["\(Self.data)/a.parquet"])
      _ = try await lake.files(below: ["snapshots", "1", "data"])
      _ = try await lake.read("files.jsonl")
      _ = try await lake.read("partitions.jsonl")
      let manifest = lake.tree.location(ViewLake.manifest("m1"))
      let reads = lake.files.faults.calls.count { if case .read(let location, _, _) = $0 { location == manifest } else { false } }
      #expect(reads == (isEnabled ? 1 : 3))
      #expect((lake.tree.filesystem.manifestContents.total > 0) == isEnabled)
      lake.tree.time.advance(by: .seconds(61))
      lake.tree.filesystem.views.sweep()
      #expect(lake.tree.filesystem.manifestContents.total == 0)
    }
  }
}
