// SPDX-License-Identifier: Apache-2.0

/// The name of a table metadata file, and what may be read from it. Source: spec/table-metadata.md §5.
package struct MetadataFileName: Sendable, Hashable, CustomStringConvertible {
  private static let suffix = ".metadata.json"
  private static let gzipSuffix = ".metadata.json.gz"

  /// The last segment of the path.
  package let name: String
  /// Whether readers decompress the file. The name alone decides, never the content.
  package let isGzip: Bool

  /// - Parameter location: a file name, a path or a full URI. Nil if it does not hold `.metadata.json`, which Iceberg refuses.
  package init?(_ location: String) {
    let text = location.utf8
    guard let suffix = Self.lastIndex(of: Self.suffix, in: text) else { return nil }
    let start = text.lastIndex(of: UInt8(ascii: "/")).map { text.index(after: $0) } ?? text.startIndex
    name = String(location[start...])
    isGzip = text.ends(with: Self.gzipSuffix) || text[..<suffix].ends(with: ".gz")
  }

  package var description: String { name }

  /// The version Java reads: the digits before the first `-`. Nil, Java's -1, if there are none or they pass 32 bits.
  package var number: Int32? {
    let parts = name.utf8.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    return Self.digits(parts[0]).flatMap { Int32(exactly: $0) }
  }

  /// The version PyIceberg reads: the whole name must be `<digits>-<36 characters of a UUID>[.<codec>].metadata.json`.
  package var pyIcebergNumber: Int64? {
    guard name.utf8.ends(with: Self.suffix) else { return nil }
    let stem = name.utf8.dropLast(Self.suffix.utf8.count)
    let parts = stem.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Self.digits(parts[0]), parts[1].count >= 36 else { return nil }
    let uuid = parts[1].prefix(36)
    let hexadecimal = uuid.filter { $0 != UInt8(ascii: "-") }
    guard hexadecimal.count == 32, hexadecimal.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
    let codec = parts[1].dropFirst(36)
    guard codec.isEmpty || codec.first == UInt8(ascii: ".") && codec.count > 1 && codec.dropFirst().allSatisfy(Self.isWord) else {
      return nil
    }
    return number
  }

  /// The version of a file in a Hadoop table: `v<N>.metadata.json`, `v<N>.gz.metadata.json` or `v<N>.metadata.json.gz`, N without
  /// leading zeros.
  ///
  /// Java takes such a name as one without a number (version -1) when it commits through a metastore.
  package var hadoopNumber: Int64? {
    guard name.utf8.first == UInt8(ascii: "v") else { return nil }
    for suffix in [".gz.metadata.json", Self.gzipSuffix, Self.suffix] where name.utf8.ends(with: suffix) {
      let text = name.utf8.dropFirst().dropLast(suffix.utf8.count)
      guard let number = Self.digits(text), String(number).utf8.elementsEqual(text) else { return nil }
      return number
    }
    return nil
  }

  /// What `version-hint.text` holds when this is the current file: the number without leading zeros, else the name less `.metadata.json`.
  ///
  /// The number of a Hadoop name counts here, since its readers put the `v` before it.
  package var versionHint: String {
    if let number { return String(number) }
    if let hadoopNumber { return String(hadoopNumber) }
    for suffix in [Self.suffix, Self.gzipSuffix] where name.utf8.ends(with: suffix) {
      return String(Substring(name.utf8.dropLast(suffix.utf8.count)))
    }
    return name
  }

  /// The Hadoop name under which this file is found too: `v<N>.metadata.json`, gzip `v<N>.gz.metadata.json`. Nil without a number.
  package var alias: String? {
    number.map { "v\($0)\(isGzip ? ".gz" : "").metadata.json" }
  }

  /// Digits of ASCII only, within 64 bits.
  private static func digits(_ text: Substring.UTF8View) -> Int64? {
    guard !text.isEmpty, text.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
    return Int64(Substring(text))
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || byte >= 0x80 || Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber
  }

  private static func lastIndex(of part: String, in text: String.UTF8View) -> String.Index? {
    var rest = text[...]
    while rest.count >= part.utf8.count {
      if rest.ends(with: part) { return rest.index(rest.endIndex, offsetBy: -part.utf8.count) }
      rest.removeLast()
    }
    return nil
  }
}

extension BidirectionalCollection<UInt8> {
  /// Bytes, not characters: a location is compared without Unicode's rules.
  fileprivate func ends(with part: String) -> Bool {
    suffix(part.utf8.count).elementsEqual(part.utf8)
  }
}
