// SPDX-License-Identifier: Apache-2.0

/// A directory where a table keeps files, or may keep them.
struct ReachArea: Hashable, Sendable {
  private let bucket: [UInt8]
  /// Ends in `/`, or is empty for a whole bucket.
  private let prefix: [UInt8]

  private init(bucket: some Sequence<UInt8>, prefix: some Sequence<UInt8>) {
    self.bucket = Array(bucket)
    var prefix = Array(prefix)
    while prefix.last == UInt8(ascii: "/") { prefix.removeLast() }
    if !prefix.isEmpty { prefix.append(UInt8(ascii: "/")) }
    self.prefix = prefix
  }

  /// A directory's location; nil if the text is none.
  init?(directory text: String) {
    guard let parts = LocationText(text) else { return nil }
    self.init(bucket: parts.bucket, prefix: parts.key)
  }

  /// The directory of a file, and the one above where it is called `metadata`: what the location of the table is, or was when the file was
  /// written. Empty if the text is no location.
  static func around(file text: String) -> [ReachArea] {
    guard let parts = LocationText(text) else { return [] }
    guard let slash = parts.key.lastIndex(of: UInt8(ascii: "/")) else { return [ReachArea(bucket: parts.bucket, prefix: [])] }
    let directory = parts.key[..<slash]
    var areas = [ReachArea(bucket: parts.bucket, prefix: directory)]
    if directory.elementsEqual("metadata".utf8) || directory.suffix(9).elementsEqual("/metadata".utf8) {
      areas.append(ReachArea(bucket: parts.bucket, prefix: directory.dropLast(8)))
    }
    return areas
  }

  func contains(_ location: ObjectLocation) -> Bool {
    location.bucket.utf8.elementsEqual(bucket) && location.key.utf8.starts(with: prefix)
  }

  /// Bytes of memory, about.
  var cost: Int { 96 + bucket.count + prefix.count }
}
