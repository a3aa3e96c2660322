// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import TestSupport
import Testing

/// The commit engine on the real catalogs' implementations, over the emulator.
@Suite("Commit engine conformance", .timeLimit(.minutes(10)))
struct CommitEngineConformanceTests {
  @Test("A table is made, committed to in both forms, and what comes too late is refused", arguments: ["glue", "dynamodb"], [false, true])
  func life(kind: String, hasLock: Bool) async throws {
    let fixture = try await CommitEngineFixture(kind, hasLock: hasLock)
    let process = try await fixture.process()
    let (engine, table) = (process.engine, fixture.table)
    let first = fixture.place(0)
    let made = try await engine.commit(
      fullForm: fixture.document(owner: "a", log: []), at: first, table: table, known: nil, creates: fixture.pending)
    #expect(made.outcome == .created && made.entry.metadataLocation == "\(first)")
    #expect(try await process.catalog.loadTable(table)?.metadataLocation == "\(first)")
    let (place, bytes) = try await fixture.successor(of: made.entry, owner: "b", process.files)

    var before = process.requests()
    let full = try await engine.commit(fullForm: bytes, at: place, table: table, known: made.entry, creates: nil)
    let counts = process.requests(since: before)
    #expect(full.outcome == .committed && full.object?.location == place)
    let read = kind == "glue" ? "GetTable" : "GetItem"
    let write = kind == "glue" ? "UpdateTable" : "UpdateItem"
    if !hasLock { #expect(counts == ["PutObject": 1, read: 1, write: 1]) }
    print("requests of a commit on \(kind), lock \(hasLock): \(counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })")

    let edited = try await engine.commit(
      editedForm: try await fixture.copy(of: full.entry, owner: "c", process.files), table: table, known: full.entry)
    #expect(edited.outcome == .committed && edited.metadata.head.properties["owner"] == "c")
    before = process.requests()
    let same = try await engine.commit(
      editedForm: try await fixture.copy(of: edited.entry, owner: "c", process.files), table: table, known: edited.entry)
    #expect(same.outcome == .unchanged)
    #expect(Set(process.requests(since: before).keys).isSubset(of: ["GetObject", read]))
    // Again, the file that is in the table's log: it was done. Another one on its base: too late, and nothing is left of it.
    #expect(try await engine.commit(fullForm: bytes, at: place, table: table, known: nil, creates: nil).outcome == .committed)
    let (late, other) = try await fixture.successor(of: made.entry, owner: "d", process.files)
    let failure = await #expect(throws: CommitFailure.self) {
      _ = try await engine.commit(fullForm: other, at: late, table: table, known: made.entry, creates: nil)
    }
    #expect(failure?.code == .conflict)
    let chain = try await fixture.chain(process)
    #expect(chain == [edited, full, made].map(\.entry.metadataLocation))
    #expect(try await fixture.objects(process.files) == Set(chain))
  }

  @Test(
    "Eight processes lose no update and leave no file of a refused commit", arguments: ["glue", "dynamodb"], [false, true])
  func race(kind: String, hasLock: Bool) async throws {
    let fixture = try await CommitEngineFixture(kind, hasLock: hasLock)
    let (attempted, accepted, maker) = try await race(fixture, loses: nil)
    let chain = try await fixture.chain(maker)
    #expect(accepted.count == 24 && Set(accepted).count == 24)
    #expect(Set(chain.dropLast()) == Set(accepted) && chain.count == 25)
    #expect(try await fixture.objects(maker.files) == Set(chain))
    print("race of engines on \(kind), lock \(hasLock): attempted \(attempted), accepted \(accepted.count), found \(chain.count - 1)")
  }

  @Test(
    "Where answers of conditional writes are lost, nothing is done twice and nothing reported is missing", arguments: ["glue", "dynamodb"])
  func lossyRace(kind: String) async throws {
    let fixture = try await CommitEngineFixture(kind, hasLock: false)
    let lost = Mutex(0)
    let (attempted, accepted, maker) = try await race(fixture) {
      lost.withLock { lost in
        lost += 1
        return lost % 3 == 0
      }
    }
    let chain = try await fixture.chain(maker)
    #expect(accepted.count == 24 && Set(accepted).count == 24)
    #expect(Set(accepted).isSubset(of: Set(chain)) && Set(chain).count == chain.count)
    #expect(Set(chain).isSubset(of: try await fixture.objects(maker.files)))
    print(
      "race with lost answers on \(kind): attempted \(attempted), accepted \(accepted.count), found \(chain.count - 1), "
        + "lost answers \(lost.withLock { $0 / 3 })")
  }

  /// Eight processes, each deriving anew after a refusal, until each has done three commits. Unknown ones are asked for again.
  private func race(
    _ fixture: CommitEngineFixture, loses: (@Sendable () -> Bool)?
  ) async throws -> (attempted: Int, accepted: [String], maker: CommitEngineFixture.Process) {
    let maker = try await fixture.process()
    _ = try await maker.engine.commit(
      fullForm: fixture.document(owner: "a", log: []), at: fixture.place(0), table: fixture.table, known: nil, creates: fixture.pending)
    let (attempted, accepted) = try await withThrowingTaskGroup(of: (Int, [String]).self) { group in
      for number in 0..<8 {
        group.addTask {
          let process = try await fixture.process { inner in loses.map { AnswerLosingTransport(inner, loses: $0) } ?? inner }
          return try await Self.write(fixture, process, number)
        }
      }
      return try await group.reduce(into: (0, [String]())) { sum, part in
        sum.0 += part.0
        sum.1 += part.1
      }
    }
    return (attempted, accepted, maker)
  }

  private static func write(
    _ fixture: CommitEngineFixture, _ process: CommitEngineFixture.Process, _ number: Int
  ) async throws -> (Int, [String]) {
    let table = fixture.table
    var attempts = 0
    var accepted: [String] = []
    while accepted.count < 3 {
      let entry = try #require(try await process.catalog.loadTable(table))
      attempts += 1
      let known = attempts % 2 == 0 ? entry : nil
      var result: Result<Committed, CommitFailure>
      if number % 2 == 0 {
        let bytes = try await fixture.copy(of: entry, owner: "\(number)-\(attempts)", process.files)
        result = await process.edited(bytes, table, known)
      } else {
        let (place, bytes) = try await fixture.successor(of: entry, owner: "\(number)-\(attempts)", process.files)
        result = await process.full(bytes, place, table, known)
        while result.code == .unknown { result = await process.full(bytes, place, table, known) }
      }
      if let code = result.code, [.conflict, .unknown, .lockTimedOut].contains(code) { continue }
      accepted.append(try result.get().entry.metadataLocation)
    }
    return (attempts, accepted)
  }
}
