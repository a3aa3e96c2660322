// SPDX-License-Identifier: Apache-2.0

import Iceberg

extension ObjectLocation {
  /// The last segment of the key.
  var fileName: String {
    guard let slash = key.utf8.lastIndex(of: UInt8(ascii: "/")) else { return key }
    return String(key[key.utf8.index(after: slash)...])
  }

  /// The directory this object lies in; the key ends in `/` or is empty.
  var parent: ObjectLocation {
    var copy = self
    copy.key = key.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(key[...$0]) } ?? ""
    return copy
  }

  /// The same place as a directory: its key ends in `/`, unless it is the bucket.
  var asDirectory: ObjectLocation {
    var copy = self
    if !key.isEmpty, key.utf8.last != UInt8(ascii: "/") { copy.key += "/" }
    return copy
  }

  /// Whether two locations name the same place: the scheme is not part of it.
  func isSamePlace(as other: ObjectLocation) -> Bool {
    bucket.utf8.elementsEqual(other.bucket.utf8) && key.utf8.elementsEqual(other.key.utf8)
  }
}
