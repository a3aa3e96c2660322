// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// What the locations of all objects in one directory begin with.
final class ObjectPrefix: Sendable {
  /// The key ends in `/`, or is empty.
  let location: ObjectLocation

  /// The prefix of an object.
  init(of object: ObjectLocation) {
    let key = object.key.utf8
    let start = key.lastIndex(of: UInt8(ascii: "/")).map { key.index(after: $0) } ?? key.startIndex
    var location = object
    location.key = String(object.key[..<start])
    self.location = location
  }

  /// Whether an object lies directly below.
  func holds(_ object: ObjectLocation) -> Bool {
    let key = object.key.utf8
    return location.scheme == object.scheme && location.bucket == object.bucket && key.starts(with: location.key.utf8)
      && !key.dropFirst(location.key.utf8.count).contains(UInt8(ascii: "/"))
  }
}

/// An object as a node keeps it: in about 200 bytes with everything around it, since the kernel holds many.
struct ObjectRecord: Sendable {
  let table: TableState
  private let prefix: ObjectPrefix
  let size: Int64
  /// The least number stands for none.
  private let modified: Int64
  /// The rest of the key, the etag, and the name where it is not the rest of the key.
  private let text: [UInt8]
  private let restLength: UInt16
  private let etag: UInt16
  private let hasOwnName: Bool
  /// As a snapshot names it, without an etag.
  let isOfSnapshot: Bool

  /// - Parameter prefix: of the object.
  init(_ object: ObjectAttributes, of table: TableState, name: EntryName, prefix: ObjectPrefix, isOfSnapshot: Bool) {
    self.isOfSnapshot = isOfSnapshot
    self.table = table
    self.prefix = prefix
    size = object.size
    modified = object.modified ?? .min
    let rest = object.location.key.utf8.dropFirst(prefix.location.key.utf8.count)
    hasOwnName = !rest.elementsEqual(name.bytes)
    var text: [UInt8] = []
    text.reserveCapacity(rest.count + PackedETag.length(object.etag) + (hasOwnName ? name.bytes.count : 0))
    text.append(contentsOf: rest)
    restLength = UInt16(clamping: text.count)
    etag = PackedETag.append(object.etag, to: &text)
    if hasOwnName { text.append(contentsOf: name.bytes) }
    self.text = text
  }

  var object: ObjectAttributes {
    let end = Int(restLength)
    var location = prefix.location
    location.key += String(decoding: text[..<end], as: UTF8.self)
    return ObjectAttributes(
      location: location, size: size, etag: PackedETag.text(etag, in: text, at: end), modified: modified == .min ? nil : modified)
  }

  /// As programs see it: nanoseconds since 1970, 0 for none.
  var shownModified: Int64 { modified == .min ? 0 : modified }

  var name: EntryName {
    let end = Int(restLength)
    return EntryName(Array(hasOwnName ? text[(end + PackedETag.stored(etag))...] : text[..<end]))
  }

  /// Whether it has the same identity as this version of an object of a table.
  func isSame(as other: ObjectAttributes, of table: TableState) -> Bool {
    let end = Int(restLength)
    let key = other.location.key.utf8
    guard table.key == self.table.key, prefix.location.bucket == other.location.bucket,
      key.count == prefix.location.key.utf8.count + end, key.starts(with: prefix.location.key.utf8),
      key.dropFirst(prefix.location.key.utf8.count).elementsEqual(text[..<end])
    else { return false }
    guard !other.etag.isEmpty else { return object.version == other.version }
    return PackedETag.text(etag, in: text, at: end) == other.etag
  }
}
