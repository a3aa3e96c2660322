// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

@testable import Iceberg

/// Each rule by itself, on a small document with one member changed.
@Suite struct TableMetadataRuleTests {
  private static let file = "s3://lake/t/metadata/00001-a.metadata.json"

  private static func document(_ change: (inout JSONMembers) -> Void) -> [UInt8] {
    var members: JSONMembers = ["format-version": 2, "table-uuid": "u", "location": "s3://lake/t", "last-updated-ms": 17]
    change(&members)
    return JSONValue.object(members).serialized()
  }

  private func head(_ change: (inout JSONMembers) -> Void) throws -> TableMetadataHead {
    try TableMetadataHead(parsing: Self.document(change), fileName: Self.file)
  }

  private func reason(_ bytes: [UInt8], _ fileName: String = file) -> String? {
    do {
      _ = try TableMetadataHead(parsing: bytes, fileName: fileName)
      return nil
    } catch {
      #expect(error.file == fileName)
      #expect(error.message == "\(fileName) \(error.reason)")
      return error.reason
    }
  }

  @Test("The smallest document is read")
  func smallest() throws {
    let head = try head { _ in }
    #expect(head.currentSnapshotID == nil)
    #expect(head.properties == [:])
    #expect(head.metadataLog == [])
    #expect(head.refs == [:])
  }

