// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

@testable import Iceberg

/// Each row of the check list: documents it refuses, and what it accepts. Rows 11 and 12 stand in CommitManifestTests.
@Suite struct CommitRowTests {
  /// One change of a document, at a path.
  typealias Change = (path: String, value: JSONValue?)

  struct Case: Sendable, CustomStringConvertible {
    var row: SuccessorRow
    var version: Int64 = 2
    var isAppend = false
    var isConflict = false
    var changes: [Change]
    var path: String
    var description: String { "row \(row.rawValue): \(path) v\(version) \(changes.map(\.path))" }
  }

  private static let first = CommitDocument.first
  private static let second = CommitDocument.second
  private static let third = CommitDocument.third

  static let refused: [Case] = [
    Case(row: .document, changes: [("snapshot-log[1].timestamp-ms", 1)], path: "snapshot-log[1].timestamp-ms"),
    Case(row: .document, changes: [("schemas[0].fields[0].type", "number")], path: "schemas[0].fields[0].type"),
    Case(row: .document, changes: [("last-sequence-number", 1)], path: "snapshots[1].sequence-number"),
    Case(row: .document, changes: [("properties", ["write.metadata.compression-codec": "lz4"])], path: ""),
    Case(row: .uuid, changes: [("table-uuid", "8c12d441-03fe-4693-9a96-a0705ddf69c1")], path: "table-uuid"),
    Case(row: .formatVersion, version: 3, changes: [("format-version", 2), ("next-row-id", nil)], path: "format-version"),
    Case(row: .baseBinding, isConflict: true, changes: [("metadata-log[1]", nil)], path: "metadata-log[0].metadata-file"),
    Case(row: .baseBinding, isConflict: true, changes: [("metadata-log", [])], path: "metadata-log[0].metadata-file"),
    Case(
      row: .baseBinding, isConflict: true, changes: [("metadata-log[1].metadata-file", "s3://lake/t/metadata/00001-other.metadata.json")],
      path: "metadata-log[1].metadata-file"),
    Case(row: .metadataLog, changes: [("metadata-log[0].metadata-file", "s3://lake/x")], path: "metadata-log"),
    Case(
      row: .metadataLog, changes: [("metadata-log[0]", nil), ("properties", ["write.metadata.delete-after-commit.enabled": "true"])],
      path: "metadata-log"),
    Case(
      row: .lastUpdated, changes: [("last-updated-ms", 1_800_000_139_999), ("metadata-log[1].timestamp-ms", 1_800_000_100_000)],
      path: "last-updated-ms"),
    Case(
      row: .lastSequenceNumber, changes: [("last-sequence-number", 1), ("snapshots[1].sequence-number", 1)], path: "last-sequence-number"),
    Case(row: .keptSnapshots, changes: [("snapshots[0].timestamp-ms", 5)], path: "snapshots[0].timestamp-ms"),
    Case(row: .keptSnapshots, changes: [("snapshots[0].summary.operation", "delete")], path: "snapshots[0].summary.operation"),
    Case(row: .keptSnapshots, changes: [("snapshots[1].parent-snapshot-id", nil)], path: "snapshots[1].parent-snapshot-id"),
    Case(row: .keptSnapshots, changes: [("snapshots[1].manifest-list", "s3://lake/x.avro")], path: "snapshots[1].manifest-list"),
    Case(row: .keptSnapshots, changes: [("snapshots[1].new", 1)], path: "snapshots[1].new"),
    Case(row: .newSnapshots, isAppend: true, changes: [("snapshots[2].sequence-number", 2)], path: "snapshots[2].sequence-number"),
    Case(row: .newSnapshots, isAppend: true, changes: [("last-sequence-number", 4)], path: "last-sequence-number"),
    Case(row: .newSnapshots, isAppend: true, changes: [("snapshots[2].manifest-list", nil)], path: "snapshots[2].manifest-list"),
    Case(row: .newSnapshots, isAppend: true, changes: [("snapshots[2].summary", [:])], path: "snapshots[2].summary.operation"),
    Case(row: .newSnapshots, isAppend: true, changes: [("snapshots[2].summary.operation", "add")], path: "snapshots[2].summary.operation"),
    Case(row: .newSnapshots, isAppend: true, changes: [("snapshots[2].parent-snapshot-id", 4)], path: "snapshots[2].parent-snapshot-id"),
    Case(row: .sequenceWithoutSnapshot, changes: [("last-sequence-number", 3)], path: "last-sequence-number"),
    Case(
      row: .removedSnapshots,
      changes: [
        ("snapshots[0]", nil), ("refs.old", nil), ("snapshot-log[0]", nil),
        ("partition-statistics", [["snapshot-id": .integer(first), "statistics-path": "s3://lake/p", "file-size-in-bytes": 1]]),
      ], path: "partition-statistics[0]"),
    Case(row: .removedSnapshots, changes: [("snapshots[0]", nil)], path: "refs.old.snapshot-id"),
    Case(row: .references, changes: [("refs.old.snapshot-id", 99)], path: "refs.old.snapshot-id"),
    Case(row: .references, changes: [("refs.main.type", "tag")], path: "refs.main.type"),
    Case(row: .currentSnapshot, changes: [("current-snapshot-id", .integer(first))], path: "current-snapshot-id"),
    Case(row: .currentSnapshot, changes: [("current-snapshot-id", -1)], path: "current-snapshot-id"),
    Case(row: .snapshotLog, isAppend: true, changes: [("snapshot-log[2]", nil)], path: "snapshot-log[1].snapshot-id"),
    Case(row: .snapshotLog, isAppend: true, changes: [("snapshot-log", [])], path: "snapshot-log"),
    Case(row: .schemas, changes: [("schemas[0].fields[1].name", "cost")], path: "schemas[0]"),
    Case(row: .schemas, changes: [("schemas[1]", schema(2, "int", nil))], path: "schemas[1].schema-id"),
    Case(row: .lastColumn, changes: [("last-column-id", 4)], path: "last-column-id"),
    Case(row: .schemaEvolution, changes: evolved("string", nil), path: "schemas[1].fields(id)"),
    Case(row: .schemaEvolution, changes: evolved("long", column(5, "new", false)), path: "schemas[1].fields(new)"),
    Case(row: .schemaEvolution, changes: evolved("long", column(6, "new", true)), path: "schemas[1].fields(new)"),
    Case(row: .schemaEvolution, version: 3, changes: evolved("long", column(6, "new", true)), path: "schemas[1].fields(new)"),
    Case(row: .schemaEvolution, changes: evolved("int", column(2, "price", true, "decimal(9, 2)")), path: "schemas[1].fields(price)"),
    Case(row: .schemaEvolution, changes: evolved("int", column(2, "price", false, "decimal(8, 2)")), path: "schemas[1].fields(price)"),
    Case(row: .schemaEvolution, changes: evolved("int", column(3, "place", false, "string")), path: "schemas[1].fields(place)"),
    Case(row: .schemaEvolution, changes: evolved("int", column(4, "city", false, "string")), path: "schemas[1].fields(city)"),
    Case(row: .partitionSpecs, changes: [("partition-specs[1].fields[0].transform", "bucket[8]")], path: "partition-specs[1]"),
    Case(
      row: .partitionSpecs, changes: [("partition-specs[2]", spec(3, 1001, "day", 5)), ("last-partition-id", 1001)],
      path: "partition-specs[2].spec-id"),
    Case(
      row: .partitionSpecs, changes: [("partition-specs[2]", spec(2, 1000, "day", 5))], path: "partition-specs[2].fields[0].field-id"),
    Case(
      row: .partitionSpecs, changes: [("partition-specs[2]", spec(2, 1001, "bucket[4]", 1)), ("last-partition-id", 1001)],
      path: "partition-specs[2].fields[0].field-id"),
    Case(
      row: .partitionSpecs,
      changes: [("partition-specs[2]", spec(2, 1001, "zorder", 5)), ("last-partition-id", 1001), ("default-spec-id", 2)],
      path: "default-spec-id"),
    Case(
      row: .partitionSpecs, version: 1, changes: [("partition-specs[2]", spec(2, 1001, "day", 5)), ("last-partition-id", 1001)],
      path: "partition-specs[2].fields[0].field-id"),
    Case(row: .sortOrders, changes: [("sort-orders[1]", order(2))], path: "sort-orders[1].order-id"),
    Case(row: .reservedProperties, changes: [("properties.format-version", "2")], path: "properties.format-version"),
    Case(row: .rowIDs, version: 3, changes: [("next-row-id", 21)], path: "next-row-id"),
    Case(row: .rowIDs, version: 3, isAppend: true, changes: [("snapshots[2].first-row-id", 19)], path: "snapshots[2].first-row-id"),
    Case(row: .rowIDs, version: 3, isAppend: true, changes: [("next-row-id", 31)], path: "next-row-id"),
    Case(
      row: .rowIDs, version: 3, isAppend: true, changes: [("snapshots[2].first-row-id", nil), ("snapshots[2].added-rows", nil)],
      path: "snapshots[2].first-row-id"),
  ]

