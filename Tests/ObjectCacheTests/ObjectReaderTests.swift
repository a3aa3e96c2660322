// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import ObjectCache

@Suite("An object reader")
struct ObjectReaderTests {
  @Test("Every read gives exactly the object's bytes, cut at its end", arguments: [1, 4096, 1_048_576, 3 * 1_048_576 + 12_345])
  func exactBytes(size: Int) async throws {
    let fixture = ReadPathFixture(size: Int64(size), chunkSize: 9_973)
    let reader = fixture.reader()
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<60 {
      let offset = Int64.random(in: 0..<Int64(size), using: &generator)
      let length = Int.random(in: 1...(1 << 20), using: &generator)
      #expect(fixture.matches(try await reader.read(offset: offset, size: length), at: offset, size: length))
    }
    #expect(try await reader.read(offset: Int64(size), size: 10).count == 0)
    #expect(try await reader.read(offset: 0, size: 0).count == 0)
    await #expect(throws: FileIOError.self) { try await reader.read(offset: -1, size: 1) }
    reader.close()
  }

  @Test("A copy of a read holds the same bytes")
  func array() async throws {
    let fixture = ReadPathFixture(size: 3 * mebi)
    let bytes = try await fixture.reader().read(offset: mebi - 100, size: 200)
    #expect(bytes.segments.count == 2)
    #expect(bytes.array() == Array(ReadPathFixture.content[Int(mebi) - 100..<Int(mebi) + 100]))
  }

