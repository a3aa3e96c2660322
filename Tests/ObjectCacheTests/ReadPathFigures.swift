// SPDX-License-Identifier: Apache-2.0

import Glibc
import Iceberg
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import ObjectCache

/// What the read path costs by itself, from a source that only copies: printed, since a figure says nothing without its machine. A release build
/// reads enough for a figure to be steady, a debug build enough to check the bytes.
@Suite("The cost of the read path", .serialized)
struct ReadPathFigures {
  #if DEBUG
    private static let passes = 1
  #else
    private static let passes = 100
  #endif
  private static let size: Int64 = 64 << 20

  @Test("A sequential read through the cache delivers every byte", arguments: [Int64(32) << 20, 256 << 20])
  func sequential(memory: Int64) async throws {
    var total: Int64 = 0
    var digest: UInt64 = 0
    let cache = BlockCache(budget: MemoryBudget(limit: Int(memory)), metrics: Metrics())
    let clock = ContinuousClock()
    let start = clock.now
    let cpu = Self.processorSeconds()
    for pass in 0..<Self.passes {
      let object = ObjectAttributes(location: ReadPathFixture.location, size: Self.size, etag: "\"\(pass)\"", modified: 0)
      let reader = ObjectReader(object: object, fileIO: CopyingFileIO(), cache: cache)
      for offset in stride(from: 0, to: Self.size, by: 131_072) {
        let bytes = try await reader.read(offset: offset, size: 131_072)
        total += Int64(bytes.count)
        digest &+= UInt64(bytes.segments.first?.first ?? 0)
      }
      reader.close()
    }
    let seconds = Self.seconds(start.duration(to: clock.now))
    #expect(total == Self.size * Int64(Self.passes))
    #expect(digest > 0)
    let rate = Double(total) / seconds / 1e9
    let used = (Self.processorSeconds() - cpu) / (Double(total) / Double(1 << 30))
    print("sequential, \(memory >> 20) MiB of memory: \(rate) GB/s, \(used) CPU s/GiB")
  }

  @Test("A cached read gives its bytes again and again")
  func cached() async throws {
    let fixture = ReadPathFixture(size: 16 * mebi)
    let reader = fixture.reader()
    for offset in stride(from: 0, to: 16 * mebi, by: 131_072) { _ = try await reader.read(offset: offset, size: 131_072) }
    await fixture.settle()
    var total = 0
    var reads = 0
    let clock = ContinuousClock()
    let start = clock.now
    for _ in 0..<(Self.passes * 100) {
      for offset in stride(from: 0, to: 16 * mebi, by: 131_072) {
        total += try await reader.read(offset: offset, size: 131_072).count
        reads += 1
      }
    }
    let seconds = Self.seconds(start.duration(to: clock.now))
    #expect(total == reads * 131_072)
    #expect(fixture.requestedBytes == 16 * mebi)
    print("cached 128 KiB read: \(seconds / Double(reads) * 1e9) ns")
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }

  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// A source as fast as copying: the same 64 KiB, as often as asked.
private struct CopyingFileIO: FileIO {
  private static let chunk = [UInt8](repeating: 7, count: 64 << 10)

  func read(
    _ location: ObjectLocation, etag: String?, range: Range<Int64>, into sink: any RangeSink
  ) async throws(FileIOError) -> Int64 {
    var rest = Int(range.upperBound - range.lowerBound)
    while rest > 0 {
      let count = min(rest, Self.chunk.count)
      guard Self.chunk.withUnsafeBytes({ sink.receive(UnsafeRawBufferPointer(rebasing: $0[..<count])) }) else { break }
      rest -= count
    }
    return range.upperBound - range.lowerBound - Int64(rest)
  }

  func head(_ location: ObjectLocation) async throws(FileIOError) -> ObjectAttributes {
    throw FileIOError(code: .invalid, message: "not asked for")
  }

  func list(bucket: String, prefix: String, isDirectory: Bool, from position: ListPosition) async throws(FileIOError) -> ObjectListing {
    throw FileIOError(code: .invalid, message: "not asked for")
  }

  func location(_ text: String) throws(FileIOError) -> ObjectLocation {
    throw FileIOError(code: .invalid, message: "not asked for")
  }
}
