// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

@testable import Iceberg

/// A copy of the current file, changed and renamed onto it.
@Suite struct CommitEditedFormTests {
  private static let uuid = "11111111-2222-4333-8444-555555555555"

  private func successor(_ text: [UInt8], _ base: SuccessorCheck.Base, nowMs: Int64? = nil) throws(SuccessorRefusal) -> EditedForm
    .Successor?
  {
    let form = try EditedForm(text, current: base)
    switch try form.successor(nowMs: nowMs ?? base.metadata.head.lastUpdatedMs + 5_000, uuid: Self.uuid) {
    case .unchanged: return nil
    case .commit(let successor):
      _ = try SuccessorCheck(base: base, next: successor.metadata, location: successor.location, nowMs: Int64.max).check()
      return successor
    }
  }

  private func base(_ document: JSONValue = CommitDocument.base()) throws -> SuccessorCheck.Base {
    .init(
      location: CommitDocument.baseLocation,
      metadata: try TableMetadata(parsing: document.serialized(pretty: true), fileName: CommitDocument.baseLocation))
  }

  @Test("Only the log, the time and the edit differ from the base, byte for byte", arguments: ["history_v1", "history_v2"])
  func splice(name: String) throws {
    let history = try CommitHistory(name)
    for index in history.metadata.indices {
      let base = try history.base(index)
      let text = String(decoding: base.metadata.document.bytes, as: UTF8.self)
      let edited = text.replacing("\"owner\":\"ops ✓\"", with: "\"owner\" : \"me\"")
      let made = try #require(try successor(Array(edited.utf8), base))
      let result = String(decoding: made.bytes, as: UTF8.self)
      let log = made.metadata.head.metadataLog
      #expect(log.last == .init(timestampMs: base.metadata.head.lastUpdatedMs, file: base.location))
      #expect(log.count == min(base.metadata.head.metadataLog.count + 1, MetadataProperties.previousVersionsMax(base.metadata) ?? 0))
      #expect(made.restored.isEmpty)
      // Undo what may differ: then the text is the user's.
      let entry = "{\"timestamp-ms\":\(base.metadata.head.lastUpdatedMs),\"metadata-file\":\"\(base.location)\"}"
      var undone = result.replacing(
        "\"last-updated-ms\":\(base.metadata.head.lastUpdatedMs + 5_000)", with: "\"last-updated-ms\":\(base.metadata.head.lastUpdatedMs)")
      if log.count > base.metadata.head.metadataLog.count {
        undone = undone.replacing(",\(entry)", with: "").replacing(entry, with: "")
        #expect(undone == edited)
      }
      #expect(MetadataFileName(made.location)?.number == Int32(index + 1))
      #expect(made.location.hasSuffix("-\(Self.uuid).metadata.json"))
    }
  }

  @Test("A copy that says the same as its base commits nothing, however it is laid out")
  func unchanged() throws {
    let base = try base()
    #expect(try successor(base.metadata.document.bytes, base) == nil)
    #expect(try successor(CommitDocument.base().serialized(), base) == nil)
    #expect(try successor(CommitDocument.base().serialized(pretty: true), base) == nil)
  }

  @Test("The time is that of the clock, but after the base's")
  func time() throws {
    let base = try base()
    var edited = CommitDocument.base()
    edited.set("properties.owner", "me")
    #expect(try successor(edited.serialized(), base, nowMs: 5)?.metadata.head.lastUpdatedMs == base.metadata.head.lastUpdatedMs + 1)
    #expect(try successor(edited.serialized(), base, nowMs: 1_900_000_000_000)?.metadata.head.lastUpdatedMs == 1_900_000_000_000)
  }

