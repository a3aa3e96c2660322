// SPDX-License-Identifier: Apache-2.0

import Iceberg
import WireFormats

/// A small table in any format version and its next file, to be changed member by member.
enum CommitDocument {
  static let baseLocation = "s3://lake/t/metadata/00001-0d0c9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json"
  static let olderLocation = "s3://lake/t/metadata/00000-8d2f9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json"
  static let nextLocation = "s3://lake/t/metadata/00002-6d0b9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json"
  static let nowMs: Int64 = 1_800_000_300_000
  static let first: Int64 = 8_000_000_000_000_000_001
  static let second: Int64 = 7_000_000_000_000_000_003
  static let third: Int64 = 6_000_000_000_000_000_005

  static func base(_ version: Int64 = 2) -> JSONValue {
    var document: JSONValue = [
      "format-version": .integer(version), "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1", "location": "s3://lake/t",
      "last-sequence-number": .integer(version == 1 ? 0 : 2), "last-updated-ms": 1_800_000_200_000, "last-column-id": 5,
      "current-schema-id": 0,
      "schemas": [
        [
          "type": "struct", "schema-id": 0, "identifier-field-ids": [1],
          "fields": [
            ["id": 1, "name": "id", "required": true, "type": "int"],
            ["id": 2, "name": "price", "required": false, "type": "decimal(9, 2)"],
            [
              "id": 3, "name": "place", "required": false,
              "type": ["type": "struct", "fields": [["id": 4, "name": "city", "required": false, "type": "string"]]],
            ],
            ["id": 5, "name": "day", "required": false, "type": "date"],
          ],
        ]
      ],
      "default-spec-id": 1,
      "partition-specs": [
        ["spec-id": 0, "fields": []],
        ["spec-id": 1, "fields": [["name": "id_bucket", "transform": "bucket[4]", "source-id": 1, "field-id": 1000]]],
      ],
      "last-partition-id": 1000, "default-sort-order-id": 0, "sort-orders": [["order-id": 0, "fields": []]],
      "properties": ["owner": "ops"], "current-snapshot-id": .integer(second),
      "refs": ["main": ["snapshot-id": .integer(second), "type": "branch"], "old": ["snapshot-id": .integer(first), "type": "tag"]],
      "snapshots": [snapshot(first, nil, 1, version), snapshot(second, first, 2, version)],
      "statistics": [], "partition-statistics": [],
      "snapshot-log": [
        ["timestamp-ms": 1_800_000_100_001, "snapshot-id": .integer(first)],
        ["timestamp-ms": 1_800_000_100_002, "snapshot-id": .integer(second)],
      ],
      "metadata-log": [["timestamp-ms": 1_800_000_100_000, "metadata-file": .string(olderLocation)]],
      "of-the-future": ["x": .number("1.50")],
    ]
    if version == 3 { document.set("next-row-id", 20) }
    return document
  }

  static func snapshot(_ id: Int64, _ parent: Int64?, _ sequence: Int64, _ version: Int64) -> JSONValue {
    var snapshot: JSONValue = [
      "snapshot-id": .integer(id), "timestamp-ms": .integer(1_800_000_100_000 + sequence), "summary": ["operation": "append"],
      "manifest-list": "s3://lake/t/metadata/snap-\(id).avro", "schema-id": 0,
    ]
    if let parent { snapshot.set("parent-snapshot-id", .integer(parent)) }
    if version > 1 { snapshot.set("sequence-number", .integer(sequence)) }
    if version == 3 {
      snapshot.set("first-row-id", .integer((sequence - 1) * 10))
      snapshot.set("added-rows", 10)
    }
    return snapshot
  }

  /// What a writer makes of the base: the log longer by it, a later time, a property set.
  static func next(_ version: Int64 = 2) -> JSONValue {
    var document = base(version)
    document.set("metadata-log[1]", ["timestamp-ms": 1_800_000_200_000, "metadata-file": .string(baseLocation)])
    document.set("last-updated-ms", 1_800_000_250_000)
    document.set("properties.comment", "x")
    return document
  }

  /// The base with a third snapshot on main.
  static func appended(_ version: Int64 = 2) -> JSONValue {
    var document = next(version)
    var snapshot = snapshot(third, second, 3, version)
    snapshot.set("timestamp-ms", 1_800_000_250_000)
    document.set("snapshots[2]", snapshot)
    document.set("refs.main.snapshot-id", .integer(third))
    document.set("current-snapshot-id", .integer(third))
    document.set("snapshot-log[2]", ["timestamp-ms": 1_800_000_250_000, "snapshot-id": .integer(third)])
    if version > 1 { document.set("last-sequence-number", 3) }
    if version == 3 { document.set("next-row-id", 30) }
    return document
  }

  static func check(
    _ document: JSONValue, base: JSONValue?, location: String = nextLocation
  ) throws(SuccessorRefusal) -> (check: SuccessorCheck, warnings: [SuccessorWarning]) {
    var known: SuccessorCheck.Base?
    if let base {
      do {
        known = .init(
          location: baseLocation, metadata: try TableMetadata(parsing: base.serialized(), fileName: baseLocation))
      } catch {
        throw SuccessorRefusal(row: .document, path: "the base", expected: "", found: error.message)
      }
    }
    let next = try SuccessorCheck.read(document.serialized(), location: location, base: known)
    let check = SuccessorCheck(base: known, next: next, location: location, nowMs: nowMs)
    return (check, try check.check())
  }
}

extension JSONValue {
  /// Sets, appends (at the index after the last) or removes (nil) the value at a path like `snapshots[0].summary.operation`.
  mutating func set(_ path: String, _ value: JSONValue?) {
    let parts = path.split(whereSeparator: { $0 == "." || $0 == "[" }).map { part in
      part.hasSuffix("]") ? part.dropLast() : part
    }
    set(parts[...], value)
  }

  private mutating func set(_ path: ArraySlice<Substring>, _ value: JSONValue?) {
    guard let name = path.first else { return }
    let rest = path.dropFirst()
    switch self {
    case .object(var members):
      if rest.isEmpty {
        members[String(name)] = value
      } else {
        var child = members[String(name)] ?? [:]
        child.set(rest, value)
        members[String(name)] = child
      }
      self = .object(members)
    case .array(var elements):
      guard let index = Int(name) else { return }
      if rest.isEmpty {
        if let value {
          if index < elements.count { elements[index] = value } else { elements.append(value) }
        } else if index < elements.count {
          elements.remove(at: index)
        }
      } else if index < elements.count {
        elements[index].set(rest, value)
      }
      self = .array(elements)
    default: return
    }
  }
}
