// SPDX-License-Identifier: Apache-2.0

/// An Iceberg table the catalogs know of; everything about it follows from its name and location.
package struct CatalogTable: Sendable {
  package let namespace: String
  package let name: String
  /// `s3://bucket/prefix`, no trailing slash.
  package let location: String
  package let uuid: String

  package init(namespace: String, name: String, location: String) {
    self.namespace = namespace
    self.name = name
    self.location = location
    uuid = CatalogTable.uuid("\(namespace).\(name)")
  }

  package var metadataLocation: String { "\(location)/metadata/00000-\(uuid).metadata.json" }

  /// A v2 table metadata document: one column, no snapshot.
  package func metadata(updated: Int) -> JSONValue {
    let field: JSONValue = .object(["id": .integer(1), "name": .string("id"), "required": .bool(false), "type": .string("long")])
    return .object([
      "format-version": .integer(2), "table-uuid": .string(uuid), "location": .string(location), "last-sequence-number": .integer(0),
      "last-updated-ms": .integer(updated * 1000), "last-column-id": .integer(1), "current-schema-id": .integer(0),
      "schemas": .array([.object(["type": .string("struct"), "schema-id": .integer(0), "fields": .array([field])])]),
      "default-spec-id": .integer(0), "partition-specs": .array([.object(["spec-id": .integer(0), "fields": .array([])])]),
      "last-partition-id": .integer(999), "default-sort-order-id": .integer(0),
      "sort-orders": .array([.object(["order-id": .integer(0), "fields": .array([])])]), "properties": .object([:]),
      "current-snapshot-id": .integer(-1), "refs": .object([:]), "snapshots": .array([]), "statistics": .array([]),
      "partition-statistics": .array([]), "snapshot-log": .array([]), "metadata-log": .array([]),
    ])
  }

  /// Splits `s3://bucket/key`; nil for anything else.
  package static func split(_ uri: String) -> (bucket: String, key: String)? {
    guard uri.hasPrefix("s3://") else { return nil }
    let parts = uri.dropFirst(5).split(separator: "/", maxSplits: 1)
    return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
  }

  /// A version 4 UUID that is the same for the same text in every run.
  private static func uuid(_ text: String) -> String {
    let high = text.utf8.reduce(0xcbf2_9ce4_8422_2325) { SyntheticContent.mix($0 ^ UInt64($1)) }
    let words = [high & ~0xf000 | 0x4000, SyntheticContent.mix(high) & ~(0xc000 << 48) | (0x8000 << 48)]
    let digits = words.map { word in String(repeating: "0", count: 16 - String(word, radix: 16).count) + String(word, radix: 16) }
    return
      "\(digits[0].prefix(8))-\(digits[0].dropFirst(8).prefix(4))-\(digits[0].suffix(4))-\(digits[1].prefix(4))-\(digits[1].suffix(12))"
  }
}

/// The namespaces and tables that the Glue and DynamoDB answers are made from.
package struct CatalogFixture: Sendable {
  /// Tables by namespace, each list in name order.
  package private(set) var tables: [String: [CatalogTable]] = [:]
  /// Seconds since 1970 that every entry carries as its time of creation and change.
  package let born: Int

  package init(tables: [CatalogTable], born: Int) {
    self.born = born
    for table in tables { self.tables[table.namespace, default: []].append(table) }
    for namespace in self.tables.keys { self.tables[namespace]?.sort { $0.name < $1.name } }
  }

  package var namespaces: [String] { tables.keys.sorted() }

  /// The table of these names, or nil.
  package func table(_ namespace: String, _ name: String) -> CatalogTable? {
    tables[namespace]?.first { $0.name == name }
  }
}