  @Test("A copy of an earlier file, or of none, is told from one of the current file")
  func bases() throws {
    let history = try CommitHistory("history_v2")
    let current = try history.base(9)
    for earlier in 0..<9 {
      let refusal = #expect(throws: SuccessorRefusal.self) { _ = try successor(history.metadata[earlier].bytes, current) }
      #expect(refusal?.kind == .conflict)
      #expect(refusal?.found.contains(history.metadata[earlier].location) == true)
    }
    func kind(_ changes: [(String, JSONValue?)]) throws -> SuccessorRefusal.Kind? {
      var edited = JSONValue(current.metadata.document.root)
      for change in changes { edited.set(change.0, change.1) }
      do throws(SuccessorRefusal) {
        _ = try successor(edited.serialized(), current)
        return nil
      } catch {
        return error.kind
      }
    }
    #expect(try kind([("properties.owner", "me")]) == nil)
    #expect(try kind([("last-updated-ms", 5)]) == .conflict)
    #expect(try kind([("metadata-log[8].metadata-file", "s3://lake/foreign.metadata.json")]) == .invalid)
    #expect(try kind([("metadata-log", [])]) == .invalid)
    #expect(try kind([("metadata-log", nil)]) == .invalid)
    #expect(try kind([("metadata-log", 5)]) == .invalid)
    #expect(try kind([("metadata-log[9]", ["timestamp-ms": 1, "metadata-file": .string(current.location)])]) == .conflict)
  }

  @Test("The first change of a table whose file has no log, an empty one, or one laid out in lines")
  func logs() throws {
    for (log, pretty) in [(JSONValue?.none, false), (JSONValue.array([]), false), (JSONValue.array([]), true)] {
      var document = CommitDocument.base()
      document.set("metadata-log", log)
      let base = try base(document)
      document.set("properties.owner", "me")
      let made = try #require(try successor(document.serialized(pretty: pretty), base))
      #expect(made.metadata.head.metadataLog == [.init(timestampMs: 1_800_000_200_000, file: CommitDocument.baseLocation)])
    }
    let base = try base()
    var document = CommitDocument.base()
    document.set("properties", ["write.metadata.previous-versions-max": "1"])
    #expect(try successor(document.serialized(pretty: true), base)?.metadata.head.metadataLog.map(\.file) == [CommitDocument.baseLocation])
  }

  @Test("The next file lies where the new properties say, compressed if they say so")
  func places() throws {
    let base = try base()
    var document = CommitDocument.base()
    document.set("properties", ["write.metadata.path": "s3://lake/m/", "write.metadata.compression-codec": "GZIP"])
    let made = try #require(try successor(document.serialized(), base))
    #expect(made.location == "s3://lake/m/00002-\(Self.uuid).gz.metadata.json")
    #expect(Gzip.isGzip(made.bytes))
    let compressed = SuccessorCheck.Base(location: made.location, metadata: made.metadata)
    #expect(try successor(made.bytes, compressed) == nil)
    var next = JSONValue(made.metadata.document.root)
    next.set("properties.owner", "me")
    #expect(try successor(try Gzip.compress(next.serialized()), compressed)?.location == "s3://lake/m/00003-\(Self.uuid).gz.metadata.json")
  }

  @Test("jq 1.6 rounds the snapshot ids; they are restored digit for digit")
  func jqProperties() throws {
    let history = try CommitHistory("history_v2")
    let base = try history.base(history.metadata.count - 1)
    let made = try #require(try successor(try Fixture.bytes("jq16-properties.json"), base))
    var due = JSONValue(base.metadata.document.root)
    due.set("properties.owner", "ops")
    var found = JSONValue(made.metadata.document.root)
    found.set("metadata-log", nil)
    found.set("last-updated-ms", nil)
    due.set("metadata-log", nil)
    due.set("last-updated-ms", nil)
    #expect(found == due)
    #expect(made.restored.count > 20)
  }

  @Test("A rounded id in a new place is restored if one snapshot alone rounds to it")
  func jqTag() throws {
    let history = try CommitHistory("history_v2")
    let base = try history.base(history.metadata.count - 1)
    let made = try #require(try successor(try Fixture.bytes("jq16-tag.json"), base))
    #expect(made.metadata.head.refs["kept"]?.snapshotID == base.metadata.snapshots[0].id)
  }

  @Test("Snapshots that survive a removal keep their own ids")
  func jqExpire() throws {
    let history = try CommitHistory("history_v2")
    let base = try history.base(history.metadata.count - 1)
    let made = try #require(try successor(try Fixture.bytes("jq16-expire.json"), base))
    var due = base.metadata.snapshots.map(\.id)
    due.remove(at: 1)
    #expect(made.metadata.snapshots.map(\.id) == due)
  }

