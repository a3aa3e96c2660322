// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import TestSupport
import Testing

@testable import ObjectCache

@Suite("Many object readers")
struct ObjectReaderStressTests {
  private final class Cursor: Sendable {
    let next = Atomic<Int64>(0)
  }

  @Test("32 tasks read at random and in sequence within a small budget: exact bytes, the limit kept, nothing left", arguments: [8, 16, 64])
  func stress(mebibytes: Int) async throws {
    let fixture = ReadPathFixture(size: 24 * mebi - 777, memory: Int64(mebibytes) << 20, chunkSize: 50_000)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<32 {
        group.addTask { try await Self.work(fixture, number) }
      }
      for try await isExact in group { #expect(isExact) }
    }
    await fixture.settle()
    #expect(fixture.budget.highWater <= fixture.budget.limit)
    fixture.cache.removeAll()
    #expect(fixture.budget.used == 0)
    #expect(fixture.cache.mappedBytes == 0)
  }

  @Test("32 tasks with failing and cancelled reads end, and leave nothing")
  func stressWithFaults() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi - 777, memory: 12 << 20, chunkSize: 50_000)
    fixture.fileIO.breakReads(after: 70_000, next: 40, with: FileIOError(code: .failed, message: "reset"))
    await withTaskGroup(of: Bool.self) { group in
      for number in 0..<32 {
        group.addTask {
          let task = Task { try await Self.work(fixture, number) }
          if number % 5 == 0 {
            await Task.yield()
            task.cancel()
          }
          do {
            return try await task.value
          } catch {
            return true
          }
        }
      }
      for await isExact in group { #expect(isExact) }
    }
    await fixture.settle()
    #expect(fixture.budget.highWater <= fixture.budget.limit)
    fixture.cache.removeAll()
    #expect(fixture.budget.used == 0)
    #expect(fixture.cache.mappedBytes == 0)
  }

  @Test("Four sequential readers share the room for windows and never evict each other's")
  func sharedWindows() async throws {
    let fixture = ReadPathFixture(size: 24 * mebi, memory: 32 << 20)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<4 {
        group.addTask {
          let object = fixture.fileIO.put(ObjectLocation(bucket: "lake", key: "\(number)"), ReadPathFixture.content)
          let reader = ObjectReader(object: object, fileIO: fixture.fileIO, cache: fixture.cache)
          defer { reader.close() }
          for offset in stride(from: 0, to: 24 * mebi, by: 131_072) {
            _ = try await reader.read(offset: offset, size: 131_072)
            await Task.yield()
          }
        }
      }
      try await group.waitForAll()
    }
    await fixture.settle()
    #expect(fixture.requestedBytes <= 4 * 25 * mebi)
    #expect(fixture.budget.highWater <= fixture.budget.limit)
  }

  @Test("Neighbouring reads of several threads at once, as the kernel's readahead sends them, cut no request into pieces")
  func neighboursAtOnce() async throws {
    for _ in 0..<100 {
      let fixture = ReadPathFixture(size: 8 * mebi + 300 * kibi)
      let reader = fixture.reader()
      defer { reader.close() }
      let cursor = Cursor()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 {
          group.addTask {
            while true {
              let offset = cursor.next.wrappingAdd(131_072, ordering: .relaxed).oldValue
              guard offset < fixture.object.size else { return }
              _ = try await reader.read(offset: offset, size: 131_072)
            }
          }
        }
        try await group.waitForAll()
      }
      await fixture.settle()
      #expect(fixture.requestedBytes == fixture.object.size)
      #expect(fixture.requests.count <= 9, "\(fixture.requests)")
    }
  }

  private static func work(_ fixture: ReadPathFixture, _ number: Int) async throws -> Bool {
    let reader = fixture.reader()
    defer { reader.close() }
    var generator = SeededGenerator(seed: UInt64(number))
    var isExact = true
    var offset = Int64.random(in: 0..<fixture.object.size / 2, using: &generator)
    for _ in 0..<60 {
      let size: Int
      if number % 2 == 0 {
        size = 131_072
      } else {
        size = Int.random(in: 1...(1 << 20), using: &generator)
        offset = Int64.random(in: 0..<fixture.object.size, using: &generator)
      }
      let bytes = try await reader.read(offset: offset, size: size)
      isExact = isExact && fixture.matches(bytes, at: offset, size: size)
      offset += Int64(size)
      if offset >= fixture.object.size { offset = 0 }
    }
    return isExact
  }
}
