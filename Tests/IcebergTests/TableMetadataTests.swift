// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

@testable import Iceberg

/// The whole document as read.
@Suite struct TableMetadataTests {
  @Test("Every member of a PyIceberg table is read")
  func members() throws {
    let history = try CommitHistory("history_v2")
    let last = try history.base(history.metadata.count - 1).metadata
    #expect(last.snapshots.count == 9)
    #expect(last.lastSequenceNumber == 10)
    #expect(last.references.map(\.name).sorted() == ["first", "main"])
    #expect(last.schemas.count == 4)
    #expect(last.partitionSpecs.map(\.id) == [0, 1, 2, 3])
    #expect(last.defaultSpec?.fields.map(\.name) == ["at_day"])
    #expect(last.sortOrders.map(\.id) == [0, 1])
    #expect(last.statistics.map(\.snapshotID) == [7_566_574_220_543_247_775])
    #expect(last.currentSchema?.places.map(\.name).contains("place.street") == true)
    #expect(last.nextRowID == nil)
  }

  @Test("Fixtures of all versions are read whole")
  func fixtures() throws {
    for name in ["pyiceberg-v1-created", "pyiceberg-v1", "pyiceberg-v2-created", "pyiceberg-v2", "pyiceberg-v2.gz", "handwritten-v3"] {
      let file = "s3://lake/\(name).metadata.json"
      let metadata = try TableMetadata(parsing: try Fixture.bytes("\(name).metadata.json"), fileName: file)
      #expect(metadata.currentSchema != nil)
      #expect(metadata.defaultSpec != nil)
    }
  }

  static let faulty: [(String, JSONValue?, String, Int?)] = [
    ("last-column-id", nil, "last-column-id", nil),
    ("last-column-id", 2_147_483_648, "last-column-id", nil),
    ("current-schema-id", 7, "current-schema-id", 2),
    ("schemas", [], "schemas", 1),
    ("partition-specs", [], "partition-specs", 1),
    ("default-spec-id", 9, "default-spec-id", 8),
    ("default-sort-order-id", 9, "default-sort-order-id", 8),
    ("snapshots[1].snapshot-id", .integer(CommitDocument.first), "snapshots", 2),
    ("snapshots[1].sequence-number", 3, "snapshots[1].sequence-number", 2),
    ("snapshots[1].parent-snapshot-id", .null, "snapshots[1].parent-snapshot-id", nil),
    ("snapshots[1].summary.operation", 1, "snapshots[1].summary.operation", nil),
    ("refs.old.snapshot-id", 1, "refs.old.snapshot-id", 3),
    ("refs.old.min-snapshots-to-keep", 1, "refs.old", nil),
    ("refs.main.max-ref-age-ms", 0, "refs.main.max-ref-age-ms", nil),
    ("current-snapshot-id", 1, "current-snapshot-id", 4),
    ("snapshot-log[1].timestamp-ms", 1_800_000_040_000, "snapshot-log[1].timestamp-ms", 6),
    ("last-updated-ms", 1_800_000_040_001, "last-updated-ms", 6),
    ("metadata-log[1]", ["timestamp-ms": 1, "metadata-file": "f"], "metadata-log[1].timestamp-ms", 7),
    ("partition-specs[1].fields[0].source-id", 77, "partition-specs", 8),
    ("partition-specs[1].fields[0].source-id", 3, "partition-specs", 8),
    ("partition-specs[1].fields[0].transform", "day", "partition-specs", 8),
    ("partition-specs[1].fields[0].transform", "bucket[0]", "partition-specs[1].fields[0].transform", nil),
    ("schemas[0].fields[1].id", 1, "schemas[0].fields", 9),
    ("schemas[0].fields[1].name", "id", "schemas[0].fields", 9),
    ("schemas[0].fields[1].type", "variant", "schemas[0].fields[1].type", nil),
    ("schemas[0].fields[1].type", "decimal(39, 1)", "schemas[0].fields[1].type", nil),
    ("schemas[0].fields[1].initial-default", 1, "schemas[0].fields[1].initial-default", nil),
    ("schemas[0].identifier-field-ids", [2], "schemas[0].identifier-field-ids", nil),
    ("sort-orders[0].order-id", 1, "sort-orders[0].order-id", nil),
    ("last-partition-id", 999, "last-partition-id", 8),
    (
      "partition-statistics",
      [
        ["snapshot-id": 1, "statistics-path": "s", "file-size-in-bytes": 1],
        ["snapshot-id": 1, "statistics-path": "t", "file-size-in-bytes": 1],
      ], "partition-statistics", 2
    ),
  ]

  @Test("A fault is reported with its path and the check it fails", arguments: faulty)
  func faults(path: String, value: JSONValue?, place: String, check: Int?) {
    var document = CommitDocument.base()
    document.set(path, value)
    let error = #expect(throws: TableMetadataError.self) {
      _ = try TableMetadata(parsing: document.serialized(), fileName: CommitDocument.baseLocation)
    }
    #expect(error?.path == place, "\(error?.message ?? "")")
    #expect(error?.documentCheck == check, "\(error?.message ?? "")")
  }

  @Test("A clock 59 s behind is tolerated in logs, 61 s is not")
  func tolerance() throws {
    var document = CommitDocument.base()
    document.set("snapshot-log[1].timestamp-ms", 1_800_000_041_001)
    _ = try TableMetadata(parsing: document.serialized(), fileName: CommitDocument.baseLocation)
    document.set("snapshot-log[1].timestamp-ms", 1_800_000_039_001)
    #expect(throws: TableMetadataError.self) {
      _ = try TableMetadata(parsing: document.serialized(), fileName: CommitDocument.baseLocation)
    }
  }
}
