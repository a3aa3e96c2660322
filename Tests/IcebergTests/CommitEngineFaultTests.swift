// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import TestSupport
import Testing
import WireFormats

/// What a commit does when something goes wrong: done once, cleanly refused, or unknown with the file kept. Never two, and never another's.
@Suite struct CommitEngineFaultTests {
  private let table = CommitLake.table
  private let place = CommitLake.nextPlace
  private let document = CommitDocument.next().serialized()

  private func expectUntouched(_ lake: CommitLake, _ before: Set<String>, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    #expect(try await lake.keys() == before, sourceLocation: sourceLocation)
    #expect(try await lake.entry?.metadataLocation == CommitDocument.baseLocation, sourceLocation: sourceLocation)
    #expect(try await lake.bytes("other/file") == Array("another's".utf8), sourceLocation: sourceLocation)
  }

  /// Another writer's commit on the base of ``CommitDocument``.
  private static func commitForeign(_ lake: CommitLake) async {
    var document = CommitDocument.next()
    document.set("properties.owner", "foreign")
    let location = "s3://lake/t/metadata/00002-f0f0f0f0-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json"
    guard let place = try? lake.files.location(location) else { return }
    lake.files.put(place, document.serialized())
    lake.catalog.putTable(CommitLake.table, metadataLocation: location)
  }

  /// Moves a clock on for as long as so many sleep on it: everybody who beats has beaten.
  private func ticks(_ clock: VirtualLockClock, sleepers: Int) -> Task<Void, Never> {
    Task {
      while !Task.isCancelled {
        if clock.sleeperCount >= sleepers { clock.advance(by: .seconds(1)) }
        try? await Task.sleep(for: .milliseconds(1))
      }
    }
  }

  // MARK: Upload

  @Test(
    "An upload that was refused changes nothing",
    arguments: [
      (FileIOError.Code.denied, "denied"), (.timedOut, "timedOut"), (.failed, "failed"), (.invalid, "invalid"), (.tooLarge, "invalid"),
    ])
  func uploadRefused(_ code: FileIOError.Code, _ word: String) async throws {
    let lake = try CommitLake()
    let before = try await lake.keys()
    lake.files.faults.fail(with: FileIOError(code: code, message: "no", requestID: "R1"), where: { $0.isWrite })
    let failure = try #require(await lake.engine().full(document).failure)
    #expect(failure.code.rawValue == word && failure.requestID == "R1" && failure.kept == nil)
    #expect(failure.message.contains("db.t") && failure.base == CommitDocument.baseLocation)
    #expect(lake.catalog.faults.count(where: { $0.isCommit }) == 0)
    try await expectUntouched(lake, before)
  }

  @Test(
    "An upload whose answer was lost is kept, nothing is committed, and the same file can be committed afterwards",
    arguments: [true, false])
  func uploadLost(tookEffect: Bool) async throws {
    let lake = try CommitLake()
    let before = try await lake.keys()
    lake.lossy.files.answer(tookEffect ? .lostAfter : .lostBefore)
    let engine = lake.engine()
    let failure = try #require(await engine.full(document).failure)
    #expect(failure.code == .unknown && failure.kept == place)
    try await expectUntouched(lake, tookEffect ? before.union([place.key]) : before)
    #expect(await engine.full(document).word == "committed")
    #expect(try await lake.keys() == before.union([place.key]))
    #expect(try await lake.entry?.metadataLocation == CommitDocument.nextLocation)
  }

  @Test("Another object of the same name is neither replaced nor deleted")
  func nameTaken() async throws {
    let lake = try CommitLake()
    lake.files.put(place, Array("somebody's".utf8))
    let before = try await lake.keys()
    #expect(await lake.engine().full(document).word == "exists")
    #expect(try await lake.bytes(place.key) == Array("somebody's".utf8))
    try await expectUntouched(lake, before)
  }

  @Test("A file that was there with equal bytes stays when its commit is refused")
  func adoptedStays() async throws {
    let lake = try CommitLake()
    let known = try await lake.entry
    lake.files.put(place, document)
    let before = try await lake.keys()
    for code in [CatalogError.Code.denied, .failed, .timedOut, .invalid] {
      lake.catalog.faults.fail(with: CatalogError(code: code, message: "no"), where: { $0.isCommit })
      #expect(await lake.engine().full(document).word == code.rawValue)
      try await expectUntouched(lake, before)
    }
    await Self.commitForeign(lake)
    #expect(await lake.engine().full(document, known: known).word == "conflict")
    #expect(await lake.engine().full(document).word == "conflict")
    #expect(try await lake.bytes(place.key) == document)
    #expect(lake.files.faults.count(where: { $0.isDelete }) == 0)
  }

  // MARK: Lock

