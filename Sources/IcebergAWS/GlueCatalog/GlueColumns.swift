// SPDX-License-Identifier: Apache-2.0

import AWSServices
package import Iceberg

/// Columns of a table as Glue shows them (Java's `IcebergToGlueConverter`). Source: spec/glue.md §10.
package enum GlueColumns {
  /// Limits of the service. Java sends what is over them and fails; here display data never keeps a commit from being made.
  private static let nameLimit = 255
  private static let commentLimit = 255
  private static let typeLimit = 131_072

  /// - Parameter comments: of the columns that the entry has now, by name: kept where the schema has no doc.
  static func columns(of document: TableDocument, comments: [String: String]) -> [GlueColumn] {
    document.columns.compactMap { column in
      let type = type(column.type)
      guard column.name.utf16.count <= nameLimit, type.utf16.count <= typeLimit else { return nil }
      let doc = column.doc.flatMap { $0.isEmpty ? nil : $0 } ?? comments[column.name]
      return GlueColumn(
        name: column.name, type: type, comment: doc.map { shortened($0, to: commentLimit) },
        parameters: [
          "iceberg.field.id": "\(column.id)", "iceberg.field.optional": "\(column.isOptional)",
          "iceberg.field.current": "\(column.isCurrent)",
        ])
    }
  }

  /// Glue's name of an Iceberg type.
  package static func type(_ type: ColumnType) -> String {
    switch type {
    case .primitive(let name): primitive(name)
    case .structure(let fields): "struct<\(fields.map { "\($0.name):\(self.type($0.type))" }.joined(separator: ","))>"
    case .list(let element): "array<\(self.type(element))>"
    case .map(let key, let value): "map<\(self.type(key)),\(self.type(value))>"
    }
  }

  /// The first characters of a text that fit a number of UTF-16 units.
  static func shortened(_ text: String, to limit: Int) -> String {
    var rest = limit
    return String(
      text.prefix { character in
        rest -= character.utf16.count
        return rest >= 0
      })
  }

  private static func primitive(_ name: String) -> String {
    let compact = name.filter { $0 != " " }.lowercased()
    let base = compact.prefix { $0 != "(" && $0 != "[" }
    return switch base {
    case "long": "bigint"
    case "time", "uuid": "string"
    case "timestamptz": "timestamp"
    case "fixed": "binary"
    case "decimal": compact
    case "timestamp_ns", "timestamptz_ns": "timestamp_nano"
    // Among them boolean, int, float, double, date, string, timestamp, binary, variant, unknown, geometry, geography.
    default: String(base)
    }
  }
}
