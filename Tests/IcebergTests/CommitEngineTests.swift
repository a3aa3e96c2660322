// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Telemetry
import TestSupport
import Testing
import WireFormats

/// What a commit does when nothing goes wrong, and what it asks for.
@Suite struct CommitEngineTests {
  private let table = CommitLake.table
  private let place = CommitLake.nextPlace

  private func edit(_ document: JSONValue = CommitDocument.base(), owner: String = "me") -> [UInt8] {
    var document = document
    document.set("properties.owner", .string(owner))
    return document.serialized(pretty: true)
  }

  // MARK: Full form

  @Test("A whole document becomes the table's, byte for byte as it was given")
  func fullForm() async throws {
    let lake = try CommitLake()
    let bytes = CommitDocument.next().serialized(pretty: true)
    let done = try await lake.engine().commit(fullForm: bytes, at: place, table: table, known: nil, creates: nil)
    #expect(done.outcome == .committed)
    #expect(done.entry.metadataLocation == CommitDocument.nextLocation)
    #expect(try await lake.entry == done.entry)
    #expect(done.object?.location == place && done.object?.size == Int64(bytes.count))
    #expect(try await lake.bytes(place.key) == bytes)
    #expect(done.metadata.head.properties["comment"] == "x")
    #expect(done.removed.isEmpty)
    #expect(lake.metrics.value(.commits, "committed") == 1)
    #expect(lake.metrics.prometheusText().contains("bergfs_commit_duration_seconds_count{outcome=\"committed\"} 1"))
    #expect(lake.metrics.prometheusText().contains("bergfs_lock_wait_seconds_count{lock=\"process\"} 1"))
  }

  @Test("With the base known, a commit is one read the first time and none afterwards, one upload and one commit")
  func requests() async throws {
    let lake = try CommitLake()
    let engine = lake.engine()
    let known = try await lake.entry
    lake.forgetCalls()
    let first = try await engine.commit(
      fullForm: CommitDocument.next().serialized(), at: place, table: table, known: known, creates: nil)
    #expect(lake.calls.files.map(\.isRead) == [true, false] && lake.calls.files.map(\.isWrite) == [false, true])
    #expect(lake.calls.catalog == [.commit(table, metadataLocation: CommitDocument.nextLocation)])
    lake.forgetCalls()
    let second = try await engine.commit(
      editedForm: edit(JSONValue(first.metadata.document.root)), table: table, known: first.entry)
    #expect(lake.calls.files.map(\.isWrite) == [true])
    #expect(lake.calls.catalog == [.commit(table, metadataLocation: second.entry.metadataLocation)])
    lake.forgetCalls()
    _ = try await engine.commit(editedForm: edit(JSONValue(second.metadata.document.root), owner: "x"), table: table, known: nil)
    #expect(lake.calls.catalog.map(\.isLoadTable) == [true, false])
    #expect(lake.calls.files.map(\.isWrite) == [true])
  }

  @Test("An entry that the caller knows wrongly does no harm: the table is asked")
  func staleEntry() async throws {
    for isEdited in [false, true] {
      let lake = try CommitLake()
      let stale = TableEntry(identifier: table, metadataLocation: CommitDocument.olderLocation, version: "0", modified: nil)
      lake.files.delete(ObjectLocation(bucket: "lake", key: "t/metadata/00000-8d2f9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json"))
      let engine = lake.engine()
      let done =
        isEdited
        ? try await engine.commit(editedForm: edit(), table: table, known: stale)
        : try await engine.commit(fullForm: CommitDocument.next().serialized(), at: place, table: table, known: stale, creates: nil)
      #expect(done.outcome == .committed)
      #expect(try await lake.entry?.metadataLocation == done.entry.metadataLocation)
    }
  }

  @Test("The catalog keeps the scheme it has for the table")
  func scheme() async throws {
    var document = CommitDocument.next()
    let old = CommitDocument.baseLocation.replacing("s3://", with: "s3a://")
    document.set("metadata-log[1].metadata-file", .string(old))
    let lake = try CommitLake()
    lake.catalog.putTable(table, metadataLocation: old)
    let engine = lake.engine()
    let full = try await engine.commit(fullForm: document.serialized(), at: place, table: table, known: nil, creates: nil)
    #expect(full.entry.metadataLocation == CommitDocument.nextLocation.replacing("s3://", with: "s3a://"))
    let edited = try await engine.commit(editedForm: edit(document, owner: "z"), table: table, known: full.entry)
    #expect(edited.entry.metadataLocation.hasPrefix("s3a://lake/t/metadata/00003-"))
  }