  @Test("A lock that was not free in time: the own file is deleted, and nobody's lock is released")
  func lockHeld() async throws {
    let lake = try CommitLake()
    let before = try await lake.keys()
    let clock = VirtualLockClock()
    let locks = InMemoryLockTable(clock: clock)
    let manager = { InMemoryLockManager(table: locks, clock: clock, logger: .silent) }
    let holder = manager()
    let held = try await holder.acquire("db.t", ownerID: "another", within: nil)
    let waiting = Task { await lake.engine(lockManager: manager(), clock: clock).full(document) }
    // Those who sleep: the heartbeats of holder and mutex, and the waiter.
    #expect(await becomesTrue { lake.files.faults.count(where: { $0.isWrite }) == 1 })
    let ticking = ticks(clock, sleepers: 3)
    let failure = try #require(await waiting.value.failure)
    ticking.cancel()
    #expect(failure.code == .lockTimedOut && failure.message.contains("another") && failure.kept == nil)
    #expect(!held.isLost)
    #expect(await holder.release(held))
    try await expectUntouched(lake, before)
    #expect(lake.catalog.faults.count(where: { $0.isCommit }) == 0)
  }

  @Test(
    "A lock manager that refuses ends the commit with its reason, and the own file is deleted",
    arguments: [(LockError.Code.denied, "denied"), (.failed, "failed"), (.timedOut, "lockTimedOut")])
  func lockRefused(_ code: LockError.Code, _ word: String) async throws {
    let lake = try CommitLake()
    let before = try await lake.keys()
    let locks = ScriptedLocks(.refuse(code))
    #expect(await lake.engine(lockManager: locks).full(document).word == word)
    try await expectUntouched(lake, before)
    #expect(locks.released == 0)
  }

  @Test("A lease that is lost before the write ends the commit as a conflict, and the own file is deleted")
  func leaseLost() async throws {
    let lake = try CommitLake()
    let before = try await lake.keys()
    let locks = ScriptedLocks(.giveLost)
    let failure = try #require(await lake.engine(lockManager: locks).full(document).failure)
    #expect(failure.code == .conflict && failure.message.contains("lost"))
    try await expectUntouched(lake, before)
    #expect(locks.released == 1)
  }

  @Test("How the lock is released changes nothing about the outcome; each attempt has an owner of its own")
  func lockOwners() async throws {
    let lake = try CommitLake()
    let locks = ScriptedLocks(.give)
    let engine = lake.engine(lockManager: locks)
    lake.catalog.faults.fail(with: CatalogError(code: .failed, message: "no"), where: { $0.isCommit })
    #expect(await engine.full(document).word == "failed")
    #expect(await engine.full(document).word == "committed")
    var next = CommitDocument.next()
    next.set("properties.owner", "x")
    let edited = try #require(try? await engine.edited(next.serialized()).get())
    #expect(locks.acquired.map(\.entity) == ["db.t", "db.t", "db.t"])
    let owners = locks.acquired.map(\.owner)
    // A name that the user gave may come again; one that was made here does not.
    #expect(owners[0].hasPrefix("\(CommitDocument.nextLocation)#") && owners[1].hasPrefix("\(CommitDocument.nextLocation)#"))
    #expect(owners[0] != owners[1] && owners[2] == edited.entry.metadataLocation)
    #expect(locks.released == 3)
  }

  // MARK: Conditional write

  @Test(
    "A commit that the catalog refused leaves nothing behind",
    arguments: [
      (CatalogError.Code.denied, "denied"), (.invalid, "invalid"), (.failed, "failed"), (.timedOut, "timedOut"), (.conflict, "conflict"),
      (.namespaceNotFound, "notFound"), (.tableNotFound, "conflict"), (.catalogNotFound, "failed"),
    ])
  func writeRefused(_ code: CatalogError.Code, _ word: String) async throws {
    let lake = try CommitLake()
    let before = try await lake.keys()
    lake.catalog.faults.fail(with: CatalogError(code: code, message: "no", requestID: "R2"), where: { $0.isCommit })
    let failure = try #require(await lake.engine().full(document).failure)
    #expect(failure.code.rawValue == word && failure.requestID == "R2" && failure.kept == nil)
    try await expectUntouched(lake, before)
    // The same file again goes through: nothing of the first attempt is in the way.
    #expect(await lake.engine().full(document).word == "committed")
  }

