// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// What catalogs show of a table's metadata: never the truth, which is the metadata file alone.
///
/// Read without any check: what is missing or odd is left out, since display data must not keep a commit from being made.
package struct TableDocument: Sendable, Hashable {
  /// Without trailing slashes; empty if the metadata has none.
  package var location: String
  package var properties: [String: String]
  /// Top-level columns of the current schema in order, then those of other schemas whose names were not yet there. Source: spec/glue.md §10.
  package var columns: [TableColumn]

  package init(location: String, properties: [String: String] = [:], columns: [TableColumn] = []) {
    self.location = location
    self.properties = properties
    self.columns = columns
  }

  /// - Parameter metadata: root of a metadata file's JSON.
  package init(_ metadata: JSONNode) {
    location = TableMetadataHead.strippingTrailingSlashes(metadata["location"]?.string ?? "")
    properties = [:]
    if let object = metadata["properties"] {
      for (key, value) in object.members { properties[key] = value.string }
    }
    let schemas = metadata["schemas"].map { Array($0.elements) } ?? []
    let currentID = metadata["current-schema-id"]?.int64
    let current = schemas.first { $0["schema-id"]?.int64 == currentID } ?? metadata["schema"] ?? schemas.last
    columns = []
    var names = Set<[UInt8]>()
    func add(_ schema: JSONNode, isCurrent: Bool) {
      guard let fields = schema["fields"] else { return }
      for field in fields.elements {
        guard let column = TableColumn(field, isCurrent: isCurrent), names.insert(Array(column.name.utf8)).inserted else { continue }
        columns.append(column)
      }
    }
    if let current { add(current, isCurrent: true) }
    for schema in schemas { add(schema, isCurrent: false) }
  }
}

/// A top-level column.
package struct TableColumn: Sendable, Hashable {
  package var id: Int64
  package var name: String
  package var isOptional: Bool
  /// Whether it is one of the current schema's.
  package var isCurrent: Bool
  package var type: ColumnType
  package var doc: String?

  package init(id: Int64, name: String, isOptional: Bool, isCurrent: Bool, type: ColumnType, doc: String? = nil) {
    self.id = id
    self.name = name
    self.isOptional = isOptional
    self.isCurrent = isCurrent
    self.type = type
    self.doc = doc
  }

  init?(_ field: JSONNode, isCurrent: Bool) {
    guard let id = field["id"]?.int64, let name = field["name"]?.string, let type = field["type"].flatMap(ColumnType.init) else {
      return nil
    }
    self.init(
      id: id, name: name, isOptional: field["required"]?.bool != true, isCurrent: isCurrent, type: type, doc: field["doc"]?.string)
  }
}

/// An Iceberg type as its JSON spells it.
package indirect enum ColumnType: Sendable, Hashable {
  /// `long`, `decimal(9,2)`, `fixed[16]`, …
  case primitive(String)
  case structure([Field])
  case list(ColumnType)
  case map(key: ColumnType, value: ColumnType)

  package struct Field: Sendable, Hashable {
    package var name: String
    package var type: ColumnType

    package init(name: String, type: ColumnType) {
      self.name = name
      self.type = type
    }
  }

  init?(_ node: JSONNode) {
    if let name = node.string {
      self = .primitive(name)
      return
    }
    switch node["type"]?.string {
    case "struct":
      var fields: [Field] = []
      guard let list = node["fields"] else { return nil }
      for field in list.elements {
        guard let name = field["name"]?.string, let type = field["type"].flatMap(ColumnType.init) else { return nil }
        fields.append(Field(name: name, type: type))
      }
      self = .structure(fields)
    case "list":
      guard let element = node["element"].flatMap(ColumnType.init) else { return nil }
      self = .list(element)
    case "map":
      guard let key = node["key"].flatMap(ColumnType.init), let value = node["value"].flatMap(ColumnType.init) else { return nil }
      self = .map(key: key, value: value)
    default: return nil
    }
  }
}
