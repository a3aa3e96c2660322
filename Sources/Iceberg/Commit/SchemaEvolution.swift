// SPDX-License-Identifier: Apache-2.0

/// Row 19: what may happen to the columns between two current schemas.
struct SchemaEvolution {
  let old: TableSchema
  let new: TableSchema
  let base: TableMetadata
  /// False if the new current schema is one the table had before.
  let isNewSchema: Bool
  let version: Int
  let path: String

  func check() throws(SuccessorRefusal) {
    let before = Dictionary(old.places.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for place in new.places {
      if let earlier = before[place.id] {
        try checkKept(earlier, place)
      } else {
        try checkNew(place, before)
      }
    }
  }

  private func refuse(_ place: SchemaPlace, _ expected: String, _ found: String) -> SuccessorRefusal {
    SuccessorRefusal(
      row: .schemaEvolution, path: "\(path).fields(\(place.name.prefix(200)))", expected: expected, found: String(found.prefix(200)))
  }

  private func checkKept(_ old: SchemaPlace, _ new: SchemaPlace) throws(SuccessorRefusal) {
    guard old.parentID == new.parentID, old.role == new.role else {
      throw refuse(new, "field \(new.id) to stay where it was, at \(old.name)", new.name)
    }
    if new.isRequired, !old.isRequired { throw refuse(new, "field \(new.id) to stay optional", "required") }
    switch (old.type, new.type) {
    case (.primitive(let before), .primitive(let after)):
      guard before.promotes(to: after, formatVersion: version) else {
        throw refuse(new, "\(before), or a type it may be widened to", after.description)
      }
    case (.structure, .structure): break
    case (.list(let before), .list(let after)):
      guard before.elementID == after.elementID else {
        throw refuse(new, "a list with element id \(before.elementID)", "element id \(after.elementID)")
      }
    case (.map(let before), .map(let after)):
      guard before.keyID == after.keyID, before.valueID == after.valueID else {
        throw refuse(new, "a map with ids \(before.keyID) and \(before.valueID)", "\(after.keyID) and \(after.valueID)")
      }
      guard before.key == after.key else { throw refuse(new, "a map with the same keys", "changed keys") }
    default: throw refuse(new, old.type.name, new.type.name)
    }
  }

  private func checkNew(_ place: SchemaPlace, _ before: [Int: SchemaPlace]) throws(SuccessorRefusal) {
    if place.id <= base.lastColumnID {
      // A schema the table had before brings its own columns back; a new one takes new ids.
      guard !isNewSchema else {
        throw refuse(place, "a new column with an id above \(base.lastColumnID)", "\(place.id), which was given before")
      }
      return
    }
    let isInOldStruct = place.parentID.map { before[$0] != nil } ?? true
    if place.role == .field, place.isRequired, isInOldStruct, !(version >= 3 && place.hasInitialDefault) {
      throw refuse(place, "a new column to be optional (or, in version 3, with an initial-default)", "required")
    }
  }
}