  @Test("A sequential read asks for every byte once, in few requests")
  func sequential() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let reader = fixture.reader()
    for offset in stride(from: 0, to: 24 * mebi, by: 131_072) {
      #expect(fixture.matches(try await reader.read(offset: offset, size: 131_072), at: offset, size: 131_072))
    }
    await fixture.settle()
    #expect(fixture.requestedBytes == 24 * mebi)
    #expect(fixture.requests.count <= 24)
    reader.close()
    fixture.cache.publishMetrics()
    #expect(fixture.metrics.value(.bytesRead) == 24 * mebi)
    #expect(fixture.metrics.value(.bytesFetched) == 24 * mebi)
    #expect(fixture.metrics.value(.prefetchedBytes) > 20 * mebi)
    #expect(fixture.metrics.value(.cacheHits) + fixture.metrics.value(.cacheMisses) == 192)
  }

  @Test("Opening and reading the first byte is one request")
  func firstByte() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let reader = fixture.reader()
    _ = try await reader.read(offset: 0, size: 1)
    #expect(fixture.requests == [0..<1152 * kibi])
    #expect(fixture.fileIO.faults.calls.count == 1)
  }

  @Test("Random 256 KiB reads fetch at most 1.25 times what they ask")
  func randomAmplification() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let reader = fixture.reader()
    var generator = SeededGenerator(seed: 3)
    // Far apart, each place once: nothing is there already.
    for block in [Int64](1..<22).shuffled(using: &generator) where block % 3 == 0 {
      let offset = block * mebi + Int64.random(in: 0..<192, using: &generator) * 4096
      #expect(fixture.matches(try await reader.read(offset: offset, size: 262_144), at: offset, size: 262_144))
    }
    #expect(Double(fixture.requestedBytes) <= 1.25 * Double(7 * 256 * kibi))
    #expect(fixture.requests.count == 7)
  }

  @Test("The second random 16 KiB read in the same MiB sends no request")
  func secondTouch() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let reader = fixture.reader()
    _ = try await reader.read(offset: 9 * mebi + 700 * kibi, size: 16_384)
    #expect(fixture.requests == [9 * mebi..<10 * mebi])
    _ = try await reader.read(offset: 9 * mebi + 16 * kibi, size: 16_384)
    #expect(fixture.requests.count == 1)
  }

  @Test("The first touch of the tail is one request for the last MiB")
  func tail() async throws {
    let fixture = ReadPathFixture(size: 10 * mebi + 5_000)
    let reader = fixture.reader()
    #expect(fixture.matches(try await reader.read(offset: 10 * mebi + 4_992, size: 8), at: 10 * mebi + 4_992, size: 8))
    _ = try await reader.read(offset: 10 * mebi - 500_000, size: 400_000)
    #expect(fixture.requests.count == 1)
    #expect(fixture.requestedBytes < mebi + 32 * kibi)
  }

  @Test("What lies between two missing parts is bridged if small, and never overwritten")
  func bridgedGap() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let reader = fixture.reader()
    _ = try await reader.read(offset: 8 * mebi + 256 * kibi, size: 131_072)
    let held = try await reader.read(offset: 8 * mebi + 256 * kibi, size: 131_072)
    #expect(fixture.matches(try await reader.read(offset: 8 * mebi, size: 1 << 20), at: 8 * mebi, size: 1 << 20))
    #expect(fixture.requests.count == 2)
    #expect(fixture.matches(held, at: 8 * mebi + 256 * kibi, size: 131_072))
  }

  @Test("Bytes in the cache are returned without suspension")
  func synchronousHit() async throws {
    let fixture = ReadPathFixture(size: 4 * mebi)
    let reader = fixture.reader()
    _ = try await reader.read(offset: mebi - 1_000, size: 2_000)
    let count = Mutex(0)
    let task = Task.immediate {
      let bytes = try await reader.read(offset: mebi - 900, size: 1_800)
      count.withLock { $0 = bytes.count }
    }
    #expect(count.withLock { $0 } == 1_800, "the read was done when the task's creation returned")
    try await task.value
  }

  @Test("Many readers of one block make one request")
  func oneFetchInFlight() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let gate = fixture.fileIO.faults.hold()
    let readers = (0..<8).map { _ in fixture.reader() }
    let tasks = readers.map { reader in
      Task.immediate {
        let bytes = try await reader.read(offset: 5 * mebi, size: 262_144)
        return fixture.matches(bytes, at: 5 * mebi, size: 262_144)
      }
    }
    gate.open()
    for task in tasks { #expect(try await task.value) }
    #expect(fixture.requests == [5 * mebi..<5 * mebi + 256 * kibi])
  }

  @Test("A reader gets its bytes while the rest of the request is still coming")
  func streaming() async throws {
    let source = SteppedFileIO()
    let object = ObjectAttributes(location: ReadPathFixture.location, size: 24 * mebi, etag: "\"e\"", modified: 0)
    let cache = BlockCache(budget: MemoryBudget(limit: 64 << 20), metrics: Metrics())
    let reader = ObjectReader(object: object, fileIO: source, cache: cache)
    let first = Task.immediate { try await reader.read(offset: 0, size: 131_072).count }
    await source.deliver(131_072)
    #expect(try await first.value == 131_072)
    #expect(cache.fetchesInFlight == 1)
    await source.deliver(1_179_648 - 131_072)
    await source.end()
    reader.close()
  }

  @Test("A second open of the same version reads from the cache, another version does not")
  func versions() async throws {
    let fixture = ReadPathFixture(size: 2 * mebi)
    let first = fixture.reader()
    _ = try await first.read(offset: 0, size: 100)
    first.close()
    let second = fixture.reader()
    _ = try await second.read(offset: 0, size: 100)
    #expect(fixture.requests.count == 1)
    let newer = fixture.fileIO.put(ReadPathFixture.location, [1, 2, 3])
    let third = ObjectReader(object: newer, fileIO: fixture.fileIO, cache: fixture.cache)
    #expect(try await third.read(offset: 0, size: 100).array() == [1, 2, 3])
  }

  @Test("After close and removeAll no memory is left, and bytes still held stay readable until let go")
  func noLeak() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let reader = fixture.reader()
    for offset in stride(from: 0, to: 4 * mebi, by: 131_072) { _ = try await reader.read(offset: offset, size: 131_072) }
    var held: CachedBytes? = try await reader.read(offset: 1_000, size: 5_000)
    reader.close()
    await fixture.settle()
    fixture.cache.removeAll()
    #expect(fixture.budget.used == BlockGeometry.blockSize)
    #expect(fixture.matches(try #require(held), at: 1_000, size: 5_000))
    held = nil
    fixture.cache.trim()
    #expect(fixture.budget.used == 0)
    #expect(fixture.cache.mappedBytes == 0)
    #expect(fixture.cache.bytes == 0)
  }

  @Test("A small file takes whole pages of memory, not a whole block")
  func smallFiles() async throws {
    let fixture = ReadPathFixture(size: 5_000)
    _ = try await fixture.reader().read(offset: 0, size: 10)
    #expect(fixture.cache.bytes == 8_192)
    #expect(fixture.cache.mappedBytes == 8_192)
  }
}

/// A FileIO that gives the bytes of its one read when told to.
final class SteppedFileIO: FileIO {
  private struct State {
    var sink: (any RangeSink)?
    var position = 0
    var ending: CheckedContinuation<Void, Never>?
  }
  private let state = Mutex(State())
  private let started = InMemoryGate()

  func deliver(_ count: Int) async {
    await started.waitForArrivals(1)
    let (sink, position) = state.withLock { state in
      defer { state.position += count }
      return (state.sink, state.position)
    }
    ReadPathFixture.content[position..<position + count].withUnsafeBytes { _ = sink?.receive($0) }
  }

  func end() async {
    state.withLock { $0.ending }?.resume()
  }

  func read(
    _ location: ObjectLocation, etag: String?, range: Range<Int64>, into sink: any RangeSink
  ) async throws(FileIOError) -> Int64 {
    await withCheckedContinuation { continuation in
      state.withLock { state in
        state.sink = sink
        state.ending = continuation
      }
      started.open()
      Task { await started.pass() }
    }
    return range.upperBound - range.lowerBound
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
