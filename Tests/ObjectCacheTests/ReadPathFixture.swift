// SPDX-License-Identifier: Apache-2.0

import Glibc
import Iceberg
import Telemetry
import TestSupport
import Testing

@testable import ObjectCache

let kibi: Int64 = 1 << 10
let mebi: Int64 = 1 << 20

/// One object in memory, a cache before it, and the bytes it must give.
struct ReadPathFixture: Sendable {
  let fileIO: InMemoryFileIO
  let object: ObjectAttributes
  let budget: MemoryBudget
  let metrics: Metrics
  let cache: BlockCache

  /// Bytes whose every 8-byte word tells its own offset, so that a misplaced chunk shows.
  static let content: [UInt8] = [UInt8](unsafeUninitializedCapacity: 24 << 20) { buffer, count in
    UnsafeMutableRawBufferPointer(buffer).withMemoryRebound(to: UInt64.self) { words in
      for index in words.indices { words[index] = UInt64(index) &* 0x9E37_79B9_7F4A_7C15 }
    }
    count = 24 << 20
  }

  static let location = ObjectLocation(bucket: "lake", key: "data/file.parquet")

  /// - Parameter size: bytes of the object, at most 24 MiB.
  init(size: Int64, memory: Int64 = 64 << 20, chunkSize: Int = 64 << 10) {
    let fileIO = InMemoryFileIO(buckets: ["lake"], chunkSize: chunkSize)
    let object = fileIO.put(Self.location, Array(Self.content.prefix(Int(size))))
    self.init(fileIO: fileIO, object: object, memory: memory, metrics: Metrics(), disk: nil)
  }

  /// Another cache before an object that is there.
  init(fileIO: InMemoryFileIO, object: ObjectAttributes, memory: Int64 = 64 << 20, metrics: Metrics, disk: DiskBlockStore?) {
    self.fileIO = fileIO
    self.object = object
    self.metrics = metrics
    budget = MemoryBudget(limit: Int(memory))
    cache = BlockCache(budget: budget, metrics: metrics, disk: disk)
  }

  func reader(tuning: Prefetcher.Tuning = .init()) -> ObjectReader {
    ObjectReader(object: object, fileIO: fileIO, cache: cache, tuning: tuning)
  }

  /// Ranges asked of the server so far, in order.
  var requests: [Range<Int64>] {
    fileIO.faults.calls.compactMap { if case .read(_, _, let range) = $0 { range } else { nil } }
  }

  var requestedBytes: Int64 { requests.reduce(0) { $0 + $1.upperBound - $1.lowerBound } }

  /// Whether bytes are those of the object at an offset.
  func matches(_ bytes: CachedBytes, at offset: Int64, size: Int) -> Bool {
    let end = Int(min(object.size, offset + Int64(size)))
    guard offset + Int64(bytes.count) == Int64(end) else { return false }
    return Self.content.withUnsafeBytes { content in
      var position = Int(offset)
      for segment in bytes.segments {
        guard let expected = content.baseAddress, let actual = segment.baseAddress, position + segment.count <= end,
          memcmp(expected + position, actual, segment.count) == 0
        else { return false }
        position += segment.count
      }
      return position == end
    }
  }

  /// Waits until no request runs; gives up after a number of turns that no working cache needs.
  func settle() async {
    for _ in 0..<1_000_000 where cache.fetchesInFlight > 0 { await Task.yield() }
    #expect(cache.fetchesInFlight == 0)
  }
}