  @Test("What may not follow is refused before anything is sent")
  func refusals() async throws {
    let lake = try CommitLake()
    let engine = lake.engine()
    let before = try await lake.keys()
    let known = try await lake.entry
    lake.forgetCalls()
    func code(_ path: String, _ value: JSONValue?, known: TableEntry? = nil) async -> String {
      var document = CommitDocument.next()
      document.set(path, value)
      let bytes = document.serialized()
      return await engine.full(bytes, known: known).word
    }
    #expect(await code("table-uuid", "00000000-0000-0000-0000-000000000000") == "invalid")
    #expect(await code("last-sequence-number", 1) == "invalid")
    #expect(await code("schemas", 5) == "invalid")
    #expect(await code("metadata-log", []) == "conflict")
    #expect(await code("metadata-log[1].metadata-file", .string(CommitDocument.olderLocation)) == "conflict")
    #expect(await code("properties", ["write.metadata.previous-versions-max": "x"]) == "invalid")
    // A log that is shorter than the document's own setting demands would have files deleted.
    var short = CommitDocument.next()
    short.set("properties", ["write.metadata.delete-after-commit.enabled": "true"])
    short.set("metadata-log[0]", nil)
    let bytes = short.serialized()
    let refusal = try #require(await engine.full(bytes, known: known).failure)
    #expect(refusal.code == .invalid && refusal.base == CommitDocument.baseLocation)
    #expect(refusal.message.contains("db.t") && refusal.message.contains("check 5") && refusal.message.contains("metadata-log"))
    #expect(
      await engine.edited(Array("{".utf8)).word == "invalid")
    #expect(lake.calls.catalog.allSatisfy { $0.isLoadTable })
    #expect(lake.calls.files.allSatisfy { $0.isRead || $0.isHead })
    #expect(try await lake.keys() == before)
    #expect(try await lake.entry == known)
  }

  @Test("A table that is not there, or no longer, is told")
  func missing() async throws {
    let lake = try CommitLake()
    let known = try await lake.entry
    let engine = lake.engine()
    lake.catalog.removeTable(table)
    for (entry, code) in [(nil, "notFound"), (known, "conflict")] as [(TableEntry?, String)] {
      let full = await engine.full(CommitDocument.next().serialized(), known: entry).word
      let edited = await engine.edited(edit(), known: entry).word
      #expect(full == code && edited == code)
    }
    #expect(try await !lake.keys().contains(place.key))
    let broken = try CommitLake()
    broken.catalog.putTable(table, metadataLocation: "s3://lake/t/metadata/00009-gone.metadata.json")
    #expect(
      await broken.engine().edited(edit()).word == "failed")
  }

  @Test("New snapshots must be there: the manifest list is read before anything is uploaded")
  func manifestLists() async throws {
    let lake = try CommitLake()
    let known = try await lake.entry
    let refusal = try #require(await lake.engine().full(CommitDocument.appended().serialized(), known: known).failure)
    #expect(refusal.code == .invalid && refusal.message.contains("check 11"))
    #expect(lake.calls.files.allSatisfy { !$0.isWrite })
  }

  // MARK: Edited form

  @Test("A changed copy becomes the next file: named, logged and timed here")
  func editedForm() async throws {
    let lake = try CommitLake()
    let done = try await lake.engine().commit(editedForm: edit(), table: table, known: nil)
    #expect(done.outcome == .committed)
    #expect(done.entry.metadataLocation.hasPrefix("s3://lake/t/metadata/00002-"))
    #expect(done.metadata.head.metadataLog.map(\.file) == [CommitDocument.olderLocation, CommitDocument.baseLocation])
    #expect(done.metadata.head.lastUpdatedMs == CommitDocument.nowMs)
    #expect(done.metadata.head.properties["owner"] == "me")
    #expect(try await lake.entry == done.entry)
  }

  @Test("Numbers that jq 1.6 rounded are committed digit for digit, and told")
  func roundedNumbers() async throws {
    let history = try CommitHistory("history_v2")
    let lake = try CommitLake(history)
    let last = try history.base(history.metadata.count - 1).metadata
    let done = try await lake.engine(nowMs: last.head.lastUpdatedMs + 5).commit(
      editedForm: try Fixture.bytes("jq16-properties.json"), table: table, known: nil)
    #expect(done.metadata.head.properties["owner"] == "ops")
    #expect(done.metadata.snapshots.map(\.id) == last.snapshots.map(\.id))
    #expect(done.warnings.contains { $0.contains("had rounded") })
    let lost = try #require(await lake.engine().edited(try Fixture.bytes("jq16-unmatched.json")).failure)
    #expect(lost.code == .invalid || lost.code == .conflict)
  }

  @Test("A copy that says what the current file says sends nothing but reads; one of an earlier file is refused")
  func unchanged() async throws {
    let lake = try CommitLake()
    let engine = lake.engine()
    let known = try await lake.entry
    for entry in [nil, known] {
      lake.forgetCalls()
      let done = try await engine.commit(editedForm: CommitDocument.base().serialized(pretty: true), table: table, known: entry)
      #expect(done.outcome == .unchanged && done.object == nil)
      #expect(done.entry.metadataLocation == CommitDocument.baseLocation)
      #expect(lake.calls.files.allSatisfy { $0.isRead } && lake.calls.catalog.allSatisfy { $0.isLoadTable })
    }
    _ = try await engine.commit(editedForm: edit(), table: table, known: known)
    // The table has moved on: a copy of the file before is no longer "unchanged", whatever the caller believes.
    for document in [CommitDocument.base().serialized(), edit(owner: "other")] {
      let refusal = try #require(await engine.edited(document, known: known).failure)
      #expect(refusal.code == .conflict)
    }
  }

  // MARK: New tables

  private func created(_ location: String = "s3://lake/t") -> JSONValue {
    var document = CommitDocument.base()
    document.set("location", .string(location))
    document.set("metadata-log", [])
    document.set("snapshots", [])
    document.set("snapshot-log", [])
    document.set("refs", [:])
    document.set("current-snapshot-id", -1)
    document.set("last-sequence-number", 0)
    return document
  }
  private let first = ObjectLocation(bucket: "lake", key: "t/metadata/00000-0d0c9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json")
  private var pending: PendingTable { PendingTable(identifier: table, location: "s3://lake/t/") }

  @Test("The first document of a pending table makes the table")
  func create() async throws {
    let lake = try CommitLake(base: nil)
    let engine = lake.engine()
    let done = try await engine.commit(fullForm: created().serialized(), at: first, table: table, known: nil, creates: pending)
    #expect(done.outcome == .created && done.entry.metadataLocation == "\(first)")
    #expect(try await lake.entry == done.entry)
    // The next commit finds its base at hand.
    lake.forgetCalls()
    let next = try await engine.commit(editedForm: edit(created()), table: table, known: done.entry)
    #expect(next.outcome == .committed && lake.calls.files.map(\.isWrite) == [true])
    // The same document again: the table is there, with another file.
    #expect(
      await engine.full(created().serialized(), at: first, creates: pending).word == "exists")
  }

  @Test("A file that lies where its own location says is registered there; a location of another kind is refused")
  func register() async throws {
    let lake = try CommitLake(base: nil)
    let engine = lake.engine()
    let elsewhere = created("s3://lake/old/place").serialized()
    let before = try await lake.keys()
    func register() async -> String {
      await engine.full(elsewhere, at: first, creates: pending).word
    }
    #expect(await register() == "invalid")
    var there = first
    there.key = first.key.replacing("t/metadata", with: "old/place/metadata")
    lake.files.put(there, Array("other bytes".utf8))
    #expect(await register() == "invalid")
    lake.files.put(there, elsewhere)
    lake.forgetCalls()
    #expect(await register() == "registered")
    #expect(try await lake.entry?.metadataLocation == "\(there)")
    #expect(lake.calls.files.allSatisfy { !$0.isWrite && !$0.isDelete })
    #expect(try await lake.keys() == before.union([there.key]))
    // Again: it is registered already.
    #expect(await register() == "registered")
  }

  @Test("A file with equal bytes under the new table's own name is taken, and kept when the catalog refuses")
  func adoptAtCreate() async throws {
    let lake = try CommitLake(base: nil)
    let bytes = created().serialized()
    lake.files.put(first, bytes)
    lake.catalog.faults.fail(with: CatalogError(code: .denied, message: "no"), where: \.isCommit)
    let engine = lake.engine()
    func create(_ bytes: [UInt8]) async -> String {
      await engine.full(bytes, at: first, creates: pending).word
    }
    #expect(await create(bytes) == "denied")
    #expect(try await lake.bytes(first.key) == bytes)
    #expect(await create(edit(created())) == "exists")
    #expect(await create(bytes) == "registered")
  }

  @Test("Of many who make one table, one makes it, and the others leave nothing behind")
  func createRace() async throws {
    let lake = try CommitLake(base: nil)
    let words = await withTaskGroup(of: String.self) { group in
      for index in 0..<8 {
        group.addTask {
          let place = ObjectLocation(bucket: "lake", key: "t/metadata/00000-\(RandomUUID.text()).metadata.json")
          let engine = lake.engine()
          let bytes = edit(created(), owner: "\(index)")
          return await engine.full(bytes, at: place, creates: PendingTable(identifier: CommitLake.table, location: "s3://lake/t")).word
        }
      }
      return await group.reduce(into: [String]()) { $0.append($1) }
    }
    #expect(words.sorted() == ["created"] + Array(repeating: "exists", count: 7))
    let entry = try #require(try await lake.entry)
    #expect(try await lake.keys().filter { $0.hasPrefix("t/metadata") }.map { "s3://lake/\($0)" } == [entry.metadataLocation])
  }

  @Test("A table of a namespace that is not there is not made")
  func noNamespace() async throws {
    let lake = try CommitLake(base: nil)
    let other = TableIdentifier(namespace: Namespace(["absent"]), name: "t")
    #expect(
      await lake.engine().full(
        created().serialized(), at: first, table: other, creates: PendingTable(identifier: other, location: "s3://lake/t")
      ).word == "notFound")
    #expect(try await !lake.keys().contains(first.key))
  }
}
