// SPDX-License-Identifier: Apache-2.0

import WireFormats

extension TableSchema {
  /// - Parameter formatVersion: decides which types there are.
  init(_ members: MetadataMembers, formatVersion: Int) throws(TableMetadataError) {
    id = try members.int32(ifPresent: "schema-id") ?? 0
    guard try members.string("type") == "struct" else {
      throw members.invalid("has a wrong `\(members.path("type"))`: expected struct", path: members.path("type"), expected: "struct")
    }
    fields = try Self.fields(members, formatVersion)
    identifierFieldIDs = try members.int32s("identifier-field-ids")
    try checkNames(members)
    try checkIdentifiers(members)
  }

  private static func fields(_ members: MetadataMembers, _ version: Int) throws(TableMetadataError) -> [SchemaField] {
    guard members.has("fields") else { throw members.missing("fields") }
    return try members.objects("fields") { field throws(TableMetadataError) in
      let initial = defaultValue(field.node["initial-default"])
      if initial != nil, version < 3 {
        throw field.invalid(
          "has an `\(field.path("initial-default"))`, which needs format version 3", path: field.path("initial-default"),
          expected: "none below format version 3", found: "a default")
      }
      return SchemaField(
        id: try field.int32("id"), name: try field.string("name"), isRequired: try field.bool("required"),
        type: try type(field, "type", version), doc: try field.string(ifPresent: "doc", nullable: true), initialDefault: initial,
        writeDefault: defaultValue(field.node["write-default"]))
    }
  }

  private static func defaultValue(_ node: JSONNode?) -> JSONValue? {
    node.flatMap { $0.isNull ? nil : JSONValue($0) }
  }

  private static func type(_ parent: MetadataMembers, _ name: String, _ version: Int) throws(TableMetadataError) -> IcebergType {
    let value = try parent.required(name)
    if let text = value.string {
      guard let primitive = PrimitiveType(text) else { throw parent.wrongType(name, "a type", text) }
      guard primitive.minimumVersion <= version else { throw parent.wrongType(name, "a type of format version \(version)", text) }
      return .primitive(primitive)
    }
    let members = try parent.member(value, at: parent.path(name))
    switch try members.string("type") {
    case "struct": return .structure(try fields(members, version))
    case "list":
      return .list(
        .init(
          elementID: try members.int32("element-id"), element: try type(members, "element", version),
          isElementRequired: try members.bool("element-required")))
    case "map":
      return .map(
        .init(
          keyID: try members.int32("key-id"), key: try type(members, "key", version), valueID: try members.int32("value-id"),
          value: try type(members, "value", version), isValueRequired: try members.bool("value-required")))
    case let other: throw members.wrongType("type", "struct, list or map", other)
    }
  }

  private func checkNames(_ members: MetadataMembers) throws(TableMetadataError) {
    var ids: Set<Int> = []
    var names: Set<[UInt8]> = []
    for place in places {
      guard ids.insert(place.id).inserted else {
        throw members.documentFault(
          9, "has the field id \(place.id) twice in `\(members.place)`", "fields", expected: "distinct field ids",
          found: "\(place.id) twice")
      }
      guard names.insert(Array(place.name.utf8)).inserted else {
        throw members.documentFault(
          9, "has the field name \(place.name.prefix(80)) twice in `\(members.place)`", "fields", expected: "distinct field names",
          found: "\(place.name.prefix(80)) twice")
      }
    }
  }

  private func checkIdentifiers(_ members: MetadataMembers) throws(TableMetadataError) {
    guard !identifierFieldIDs.isEmpty else { return }
    let byID = Dictionary(places.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for id in identifierFieldIDs {
      guard let place = byID[id], Self.canIdentify(place, byID) else {
        throw members.invalid(
          "has a wrong identifier field \(id) in `\(members.path("identifier-field-ids"))`", path: members.path("identifier-field-ids"),
          expected: "a required primitive field, no float or double, below required structs only", found: "\(id)")
      }
    }
  }

  private static func canIdentify(_ place: SchemaPlace, _ byID: [Int: SchemaPlace]) -> Bool {
    guard case .primitive(let type) = place.type, type != .float, type != .double else { return false }
    var current: SchemaPlace? = place
    while let step = current {
      guard step.role == .field, step.isRequired else { return false }
      current = step.parentID.flatMap { byID[$0] }
    }
    return true
  }
}

extension MetadataMembers {
  fileprivate func wrongType(_ name: String, _ expected: String, _ found: String) -> TableMetadataError {
    invalid(
      "has a wrong `\(path(name))`: expected \(expected), found \(found.prefix(80))", path: path(name), expected: expected,
      found: String(found.prefix(80)))
  }

  /// A failed check of table-metadata.md §3.
  func documentFault(_ check: Int, _ reason: String, _ name: String, expected: String, found: String) -> TableMetadataError {
    TableMetadataError(
      code: .invalid, file: file, reason: reason, path: path(name), expected: expected, found: found, documentCheck: check)
  }
}