  @Test("A rounded number that no integer of the base rounds to is refused, naming jq 1.7")
  func jqUnmatched() throws {
    let history = try CommitHistory("history_v2")
    let base = try history.base(history.metadata.count - 1)
    let refusal = #expect(throws: SuccessorRefusal.self) { _ = try successor(try Fixture.bytes("jq16-unmatched.json"), base) }
    #expect(refusal?.path == "refs.kept.snapshot-id")
    #expect(refusal?.kind == .invalid)
    #expect(refusal?.expected.contains("jq >= 1.7") == true)
  }

  @Test("Two ids that round to one double are told apart by their place, and refused in a new place")
  func ambiguous() throws {
    let twin = CommitDocument.first + 1
    var document = CommitDocument.base()
    document.set("snapshots[1].snapshot-id", .integer(twin))
    document.set("refs.main.snapshot-id", .integer(twin))
    document.set("current-snapshot-id", .integer(twin))
    document.set("snapshot-log[1].snapshot-id", .integer(twin))
    let base = try base(document)
    let rounded = { (text: String) in
      text.replacing("\(twin)", with: "8000000000000000000").replacing("\(CommitDocument.first)", with: "8e+18")
    }
    let text = String(decoding: document.serialized(), as: UTF8.self)
    let edited = rounded(text.replacing("\"owner\":\"ops\"", with: "\"owner\":\"me\"")).replacing(
      "snap-8000000000000000000", with: "snap-\(twin)")
    // Locations hold ids as text, which no tool rounds.
    let exact = edited.replacing("snap-8e+18", with: "snap-\(CommitDocument.first)").replacing(
      "snap-\(twin)", with: "snap-\(CommitDocument.second)")
    let made = try #require(try successor(Array(exact.utf8), base))
    #expect(made.metadata.snapshots.map(\.id) == [CommitDocument.first, twin])
    #expect(made.metadata.head.refs["main"]?.snapshotID == twin)
    #expect(made.metadata.snapshots[1].parentID == CommitDocument.first)
    let tagged = exact.replacing("\"refs\":{", with: "\"refs\":{\"new\":{\"snapshot-id\":8e+18,\"type\":\"tag\"},")
    let refusal = #expect(throws: SuccessorRefusal.self) { _ = try successor(Array(tagged.utf8), base) }
    #expect(refusal?.expected.contains("jq >= 1.7") == true)
  }

  @Test("Exact tools may bring new large integers")
  func exact() throws {
    let base = try base()
    var document = CommitDocument.base()
    document.set("of-the-future.y", 9_007_199_254_740_994)
    #expect(try successor(document.serialized(), base) != nil)
  }

  @Test("As deep as a document may nest, it is edited and compared")
  func depth() throws {
    var deep: JSONValue = 9_007_199_254_740_995
    for level in 0..<190 { deep = level % 2 == 0 ? [deep] : ["x": deep] }
    var type: JSONValue = "int"
    for level in 0..<60 {
      type = ["type": "struct", "fields": [["id": .integer(Int64(100 + level)), "name": "f", "required": false, "type": type]]]
    }
    var document = CommitDocument.base()
    document.set("deep", deep)
    document.set("last-column-id", 200)
    document.set("schemas[0].fields[4]", ["id": 99, "name": "nested", "required": false, "type": type])
    let base = try base(document)
    document.set("properties.owner", "me")
    let text = String(decoding: document.serialized(), as: UTF8.self).replacing("9007199254740995", with: "9007199254740996")
    #expect(try successor(Array(text.utf8), base)?.restored == [.init(found: "9007199254740996", restored: "9007199254740995")])
  }

  @Test("What is no metadata is refused as such")
  func invalid() throws {
    let base = try base()
    for text in ["", "[]", "{", "{}", "{\"last-updated-ms\":1800000200000}"] {
      #expect(throws: SuccessorRefusal.self) { _ = try successor(Array(text.utf8), base) }
    }
  }
}
