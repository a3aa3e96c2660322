// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// A schema of a table. Equality is that of meaning: unknown members and white space do not count.
package struct TableSchema: Sendable, Hashable {
  package var id: Int
  package var fields: [SchemaField]
  package var identifierFieldIDs: [Int]

  /// Identifier fields are a set.
  package static func == (left: TableSchema, right: TableSchema) -> Bool {
    left.id == right.id && left.fields == right.fields && Set(left.identifierFieldIDs) == Set(right.identifierFieldIDs)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(fields)
  }

  /// Every field, list element, map key and map value, parents first.
  package var places: [SchemaPlace] {
    var places: [SchemaPlace] = []
    for field in fields { SchemaPlace.collect(field, parent: nil, name: "", into: &places) }
    return places
  }
}

/// A named field of a schema or of a struct in it.
package struct SchemaField: Sendable, Hashable {
  package var id: Int
  package var name: String
  package var isRequired: Bool
  package var type: IcebergType
  package var doc: String?
  /// Null counts as none.
  package var initialDefault: JSONValue?
  package var writeDefault: JSONValue?
}
