// SPDX-License-Identifier: Apache-2.0

import WireFormats

extension PartitionSpec {
  init(_ members: MetadataMembers) throws(TableMetadataError) {
    try self.init(id: try members.int32("spec-id"), fieldsOf: members, named: "fields")
  }

  /// - Parameter name: the array of fields; `partition-spec` at the root of an old document.
  init(id: Int, fieldsOf members: MetadataMembers, named name: String) throws(TableMetadataError) {
    self.id = id
    guard members.has(name) else { throw members.missing(name) }
    var withID = 0
    fields = try members.objects(name) { field throws(TableMetadataError) in
      let fieldID = try field.int32(ifPresent: "field-id")
      if fieldID != nil { withID += 1 }
      return Field(
        fieldID: fieldID ?? -1, sourceIDs: try field.sourceIDs(), name: try field.string("name"), transform: try field.transform())
    }
    guard withID == 0 || withID == fields.count else {
      throw members.invalid(
        "has partition fields with and without `field-id` in `\(members.path(name))`", path: members.path(name),
        expected: "field ids in all fields or in none", found: "\(withID) of \(fields.count)")
    }
    if withID == 0 {
      for index in fields.indices { fields[index].fieldID = Self.firstFieldID + index }
    }
    try checkNames(members, name)
  }

  private func checkNames(_ members: MetadataMembers, _ list: String) throws(TableMetadataError) {
    var names: Set<[UInt8]> = []
    var ids: Set<Int> = []
    for field in fields where field.name.isEmpty || !names.insert(Array(field.name.utf8)).inserted || !ids.insert(field.fieldID).inserted {
      throw members.invalid(
        "has partition fields without distinct names and ids in `\(members.path(list))`", path: members.path(list),
        expected: "distinct, not empty names and distinct ids", found: "\(field.name.prefix(80)) with id \(field.fieldID)")
    }
  }
}

extension SortOrder {
  init(_ members: MetadataMembers) throws(TableMetadataError) {
    id = try members.int32("order-id")
    guard members.has("fields") else { throw members.missing("fields") }
    fields = try members.objects("fields") { field throws(TableMetadataError) in
      Field(
        sourceIDs: try field.sourceIDs(), transform: try field.transform(),
        isAscending: try field.choice("direction", "asc", "desc"),
        hasNullsFirst: try field.choice("null-order", "nulls-first", "nulls-last"))
    }
    guard (id == 0) == fields.isEmpty else {
      throw members.invalid(
        "has a wrong `\(members.path("order-id"))`: order id 0 is the unsorted one, and only that", path: members.path("order-id"),
        expected: fields.isEmpty ? "0 for an order without fields" : "an id above 0 for an order with fields", found: "\(id)")
    }
  }
}

extension MetadataMembers {
  fileprivate func sourceIDs() throws(TableMetadataError) -> [Int] {
    if !has("source-id"), has("source-ids") {
      let ids = try int32s("source-ids")
      guard !ids.isEmpty else { throw invalid("has an empty `\(path("source-ids"))`", path: path("source-ids")) }
      return ids
    }
    return [try int32("source-id")]
  }

  fileprivate func transform() throws(TableMetadataError) -> Transform {
    let text = try string("transform")
    guard let transform = Transform(text) else {
      throw invalid(
        "has a wrong `\(path("transform"))`: expected a parameter above 0, found \(text.prefix(80))", path: path("transform"),
        expected: "a parameter above 0", found: String(text.prefix(80)))
    }
    return transform
  }

  fileprivate func choice(_ name: String, _ first: String, _ second: String) throws(TableMetadataError) -> Bool {
    let text = try string(name)
    switch text.lowercased() {
    case first: return true
    case second: return false
    default:
      throw invalid(
        "has a wrong `\(path(name))`: expected \(first) or \(second), found \(text.prefix(80))", path: path(name),
        expected: "\(first) or \(second)", found: String(text.prefix(80)))
    }
  }
}
