// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// Optional members as Iceberg's parser takes them: absent, or of the right type; null only where the format allows it.
extension MetadataMembers {
  func int32(_ name: String) throws(TableMetadataError) -> Int {
    let value = try required(name)
    guard let integer = value.int64.flatMap({ Int32(exactly: $0) }) else { throw wrong(path(name), value, "a 32-bit integer") }
    return Int(integer)
  }

  /// Nil if absent.
  func int32(ifPresent name: String, nullable: Bool = false) throws(TableMetadataError) -> Int? {
    guard isPresent(name, nullable) else { return nil }
    return try int32(name)
  }

  /// Nil if absent.
  func int64(ifPresent name: String, nullable: Bool = false) throws(TableMetadataError) -> Int64? {
    guard isPresent(name, nullable) else { return nil }
    return try int64(name)
  }

  /// Nil if absent.
  func string(ifPresent name: String, nullable: Bool = false) throws(TableMetadataError) -> String? {
    guard isPresent(name, nullable) else { return nil }
    return try string(name)
  }

  func bool(_ name: String) throws(TableMetadataError) -> Bool {
    let value = try required(name)
    guard let bool = value.bool else { throw wrong(path(name), value, "a boolean") }
    return bool
  }

  /// 32-bit integers; empty if absent.
  func int32s(_ name: String) throws(TableMetadataError) -> [Int] {
    guard let array = node[name] else { return [] }
    guard array.kind == .array else { throw wrong(path(name), array, "an array") }
    var values: [Int] = []
    for element in array.elements {
      guard let integer = element.int64.flatMap({ Int32(exactly: $0) }) else {
        throw wrong("\(path(name))[\(values.count)]", element, "a 32-bit integer")
      }
      values.append(Int(integer))
    }
    return values
  }

  /// Strings; empty if absent.
  func strings(_ name: String) throws(TableMetadataError) -> [String] {
    guard let array = node[name] else { return [] }
    guard array.kind == .array else { throw wrong(path(name), array, "an array") }
    var values: [String] = []
    for element in array.elements {
      guard let string = element.string else { throw wrong("\(path(name))[\(values.count)]", element, "a string") }
      values.append(string)
    }
    return values
  }

  /// An object's members; nil if absent.
  func object(ifPresent name: String) throws(TableMetadataError) -> MetadataMembers? {
    guard let value = node[name] else { return nil }
    return try member(value, at: path(name))
  }

  /// Whether a member stands there at all.
  func has(_ name: String) -> Bool { node[name] != nil }

  private func isPresent(_ name: String, _ nullable: Bool) -> Bool {
    guard let value = node[name] else { return false }
    return !(nullable && value.isNull)
  }
}