  @Test("Bytes that are no JSON say where; an error page, an empty object, gzip under a plain name are told apart")
  func notJSON() throws {
    #expect(
      reason(Array("{\n  \"a\": 1,\n  \"b\" 2}".utf8)) == "is not JSON: line 3, column 7: expected `:` after a member name, found `2`")
    #expect(reason(Array("<html>".utf8)) == "is not JSON: line 1, column 1: expected a value, found `<`")
    #expect(reason([]) == "is not JSON: line 1, column 1: the document is empty")
    #expect(reason(Array("[]".utf8)) == "is not table metadata: expected an object, found an array")
    #expect(reason(Array("{}".utf8)) == "is missing `format-version`")
    let packed = try Gzip.compress(Self.document { _ in })
    #expect(reason(packed) == "is gzip data under a plain name")
    #expect(reason(packed, "a.gz.metadata.json") == nil)
    #expect(reason(Self.document { _ in }, "a.gz.metadata.json") == "is not gzip data, but has a gzip name")
    #expect(reason(Array(packed.dropLast()), "a.gz.metadata.json") == "cannot be decompressed: the gzip data ends too early")
    #expect(reason(Self.document { _ in }, "s3://lake/a.json") == "is not a valid metadata file: its name does not hold .metadata.json")
  }

  @Test(
    "Each member is needed and of its type",
    arguments: [
      ("format-version", nil, "is missing `format-version`"),
      ("format-version", "2", "has a wrong `format-version`: expected a 64-bit integer, found a string"),
      ("format-version", .number("2.0"), "has a wrong `format-version`: expected a 64-bit integer, found 2.0"),
      ("format-version", 0, "has format version 0; versions 1 to 3 are supported"),
      ("format-version", 4, "has format version 4; versions 1 to 3 are supported"),
      ("table-uuid", nil, "is missing `table-uuid`"),
      ("table-uuid", .null, "has a wrong `table-uuid`: expected a string, found null"),
      ("table-uuid", 1, "has a wrong `table-uuid`: expected a string, found 1"),
      ("location", nil, "is missing `location`"),
      ("location", [], "has a wrong `location`: expected a string, found an array"),
      ("location", "", "has an empty `location`"),
      ("location", "//", "has an empty `location`"),
      ("last-updated-ms", nil, "is missing `last-updated-ms`"),
      (
        "last-updated-ms", .number("9223372036854775808"),
        "has a wrong `last-updated-ms`: expected a 64-bit integer, found 9223372036854775808"
      ),
      ("current-snapshot-id", "5", "has a wrong `current-snapshot-id`: expected a 64-bit integer, found a string"),
      ("properties", .null, "has a wrong `properties`: expected an object, found null"),
      ("properties", ["a": "b", "c": true], "has a wrong `properties.c`: expected a string, found a boolean"),
      ("metadata-log", [:], "has a wrong `metadata-log`: expected an array, found an object"),
      ("metadata-log", [7], "has a wrong `metadata-log[0]`: expected an object, found 7"),
      ("metadata-log", [["timestamp-ms": 1, "metadata-file": "f"], ["timestamp-ms": 1]], "is missing `metadata-log[1].metadata-file`"),
      (
        "metadata-log", [["timestamp-ms": .number("1.5"), "metadata-file": "f"]],
        "has a wrong `metadata-log[0].timestamp-ms`: expected a 64-bit integer, found 1.5"
      ),
      ("refs", [], "has a wrong `refs`: expected an object, found an array"),
      ("refs", ["main": 1], "has a wrong `refs.main`: expected an object, found 1"),
      ("refs", ["main": ["snapshot-id": 1]], "is missing `refs.main.type`"),
      ("refs", ["main": ["type": "branch"]], "is missing `refs.main.snapshot-id`"),
      ("refs", ["main": ["snapshot-id": 1, "type": "twig"]], "has a wrong `refs.main.type`: expected branch or tag"),
    ] as [(String, JSONValue?, String)])
  func faults(name: String, value: JSONValue?, reason: String) {
    #expect(self.reason(Self.document { $0[name] = value }) == reason)
  }

  @Test("Members that this reader does not ask for may be anything")
  func unknown() throws {
    let head = try head { members in
      members["schemas"] = "none"
      members["snapshots"] = 7
      members["last-sequence-number"] = .null
    }
    #expect(head.formatVersion == 2)
  }

  @Test("The uuid may be absent or null in version 1 only")
  func uuid() throws {
    for value: JSONValue? in [nil, .null] {
      let head = try head { members in
        members["format-version"] = 1
        members["table-uuid"] = value
      }
      #expect(head.tableUUID == nil)
    }
  }

  @Test("No current snapshot may be written as absent, null or -1, and 0 is a snapshot id")
  func currentSnapshot() throws {
    #expect(try head { $0["current-snapshot-id"] = .null }.currentSnapshotID == nil)
    #expect(try head { $0["current-snapshot-id"] = -1 }.currentSnapshotID == nil)
    #expect(try head { $0["current-snapshot-id"] = 0 }.currentSnapshotID == 0)
  }

  @Test("A set current snapshot implies main where refs are absent or empty, and no other")
  func impliedMain() throws {
    let main = ["main": TableMetadataHead.Reference(snapshotID: 5, kind: .branch)]
    #expect(try head { $0["current-snapshot-id"] = 5 }.refs == main)
    let empty = try head { members in
      members["current-snapshot-id"] = 5
      members["refs"] = [:]
    }
    #expect(empty.refs == main)
    #expect(try head { $0["refs"] = ["t": ["snapshot-id": 1, "type": "tag"]] }.refs == ["t": .init(snapshotID: 1, kind: .tag)])
  }

  @Test(
    "Trailing slashes go, but not those of the scheme",
    arguments: [("s3://lake/t//", "s3://lake/t"), ("s3://", "s3://"), ("s3:////", "s3://"), ("s3://lake/t/\u{301}", "s3://lake/t/\u{301}")])
  func slashes(written: String, read: String) throws {
    #expect(try head { $0["location"] = .string(written) }.location == read)
  }

  @Test("Data lie where the effective property says")
  func dataLocation() throws {
    func location(_ properties: JSONMembers) throws -> String { try head { $0["properties"] = .object(properties) }.dataLocation }
    let object = "write.object-storage.path"
    let folder = "write.folder-storage.path"
    let enabled = "write.object-storage.enabled"
    #expect(try location([:]) == "s3://lake/t/data")
    #expect(try location(["write.data.path": "s3://d/x/", object: "s3://o", folder: "s3://f", enabled: "true"]) == "s3://d/x")
    #expect(try location([object: "s3://o/", folder: "s3://f/", enabled: "True"]) == "s3://o")
    #expect(try location([object: "s3://o/", folder: "s3://f/", enabled: "false"]) == "s3://f")
    #expect(try location([object: "s3://o/"]) == "s3://lake/t/data")
    #expect(try location([folder: "s3://f/", enabled: "true"]) == "s3://f")
    #expect(try location(["write.data.path": ""]) == "s3://lake/t/data")
  }

  @Test("Metadata lie where the property says")
  func metadataLocation() throws {
    func location(_ properties: JSONMembers) throws -> String { try head { $0["properties"] = .object(properties) }.metadataLocation }
    #expect(try location([:]) == "s3://lake/t/metadata")
    #expect(try location(["write.metadata.path": "s3://m/x//"]) == "s3://m/x")
    #expect(try location(["write.metadata.path": ""]) == "s3://lake/t/metadata")
  }
}
