// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

@testable import ObjectCache

@Suite("An object reader when things fail")
struct ObjectReaderFaultTests {
  private static let failure = FileIOError(code: .failed, message: "503")

  @Test("A failed fetch fails its readers, and the next read tries anew")
  func retry() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    fixture.fileIO.faults.fail(with: Self.failure)
    let reader = fixture.reader()
    let error = await #expect(throws: FileIOError.self) { try await reader.read(offset: 7 * mebi, size: 262_144) }
    #expect(error?.code == .failed)
    #expect(fixture.cache.bytes == 0, "a block that got nothing leaves")
    #expect(fixture.matches(try await reader.read(offset: 7 * mebi, size: 262_144), at: 7 * mebi, size: 262_144))
  }

  @Test("Bytes that came before a failure are kept, only the rest is asked again")
  func partial() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    fixture.fileIO.breakReads(after: 200_000, with: Self.failure)
    let reader = fixture.reader()
    await #expect(throws: FileIOError.self) { try await reader.read(offset: 7 * mebi, size: 524_288) }
    #expect(fixture.matches(try await reader.read(offset: 7 * mebi, size: 524_288), at: 7 * mebi, size: 524_288))
    #expect(fixture.requests.last == 7 * mebi + 192 * kibi..<7 * mebi + 512 * kibi)
  }

  @Test("A failed request ahead is no error for the reader")
  func failedPrefetch() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let reader = fixture.reader()
    _ = try await reader.read(offset: 0, size: 131_072)
    fixture.fileIO.faults.fail(next: 1, with: Self.failure)
    _ = try await reader.read(offset: 131_072, size: 131_072)
    await fixture.settle()
    for offset in stride(from: 262_144, to: 24 * mebi, by: 131_072) {
      #expect(fixture.matches(try await reader.read(offset: offset, size: 131_072), at: offset, size: 131_072))
    }
  }

  @Test("An object replaced under the handle gives changed for good, cached bytes excepted")
  func changed() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let reader = fixture.reader()
    _ = try await reader.read(offset: 9 * mebi, size: 131_072)
    fixture.fileIO.put(ReadPathFixture.location, [1])
    for _ in 0..<3 {
      let error = await #expect(throws: FileIOError.self) { try await reader.read(offset: 5 * mebi, size: 262_144) }
      #expect(error?.code == .changed)
    }
    #expect(fixture.requests.count == 2, "a stale handle asks once")
    #expect(fixture.matches(try await reader.read(offset: 9 * mebi, size: 131_072), at: 9 * mebi, size: 131_072))
    await fixture.settle()
  }

  @Test("An object gone under the handle is changed too")
  func gone() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let reader = fixture.reader()
    fixture.fileIO.faults.fail(with: FileIOError(code: .notFound, message: "gone"))
    let error = await #expect(throws: FileIOError.self) { try await reader.read(offset: 5 * mebi, size: 262_144) }
    #expect(error?.code == .changed)
  }

  @Test("An answer shorter than the range is an error, not zeros")
  func shortAnswer() async throws {
    let fixture = ReadPathFixture(size: 100_000)
    var larger = fixture.object
    larger.size = 150_000
    let reader = ObjectReader(object: larger, fileIO: fixture.fileIO, cache: fixture.cache)
    let error = await #expect(throws: FileIOError.self) { try await reader.read(offset: 0, size: 150_000) }
    #expect(error?.code == .failed)
  }

  @Test("A cancelled reader leaves at once, the fetch goes on for the others")
  func cancelledReader() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let gate = fixture.fileIO.faults.hold()
    let reader = fixture.reader()
    let other = fixture.reader()
    let first = Task.immediate { try await reader.read(offset: 5 * mebi, size: 262_144).count }
    let second = Task.immediate { try await other.read(offset: 5 * mebi, size: 262_144).count }
    first.cancel()
    let error = await #expect(throws: FileIOError.self) { try await first.value }
    #expect(error?.code == .cancelled)
    reader.close()
    gate.open()
    #expect(try await second.value == 262_144)
    #expect(fixture.requests.count == 1)
  }

  @Test("Closing ends what is fetched ahead and nobody awaits")
  func closeCancelsPrefetch() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let reader = fixture.reader()
    _ = try await reader.read(offset: 0, size: 131_072)
    let gate = fixture.fileIO.faults.hold()
    _ = try await reader.read(offset: 131_072, size: 131_072)
    await gate.waitForArrivals(1)
    #expect(fixture.cache.fetchesInFlight > 0)
    reader.close()
    await fixture.settle()
    #expect(fixture.cache.bytes == 2 << 20, "only what had come is left")
    fixture.cache.removeAll()
    #expect(fixture.budget.used == 0)
  }

  @Test("Who waits for a request that its maker gave up fetches the bytes himself")
  func abandonedFetch() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi)
    let reader = fixture.reader()
    let other = fixture.reader()
    let gate = fixture.fileIO.faults.hold()
    let first = Task.immediate { try await reader.read(offset: 5 * mebi, size: 262_144).count }
    first.cancel()
    await #expect(throws: FileIOError.self) { try await first.value }
    // The close sees no waiter; the reader that joins right after it meets a fetch about to end.
    reader.close()
    let second = Task.immediate { try await other.read(offset: 5 * mebi, size: 262_144).count }
    gate.open()
    #expect(try await second.value == 262_144)
  }

  @Test("A read waits for memory that others hold, and gets it when they let go")
  func waitsForMemory() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi, memory: 8 << 20)
    let reader = fixture.reader()
    var held: [CachedBytes] = []
    for block in stride(from: Int64(2), to: 10, by: 1) { held.append(try await reader.read(offset: block * mebi + 100, size: 16_384)) }
    #expect(fixture.budget.used == 8 << 20)
    let blocked = Task.immediate { try await reader.read(offset: 20 * mebi, size: 16_384).count }
    let interrupted = Task.immediate { try await reader.read(offset: 21 * mebi, size: 16_384).count }
    interrupted.cancel()
    await #expect(throws: FileIOError.self) { try await interrupted.value }
    #expect(fixture.matches(held[0], at: 2 * mebi + 100, size: 16_384), "memory in use is never taken away")
    held.removeAll()
    #expect(try await blocked.value == 16_384)
    #expect(fixture.budget.highWater <= 8 << 20)
  }
}