  @Test(
    "After a lost answer the file is kept, and the same file committed again is the same commit", arguments: [true, false], [true, false])
  func writeLost(tookEffect: Bool, isKnown: Bool) async throws {
    let lake = try CommitLake()
    let known = isKnown ? try await lake.entry : nil
    let before = try await lake.keys()
    lake.lossy.answer(tookEffect ? .lostAfter : .lostBefore)
    let engine = lake.engine()
    let failure = try #require(await engine.full(document, known: known).failure)
    #expect(failure.code == .unknown && failure.kept == place && failure.base == CommitDocument.baseLocation)
    #expect(try await lake.bytes(place.key) == document)
    let pointer = try await lake.entry?.metadataLocation
    #expect(pointer == (tookEffect ? CommitDocument.nextLocation : CommitDocument.baseLocation))
    let version = try await lake.entry?.version
    #expect(await engine.full(document, known: known).word == "committed")
    #expect(try await lake.entry?.metadataLocation == CommitDocument.nextLocation)
    // Not a second time.
    if tookEffect { #expect(try await lake.entry?.version == version) }
    #expect(try await lake.keys() == before.union([place.key]))
    #expect(lake.files.faults.count(where: { $0.isDelete }) == 0)
  }

  @Test("A lost commit that others have built upon is found in their log", arguments: [true, false])
  func writeLostAndSucceeded(isKnown: Bool) async throws {
    let lake = try CommitLake()
    let known = isKnown ? try await lake.entry : nil
    lake.lossy.answer(.lostAfter)
    #expect(await lake.engine().full(document).word == "unknown")
    var others = CommitDocument.next()
    others.set("properties.owner", "others")
    #expect(await lake.engine().edited(others.serialized()).word == "committed")
    let pointer = try await lake.entry?.metadataLocation
    #expect(await lake.engine().full(document, known: known).word == "committed")
    #expect(try await lake.entry?.metadataLocation == pointer)
    #expect(lake.files.faults.count(where: { $0.isDelete }) == 0)
  }

  @Test("Where the log no longer tells whether a lost commit was done, nobody says it was not", arguments: [true, false])
  func writeLostAndForgotten(isKnown: Bool) async throws {
    let lake = try CommitLake()
    let known = isKnown ? try await lake.entry : nil
    lake.lossy.answer(.lostAfter)
    #expect(await lake.engine().full(document).word == "unknown")
    for owner in ["a", "b"] {
      var others = JSONValue(try JSONDocument(parsing: try await ObjectBytes.read(try #require(try await pointed(lake)), lake.files)).root)
      others.set("properties.owner", .string(owner))
      others.set("properties", ["write.metadata.previous-versions-max": "1", "owner": .string(owner)])
      #expect(await lake.engine().edited(others.serialized()).word == "committed")
    }
    let failure = try #require(await lake.engine().full(document, known: known).failure)
    #expect(failure.code == .unknown && failure.kept == place)
    #expect(try await lake.bytes(place.key) == document)
  }

  private func pointed(_ lake: CommitLake) async throws -> ObjectLocation? {
    try await lake.entry.map { try lake.files.location($0.metadataLocation) }
  }

  @Test(
    "A commit of another that comes first at any step: one of the two is the table's, and the loser's file is gone",
    arguments: CommitStep.allCases)
  func foreignCommit(at step: CommitStep) async throws {
    let lake = try CommitLake()
    let before = try await lake.keys()
    let foreign = "t/metadata/00002-f0f0f0f0-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json"
    let engine = lake.engine(
      lockManager: ScriptedLocks(.give),
      pause: { reached in
        // Afterwards another writer sees the new pointer, and does not commit on the old one.
        if reached == step, (try? await lake.entry?.metadataLocation) == CommitDocument.baseLocation { await Self.commitForeign(lake) }
      })
    let word = await engine.full(document).word
    let entry = try await lake.entry?.metadataLocation
    if entry == CommitDocument.nextLocation {
      #expect(word == "committed")
      #expect(try await lake.keys() == before.union([place.key]))
    } else {
      #expect(word == "conflict")
      #expect(try await lake.keys() == before.union([foreign]))
    }
    #expect((word == "conflict") == [.beforeUpload, .afterUpload, .afterLock, .beforeConditionalWrite].contains(step))
  }

  @Test("What stands under the own name in the meantime is not deleted; a file that cannot be deleted stays, and the refusal with it")
  func takingBack() async throws {
    let lake = try CommitLake()
    let place = place
    let replaced = lake.engine(pause: { step in
      guard step == .beforeConditionalWrite else { return }
      lake.files.put(place, Array("another's".utf8), mark: WriteMark("other"))
      await Self.commitForeign(lake)
    })
    #expect(await replaced.full(document).word == "conflict")
    #expect(try await lake.bytes(place.key) == Array("another's".utf8))
    let second = try CommitLake()
    second.files.faults.fail(with: FileIOError(code: .failed, message: "no"), where: { $0.isDelete })
    second.catalog.faults.fail(with: CatalogError(code: .denied, message: "no"), where: { $0.isCommit })
    #expect(await second.engine().full(document).word == "denied")
    #expect(try await second.bytes(place.key) == document)
  }

  // MARK: Cancellation and death

  @Test("Cancelled before the upload, a commit has sent nothing but reads")
  func cancelledBefore() async throws {
    let lake = try CommitLake()
    let before = try await lake.keys()
    let reading = lake.files.faults.hold(where: { $0.isRead })
    let engine = lake.engine()
    let first = Task { await engine.full(document) }
    await reading.waitForArrivals(1)
    // The second waits for the first's mutex.
    let second = Task { await engine.full(document) }
    await Task.yield()
    second.cancel()
    #expect(await second.value.word == "cancelled")
    first.cancel()
    #expect(await first.value.word == "cancelled")
    reading.open()
    try await expectUntouched(lake, before)
    #expect(lake.files.faults.count(where: { $0.isWrite }) == 0)
    #expect(await engine.full(document).word == "committed")
  }

  @Test("Cancelled once the upload was begun, a commit runs to its end, and its caller learns it", arguments: CommitStep.allCases)
  func cancelledAfter(_ step: CommitStep) async throws {
    var document = CommitDocument.next()
    document.set("properties", ["write.metadata.delete-after-commit.enabled": "true", "write.metadata.previous-versions-max": "1"])
    document.set("metadata-log[0]", nil)
    let bytes = document.serialized()
    let lake = try CommitLake()
    let gate = InMemoryGate()
    let engine = lake.engine(
      lockManager: InMemoryLockManager(table: InMemoryLockTable(), logger: .silent),
      pause: { reached in
        // Not a caller of the gate that a cancellation would send on.
        if reached == step { await Task { _ = await gate.pass() }.value }
      })
    let commit = Task { await engine.full(bytes) }
    await gate.waitForArrivals(1)
    commit.cancel()
    gate.open()
    #expect(await commit.value.word == "committed")
    #expect(try await lake.entry?.metadataLocation == CommitDocument.nextLocation)
    // Its caller waits for the cleaning two seconds at most, in which a busy machine may not get to it.
    let old = "t/metadata/00000-8d2f9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json"
    #expect(await becomesTrue { (try? await !lake.keys().contains(old)) == true })
  }

  @Test("A process that dies at any step leaves a table that others can commit to", arguments: CommitStep.allCases)
  func death(at step: CommitStep) async throws {
    let lake = try CommitLake()
    let dead = VirtualLockClock()
    let alive = VirtualLockClock()
    let locks = InMemoryLockTable(clock: alive)
    let grave = InMemoryGate()
    // The dead process's clock stands still, so its lease is not renewed.
    let dying = lake.engine(
      lockManager: InMemoryLockManager(table: locks, clock: dead, logger: .silent), clock: dead,
      pause: { reached in if reached == step { await Task { _ = await grave.pass() }.value } })
    let lost = Task { await dying.full(document) }
    guard step != .beforeCleanup else {
      // Nothing to clean up: it lives.
      #expect(await lost.value.word == "committed")
      return
    }
    await grave.waitForArrivals(1)
    alive.advance(by: .seconds(16))
    let entry = try #require(try await lake.entry)
    let isDone = [.afterConditionalWrite, .afterRelease].contains(step)
    #expect(entry.metadataLocation == (isDone ? CommitDocument.nextLocation : CommitDocument.baseLocation))
    var next = isDone ? CommitDocument.next() : CommitDocument.base()
    next.set("properties.owner", "survivor")
    let survivor = lake.engine(lockManager: InMemoryLockManager(table: locks, clock: alive, logger: .silent), clock: alive)
    #expect(await survivor.edited(next.serialized()).word == "committed")
    let pointer = try await lake.entry?.metadataLocation
    // It was not dead but asleep: too late.
    grave.open()
    #expect(await lost.value.word == (isDone ? "committed" : "conflict"))
    #expect(try await lake.entry?.metadataLocation == pointer)
    #expect(try await lake.keys().contains(place.key) == isDone)
  }

  @Test("A stalled upload or write holds only its own table's commits, and no longer than the longest wait")
  func stall() async throws {
    let lake = try CommitLake()
    let clock = VirtualLockClock()
    let engine = lake.engine(clock: clock)
    let writing = lake.files.faults.hold(where: { $0.isWrite })
    let first = Task { await engine.full(document) }
    await writing.waitForArrivals(1)
    let second = Task { await engine.full(document) }
    let ticking = ticks(clock, sleepers: 2)
    #expect(await second.value.word == "lockTimedOut")
    ticking.cancel()
    writing.open()
    #expect(await first.value.word == "committed")
  }

  @Test("The journal is told of the upload, with the mark of the object")
  func journal() async throws {
    let lake = try CommitLake()
    let journal = RecordingJournal()
    #expect(await lake.engine(journal: journal).full(document).word == "committed")
    let mark = try #require(lake.files.mark(of: place))
    #expect(journal.entries == ["write \(place) \(mark)", "end \(place) \(mark)"])
  }
}