  static let accepted: [Case] = [
    Case(row: .document, changes: [], path: "nothing else"),
    Case(row: .uuid, changes: [("table-uuid", "9C12D441-03FE-4693-9A96-A0705DDF69C1")], path: "upper case"),
    Case(row: .formatVersion, changes: [("format-version", 3), ("next-row-id", 0)], path: "upgrade"),
    Case(row: .baseBinding, version: 1, changes: [], path: "version 1"),
    Case(row: .metadataLog, changes: [("metadata-log[0]", nil)], path: "oldest removed"),
    Case(row: .lastUpdated, changes: [("last-updated-ms", 1_800_000_140_000)], path: "a minute back"),
    Case(row: .lastSequenceNumber, isAppend: true, changes: [], path: "append"),
    Case(
      row: .keptSnapshots,
      changes: [
        (
          "snapshots[0]",
          [
            "sequence-number": 1, "manifest-list": .string("s3://lake/t/metadata/snap-\(first).avro"), "schema-id": 0,
            "summary": ["operation": "append"], "timestamp-ms": 1_800_000_100_001, "snapshot-id": .integer(first),
          ]
        )
      ], path: "other order of members"),
    Case(row: .newSnapshots, version: 1, isAppend: true, changes: [], path: "append v1"),
    Case(row: .sequenceWithoutSnapshot, version: 3, changes: [], path: "no snapshot"),
    Case(row: .removedSnapshots, changes: [("snapshots[0]", nil), ("refs.old", nil), ("snapshot-log[0]", nil)], path: "expired"),
    Case(row: .references, changes: [("refs.kept", ["snapshot-id": .integer(first), "type": "branch"])], path: "new branch"),
    Case(
      row: .currentSnapshot,
      changes: [
        ("current-snapshot-id", .integer(first)), ("refs.main.snapshot-id", .integer(first)),
        ("snapshot-log[2]", ["timestamp-ms": 1_800_000_250_000, "snapshot-id": .integer(first)]),
      ], path: "rollback"),
    Case(row: .snapshotLog, isAppend: true, changes: [], path: "appended"),
    Case(row: .schemas, changes: [("schemas[1]", schema(1, "int", nil))], path: "new schema"),
    Case(row: .lastColumn, changes: [("last-column-id", 9)], path: "higher"),
    Case(row: .schemaEvolution, changes: evolved("long", column(6, "new", false)), path: "promotion and column"),
    Case(
      row: .schemaEvolution, version: 3, changes: evolved("int", column(6, "new", true, default: 4)), path: "required with default"),
    Case(row: .schemaEvolution, changes: evolved("int", column(2, "cost", false, "decimal(12, 2)")), path: "wider decimal, renamed"),
    Case(row: .schemaEvolution, version: 3, changes: evolved("int", column(5, "day", false, "timestamp")), path: "date to timestamp"),
    Case(
      row: .partitionSpecs,
      changes: [("partition-specs[2]", spec(2, 1001, "day", 5)), ("last-partition-id", 1001), ("default-spec-id", 2)],
      path: "new spec"),
    Case(
      row: .partitionSpecs, version: 1, changes: [("partition-specs[2]", spec(2, 1000, "void", 1)), ("default-spec-id", 2)],
      path: "void in version 1"),
    Case(row: .sortOrders, changes: [("sort-orders[1]", order(1)), ("default-sort-order-id", 1)], path: "first sorted order"),
    Case(row: .reservedProperties, changes: [("properties.formatversion", "2")], path: "another property"),
    Case(row: .rowIDs, version: 3, isAppend: true, changes: [], path: "append v3"),
  ]

