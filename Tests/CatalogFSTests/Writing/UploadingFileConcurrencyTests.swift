// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import TestSupport
import Testing

@testable import CatalogFS

@Suite("Uploading files: calls beside one another", .timeLimit(.minutes(5)))
final class UploadingFileConcurrencyTests: Sendable {
  private let scratch = ScratchDirectory()
  private let files = WatchedFiles()
  private let target = ObjectLocation(bucket: "lake", key: "t/data/new.parquet")

  @Test("An abort ends a write that waits for the network, and nothing is left")
  func abortBesideWrite() async throws {
    let area = try StagingArea(directory: scratch.path, capacity: 1 << 20)
    let file = file(area, streamsAfter: 2)
    try await file.write([1, 2], at: 0)
    let gate = files.appends.hold()
    let writing = Task { await Self.code { try await file.write([3], at: 2) } }
    await gate.waitForArrivals(1)
    let waiting = Task { await Self.code { try await file.write([4], at: 3) } }
    let aborting = Task { await file.abort() }
    #expect(await becomesTrue { self.files.openUploads == 0 })
    gate.open()
    #expect(await aborting.value == nil)
    #expect(await writing.value != nil)
    #expect(await waiting.value != nil)
    #expect(await Self.code { _ = try await file.finish() } == .failed)
    #expect(await file.abort() == nil)
    #expect(files.openUploads == 0 && area.used == 0)
    await #expect(throws: FileIOError.self) { try await self.files.head(self.target) }
  }

  @Test("A finish under way wins over an abort, which gives its object", arguments: [true, false])
  func finishWins(isStreamed: Bool) async throws {
    let file = file(try StagingArea(directory: scratch.path, capacity: 1 << 20), streamsAfter: isStreamed ? 0 : 100)
    try await file.write([1], at: 0)
    let gate = files.objects.faults.hold { $0.isWrite }
    let finishing = Task { try await file.finish() }
    await gate.waitForArrivals(1)
    let aborting = Task { await file.abort() }
    let writing = Task { await Self.code { try await file.write([2], at: 1) } }
    await Task.yield()
    gate.open()
    let object = try await finishing.value
    #expect(await aborting.value == object)
    #expect(await writing.value == .notPermitted)
    #expect(try await files.content(target) == [1])
  }

  @Test("A finish that still uploads what was ahead wins over an abort, too")
  func finishWinsWhileFeeding() async throws {
    let area = try StagingArea(directory: scratch.path, capacity: 1 << 20)
    let file = file(area, streamsAfter: 0)
    try await file.write([1], at: 0)
    try await file.write([3], at: 2)
    let gate = files.appends.hold()
    let finishing = Task { try await file.finish() }
    await gate.waitForArrivals(1)
    let aborting = Task { await file.abort() }
    // It stands in the queue before the upload goes on.
    #expect(await becomesTrue { file.waiting == 1 })
    gate.open()
    let object = try await finishing.value
    #expect(await aborting.value == object)
    #expect(try await files.content(target) == [1, 0, 3])
    #expect(files.openUploads == 0 && area.used == 0)
  }

  @Test("An abort beside a finish that fails leaves nothing, though the bytes could have been finished again")
  func finishFailsBesideAbort() async throws {
    let area = try StagingArea(directory: scratch.path, capacity: 1 << 20)
    let file = file(area, streamsAfter: 100)
    try await file.write([1], at: 0)
    files.objects.faults.fail(with: FileIOError(code: .denied, message: "no")) { $0.isWrite }
    let gate = files.objects.faults.hold { $0.isWrite }
    let finishing = Task { await Self.code { _ = try await file.finish() } }
    await gate.waitForArrivals(1)
    let aborting = Task { await file.abort() }
    gate.open()
    #expect(await finishing.value == .denied)
    #expect(await aborting.value == nil)
    #expect(area.used == 0)
    #expect(await Self.code { _ = try await file.finish() } == .failed)
    await #expect(throws: FileIOError.self) { try await self.files.head(self.target) }
  }

