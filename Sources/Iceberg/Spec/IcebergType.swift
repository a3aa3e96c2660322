// SPDX-License-Identifier: Apache-2.0

/// The type of a column. Source: spec/table-metadata.md §4.
package indirect enum IcebergType: Sendable, Hashable {
  case primitive(PrimitiveType)
  case structure([SchemaField])
  case list(ListType)
  case map(MapType)

  /// The element of a list.
  package struct ListType: Sendable, Hashable {
    package var elementID: Int
    package var element: IcebergType
    package var isElementRequired: Bool
  }

  /// Key and value of a map.
  package struct MapType: Sendable, Hashable {
    package var keyID: Int
    package var key: IcebergType
    package var valueID: Int
    package var value: IcebergType
    package var isValueRequired: Bool
  }

  /// True for types without children, variant and geometries among them.
  package var isPrimitive: Bool { if case .primitive = self { true } else { false } }

  /// As messages show it: `decimal(9, 2)`, `struct`, `list`, `map`.
  package var name: String {
    switch self {
    case .primitive(let type): type.description
    case .structure: "struct"
    case .list: "list"
    case .map: "map"
    }
  }
}