  @Test("A document is refused by the row that says what is wrong, with its path", arguments: refused)
  func refusals(test: Case) throws {
    var document = test.isAppend ? CommitDocument.appended(test.version) : CommitDocument.next(test.version)
    for change in test.changes { document.set(change.path, change.value) }
    let refusal = #expect(throws: SuccessorRefusal.self) {
      _ = try CommitDocument.check(document, base: CommitDocument.base(test.version))
    }
    #expect(refusal?.row == test.row, "\(refusal?.message ?? "")")
    #expect(refusal?.kind == (test.isConflict ? .conflict : .invalid))
    if !test.path.isEmpty { #expect(refusal?.path == test.path, "\(refusal?.message ?? "")") }
    #expect(refusal?.message.contains("expected") == true && refusal?.message.contains("found") == true)
  }

  @Test("A legal document is accepted without a warning of its row", arguments: accepted)
  func acceptances(test: Case) throws {
    var document = test.isAppend ? CommitDocument.appended(test.version) : CommitDocument.next(test.version)
    for change in test.changes { document.set(change.path, change.value) }
    let warnings = try CommitDocument.check(document, base: CommitDocument.base(test.version)).warnings
    #expect(!warnings.contains { $0.row == test.row }, "\(warnings)")
  }

  static let warned: [Case] = [
    Case(row: .metadataLog, changes: [("metadata-log[1].timestamp-ms", 1_800_000_200_001)], path: "metadata-log[1].timestamp-ms"),
    Case(row: .lastUpdated, changes: [("last-updated-ms", 1_800_000_360_001)], path: "last-updated-ms"),
    Case(row: .references, isAppend: true, changes: [("snapshots[2].parent-snapshot-id", nil)], path: "refs.main.snapshot-id"),
    Case(
      row: .snapshotLog, isAppend: true, changes: [("snapshot-log[2].timestamp-ms", 1_800_000_240_000)],
      path: "snapshot-log[2].timestamp-ms"),
    Case(
      row: .deleteFiles, version: 3, isAppend: true, changes: [("snapshots[2].summary.added-position-delete-files", "1")],
      path: "snapshots[2].summary.added-position-delete-files"),
    Case(row: .deleteFiles, isAppend: true, changes: [("snapshots[2].summary.added-dvs", "1")], path: "snapshots[2].summary.added-dvs"),
    Case(
      row: .location, changes: [("location", "s3://lake/u"), ("properties", ["write.metadata.path": "s3://lake/t/metadata"])],
      path: "location"),
    Case(
      row: .location, changes: [("properties", ["write.metadata.path": "s3://lake/m"])], path: "properties.write.metadata.path"),
    Case(
      row: .statistics,
      changes: [("partition-statistics", [["snapshot-id": 5, "statistics-path": "s3://lake/p", "file-size-in-bytes": 1]])],
      path: "partition-statistics[0].snapshot-id"),
    Case(row: .encryptionKeys, version: 3, isAppend: true, changes: [("snapshots[2].key-id", "k")], path: "snapshots[2].key-id"),
  ]

