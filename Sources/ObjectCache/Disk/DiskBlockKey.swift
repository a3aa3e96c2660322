// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// What a file of the disk cache stands for: one block of one version of one object of one object store.
///
/// The text is whole and in the file itself, so that neither a digest that two keys share nor a file put there by someone else is taken for the block.
struct DiskBlockKey: Sendable, Hashable {
  let text: [UInt8]
  let name: DiskBlockName
}

/// One version of one object, from which the keys of its blocks are made.
struct DiskObject: Sendable {
  private let fields: [UInt8]
  private let digest: @Sendable ([UInt8]) -> [UInt8]

  /// - Parameters:
  ///   - store: which object store; buckets of two stores may have the same name.
  ///   - digest: at least 16 bytes that hardly two texts share.
  /// - Returns: nil if the version has no strong ETag, or the key is longer than a header holds: then nothing of it is kept on disk.
  init?(_ attributes: ObjectAttributes, store: String, digest: @escaping @Sendable ([UInt8]) -> [UInt8]) {
    guard !attributes.etag.isEmpty, attributes.etag != "\"\"", !attributes.etag.hasPrefix("W/") else { return nil }
    // With its length before it, no field can reach into the next.
    var fields: [UInt8] = []
    for field in [store, attributes.location.bucket, attributes.location.key, attributes.etag] {
      fields += Array("\(field.utf8.count):".utf8) + Array(field.utf8)
    }
    guard fields.count + Self.longestIndex <= DiskBlockHeader.longestKey else { return nil }
    self.fields = fields
    self.digest = digest
  }

  private static let longestIndex = "\(Int64.max)".utf8.count

  func block(_ index: Int64) -> DiskBlockKey {
    let text = fields + Array("\(index)".utf8)
    return DiskBlockKey(text: text, name: DiskBlockName(digest: digest(text)))
  }
}

/// The name of a block's file: 32 hexadecimal digits and `.block`.
struct DiskBlockName: Sendable, Hashable {
  private static let suffix = ".block"
  /// Files being written: the name, a dot, 16 random digits, and this.
  private static let temporarySuffix = ".tmp"

  let high: UInt64
  let low: UInt64

  init(digest: [UInt8]) {
    high = digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    low = digest.dropFirst(8).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Nil for a file that is no block.
  init?(fileName: String) {
    guard fileName.hasSuffix(Self.suffix), fileName.utf8.count == 32 + Self.suffix.utf8.count,
      let high = UInt64(fileName.prefix(16), radix: 16), let low = UInt64(fileName.dropFirst(16).prefix(16), radix: 16)
    else { return nil }
    self.high = high
    self.low = low
    guard self.fileName == fileName else { return nil }
  }

  var fileName: String { Self.digits(high) + Self.digits(low) + Self.suffix }

  /// A name of its own for each attempt to write the block.
  func temporaryName(_ number: UInt64) -> String {
    "\(Self.digits(high))\(Self.digits(low)).\(Self.digits(number))\(Self.temporarySuffix)"
  }

  /// Whether a name is one of ``temporaryName(_:)``.
  static func isTemporary(_ fileName: String) -> Bool {
    let parts = fileName.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 3 && fileName.hasSuffix(temporarySuffix) && [32, 16].elementsEqual(parts.prefix(2).map(\.utf8.count))
      && parts.prefix(2).allSatisfy { $0.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) } }
  }

  private static func digits(_ number: UInt64) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: 16 - text.utf8.count) + text
  }
}
