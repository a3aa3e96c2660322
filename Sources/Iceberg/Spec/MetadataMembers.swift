// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// Typed access to the members of an object in a metadata file; errors name the file and the member's place.
struct MetadataMembers {
  let file: String
  let node: JSONNode
  /// Where the object stands, as messages show it; empty for the document.
  let place: String

  /// The document's root.
  init(_ root: JSONNode, file: String) throws(TableMetadataError) {
    guard root.kind == .object else {
      throw TableMetadataError(
        code: .invalid, file: file, reason: "is not table metadata: expected an object, found \(Self.article(root.kind))")
    }
    self.init(node: root, place: "", file: file)
  }

  private init(node: JSONNode, place: String, file: String) {
    self.node = node
    self.place = place
    self.file = file
  }

  func string(_ name: String) throws(TableMetadataError) -> String {
    let value = try required(name)
    guard let string = value.string else { throw wrong(path(name), value, "a string") }
    return string
  }

  /// Nil if absent or null.
  func optionalString(_ name: String) throws(TableMetadataError) -> String? {
    guard let value = node[name], !value.isNull else { return nil }
    return try string(name)
  }

  func int64(_ name: String) throws(TableMetadataError) -> Int64 {
    let value = try required(name)
    guard let integer = value.int64 else { throw wrong(path(name), value, "a 64-bit integer") }
    return integer
  }

  /// Nil if absent or null.
  func optionalInt64(_ name: String) throws(TableMetadataError) -> Int64? {
    guard let value = node[name], !value.isNull else { return nil }
    return try int64(name)
  }

  /// Empty if absent.
  func stringMap(_ name: String) throws(TableMetadataError) -> [String: String] {
    let members = try members(name)
    var map = [String: String](minimumCapacity: members.count)
    for (key, value) in members {
      guard let string = value.string else { throw wrong("\(path(name)).\(key)", value, "a string") }
      map[key] = string
    }
    return map
  }

  /// The objects of an array, read one by one; empty if absent.
  func objects<Value>(
    _ name: String, _ read: (MetadataMembers) throws(TableMetadataError) -> Value
  ) throws(TableMetadataError) -> [Value] {
    guard let array = node[name] else { return [] }
    guard array.kind == .array else { throw wrong(path(name), array, "an array") }
    var values: [Value] = []
    for element in array.elements {
      values.append(try read(try member(element, at: "\(path(name))[\(values.count)]")))
    }
    return values
  }

  /// The objects that are members of an object; empty if absent.
  func namedObjects(_ name: String) throws(TableMetadataError) -> [(name: String, members: MetadataMembers)] {
    var objects: [(name: String, members: MetadataMembers)] = []
    for (key, value) in try members(name) {
      objects.append((key, try member(value, at: "\(path(name)).\(key)")))
    }
    return objects
  }

  /// - Parameter path: where the fault is; by default the object itself.
  func invalid(_ reason: String, path: String? = nil, expected: String = "", found: String = "") -> TableMetadataError {
    TableMetadataError(code: .invalid, file: file, reason: reason, path: path ?? place, expected: expected, found: found)
  }

  /// Where a member stands, as messages show it: `refs.main.type`.
  func path(_ name: String) -> String {
    place.isEmpty ? name : "\(place).\(name)"
  }

  // MARK: Parts

  func required(_ name: String) throws(TableMetadataError) -> JSONNode {
    guard let value = node[name] else { throw missing(name) }
    return value
  }

  func missing(_ name: String) -> TableMetadataError {
    invalid("is missing `\(path(name))`", path: path(name), expected: "a value", found: "nothing")
  }

  private func members(_ name: String) throws(TableMetadataError) -> [(key: String, value: JSONNode)] {
    guard let value = node[name] else { return [] }
    guard value.kind == .object else { throw wrong(path(name), value, "an object") }
    return Array(value.members)
  }

  func member(_ value: JSONNode, at place: String) throws(TableMetadataError) -> MetadataMembers {
    guard value.kind == .object else { throw wrong(place, value, "an object") }
    return MetadataMembers(node: value, place: place, file: file)
  }

  func wrong(_ place: String, _ value: JSONNode, _ expected: String) -> TableMetadataError {
    // Foreign names and numbers have any length, a message should not.
    let found = value.numberText.map { String($0.prefix(40)) } ?? Self.article(value.kind)
    return invalid(
      "has a wrong `\(place.prefix(200))`: expected \(expected), found \(found)", path: String(place.prefix(200)), expected: expected,
      found: found)
  }

  private static func article(_ kind: JSONNode.Kind) -> String {
    switch kind {
    case .object: "an object"
    case .array: "an array"
    case .string: "a string"
    case .number: "a number"
    case .bool: "a boolean"
    case .null: "null"
    }
  }
}