  @Test("What is unusual but legal is accepted with a warning of its row", arguments: warned)
  func warnings(test: Case) throws {
    var document = test.isAppend ? CommitDocument.appended(test.version) : CommitDocument.next(test.version)
    for change in test.changes { document.set(change.path, change.value) }
    let warnings = try CommitDocument.check(document, base: CommitDocument.base(test.version)).warnings
    #expect(warnings.contains { $0.row == test.row && $0.path == test.path }, "\(warnings)")
  }

  @Test("Row 28: the new file keeps the scheme of the current one; row 1: its name is in full form")
  func locations() throws {
    func row(_ location: String) -> SuccessorRow? {
      do throws(SuccessorRefusal) {
        _ = try CommitDocument.check(CommitDocument.next(), base: CommitDocument.base(), location: location)
        return nil
      } catch {
        return error.row
      }
    }
    let name = CommitDocument.nextLocation.dropFirst("s3://".count)
    #expect(row(CommitDocument.nextLocation) == nil)
    #expect(row("s3a://\(name)") == .objectLocation)
    #expect(row("\(name)") == .objectLocation)
    #expect(row("s3://lake/t/metadata/v2.metadata.json") == .document)
    #expect(row("s3://lake/t/metadata/00002.metadata.json") == .document)
    #expect(row(CommitDocument.nextLocation.replacing(".metadata.json", with: ".gz.metadata.json")) == .document)
  }

