// SPDX-License-Identifier: Apache-2.0

/// One id of a schema: what it is and where it hangs.
package struct SchemaPlace: Sendable, Hashable {
  /// What a place is to its parent.
  package enum Role: Sendable, Hashable {
    case field, element, key, value
  }

  package var id: Int
  /// Dotted, from the root: `address.city`, `tags.element`.
  package var name: String
  package var role: Role
  package var type: IcebergType
  package var isRequired: Bool
  /// Nil at the root.
  package var parentID: Int?
  package var hasInitialDefault: Bool

  /// As deep as the parser lets a document nest.
  static func collect(_ field: SchemaField, parent: Int?, name: String, into places: inout [SchemaPlace]) {
    append(
      SchemaPlace(
        id: field.id, name: name.isEmpty ? field.name : "\(name).\(field.name)", role: .field, type: field.type,
        isRequired: field.isRequired, parentID: parent, hasInitialDefault: field.initialDefault != nil), to: &places)
  }

  private static func append(_ place: SchemaPlace, to places: inout [SchemaPlace]) {
    places.append(place)
    switch place.type {
    case .primitive: return
    case .structure(let fields):
      for field in fields { collect(field, parent: place.id, name: place.name, into: &places) }
    case .list(let list):
      append(place.child(.element, "element", list.elementID, list.element, list.isElementRequired), to: &places)
    case .map(let map):
      append(place.child(.key, "key", map.keyID, map.key, true), to: &places)
      append(place.child(.value, "value", map.valueID, map.value, map.isValueRequired), to: &places)
    }
  }

  private func child(_ role: Role, _ word: String, _ id: Int, _ type: IcebergType, _ isRequired: Bool) -> SchemaPlace {
    SchemaPlace(
      id: id, name: "\(name).\(word)", role: role, type: type, isRequired: isRequired, parentID: self.id, hasInitialDefault: false)
  }
}