  @Test("Of a write, a finish and two aborts at once, either the object is whole and every call knows it, or nothing is left")
  func races() async throws {
    var published = 0
    for round in 0..<100 {
      let location = target.appending("\(round)")
      let area = try StagingArea(directory: scratch.path, capacity: 1 << 20)
      let file = UploadingFile(
        location: location, files: files, staging: area, options: WriteOptions(), streamsAfter: round % 2 == 0 ? 0 : 100)
      try await file.write([1], at: 0)
      async let writing = Self.code { try await file.write([2], at: 1) }
      // Now one is far ahead and now the other, and mostly neither.
      async let aborting = aborted(file, afterYields: round % 10 == 1 ? 200 : round % 7)
      async let again = aborted(file, afterYields: round % 10 == 1 ? 200 : round % 3 + 3)
      async let finishing = finished(file, afterYields: round % 10 == 0 ? 200 : round % 5)
      let (written, finished) = await (writing, finishing)
      let aborts = await [aborting, again]
      let object = try? await files.head(location)
      if let object {
        published += 1
        #expect(finished?.etag == object.etag && aborts.allSatisfy { $0?.etag == object.etag })
        #expect(try await files.content(location) == (written == nil ? [1, 2] : [1]))
      } else {
        #expect(finished == nil && aborts == [nil, nil])
      }
      #expect(files.openUploads == 0 && area.used == 0)
    }
    // Both outcomes have to be seen, or the race was none.
    #expect(published > 0 && published < 100, "\(published) of 100")
  }

  @Test("Writes run in the order of their calls")
  func order() async throws {
    let file = file(try StagingArea(directory: scratch.path, capacity: 1 << 20), streamsAfter: 0)
    let gate = files.appends.hold()
    let writes = try await withThrowingTaskGroup(of: Void.self) { group in
      for offset in 0..<20 as Range<Int64> {
        group.addTask { try await file.write([UInt8(offset)], at: offset) }
        // Each has to stand in the queue before the next one comes.
        #expect(await becomesTrue { gate.arrivals == 1 && file.waiting == offset })
      }
      gate.open()
      try await group.waitForAll()
      return files.taken
    }
    #expect(writes == 20)
    _ = try await file.finish()
    #expect(try await files.content(target) == (0..<20).map { UInt8($0) })
  }

  @Test("A cancelled call that waits leaves the queue at once without effect; an abort goes on")
  func cancelled() async throws {
    let file = file(try StagingArea(directory: scratch.path, capacity: 1 << 20), streamsAfter: 0)
    let gate = files.appends.hold()
    let first = Task { try await file.write([1], at: 0) }
    await gate.waitForArrivals(1)
    let second = Task { await Self.code { try await file.write([2], at: 1) } }
    #expect(await becomesTrue { file.waiting == 1 })
    let third = Task { try await file.write([3], at: 1) }
    #expect(await becomesTrue { file.waiting == 2 })
    second.cancel()
    #expect(await second.value == .interrupted)
    #expect(file.waiting == 1)
    gate.open()
    try await first.value
    try await third.value
    #expect(file.size == 2)
    let aborting = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await file.abort()
    }
    #expect(await aborting.value == nil)
    #expect(files.openUploads == 0)
  }

  @Test("Whoever is let in leaves in the end, whatever is cancelled meanwhile")
  func turns() async {
    let turns = TurnQueue()
    let inside = Inside()
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<400 {
        group.addTask {
          let task = Task { await Self.passThrough(turns, inside, always: number % 5 == 0) }
          if number % 3 == 0 { task.cancel() }
          await task.value
        }
      }
    }
    let (now, most, done) = inside.state.withLock { $0 }
    #expect(now == 0 && most == 1 && done >= 266 && turns.count == 0)
    // The turn is free again.
    #expect(await turns.enter())
  }

  private static func passThrough(_ turns: TurnQueue, _ inside: Inside, always: Bool) async {
    if always {
      await turns.enterAlways()
    } else if await !turns.enter() {
      return
    }
    inside.state.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.done + 1) }
    await Task.yield()
    inside.state.withLock { $0.now -= 1 }
    turns.leave()
  }

  private func file(_ area: StagingArea, streamsAfter: Int64) -> UploadingFile {
    UploadingFile(location: target, files: files, staging: area, options: WriteOptions(), streamsAfter: streamsAfter)
  }

  private func aborted(_ file: UploadingFile, afterYields yields: Int) async -> ObjectAttributes? {
    for _ in 0..<yields { await Task.yield() }
    return await file.abort()
  }

  private func finished(_ file: UploadingFile, afterYields yields: Int) async -> ObjectAttributes? {
    for _ in 0..<yields { await Task.yield() }
    return try? await file.finish()
  }

  private static func code(_ body: () async throws -> Void) async -> FilesystemError.Code? {
    do {
      try await body()
      return nil
    } catch {
      return (error as? FilesystemError)?.code
    }
  }
}

private final class Inside: Sendable {
  let state = Mutex((now: 0, most: 0, done: 0))
}