  @Test("Row C1: a table is created from a document with a uuid and no history, or with a consistent one")
  func create() throws {
    func row(_ changes: [Change]) -> SuccessorRow? {
      var document = CommitDocument.base(2)
      for change in changes { document.set(change.path, change.value) }
      do throws(SuccessorRefusal) {
        _ = try CommitDocument.check(document, base: nil)
        return nil
      } catch {
        return error.row
      }
    }
    let empty: [Change] = [
      ("snapshots", []), ("refs", [:]), ("snapshot-log", []), ("current-snapshot-id", -1), ("metadata-log", []),
    ]
    #expect(row(empty + [("last-sequence-number", 0)]) == nil)
    #expect(row(empty) == .create)
    #expect(row([]) == nil)
    #expect(row(empty + [("last-sequence-number", 0), ("format-version", 1), ("table-uuid", nil)]) == .create)
    #expect(try CommitDocument.check(CommitDocument.base(2), base: nil).warnings.contains { $0.row == .create })
  }

  // MARK: Parts

  static func schema(_ id: Int64, _ idType: JSONValue, _ extra: JSONValue?) -> JSONValue {
    var schema: JSONValue = [
      "type": "struct", "schema-id": .integer(id), "identifier-field-ids": [],
      "fields": [["id": 1, "name": "id", "required": true, "type": idType]],
    ]
    if let extra { schema.set("fields[1]", extra) }
    return schema
  }

  /// A new current schema: `id` of a type, and one more column.
  static func evolved(_ idType: JSONValue, _ extra: JSONValue?) -> [Change] {
    [("schemas[1]", schema(1, idType, extra)), ("current-schema-id", 1), ("last-column-id", 6), ("default-spec-id", 0)]
  }

  static func column(_ id: Int64, _ name: String, _ isRequired: Bool, _ type: JSONValue = "int", default value: JSONValue? = nil)
    -> JSONValue
  {
    var column: JSONValue = ["id": .integer(id), "name": .string(name), "required": .bool(isRequired), "type": type]
    if let value { column.set("initial-default", value) }
    return column
  }

  static func spec(_ id: Int64, _ fieldID: Int64, _ transform: String, _ source: Int64) -> JSONValue {
    [
      "spec-id": .integer(id),
      "fields": [
        [
          "name": transform == "bucket[4]" ? "id_bucket" : "p", "transform": .string(transform), "source-id": .integer(source),
          "field-id": .integer(fieldID),
        ]
      ],
    ]
  }

  static func order(_ id: Int64) -> JSONValue {
    ["order-id": .integer(id), "fields": [["transform": "identity", "source-id": 1, "direction": "asc", "null-order": "nulls-first"]]]
  }
}
