// SPDX-License-Identifier: Apache-2.0

/// How the blocks of a container are compressed. Source: Avro 1.12, "Object Container Files"; spec/manifests.md §1.
enum AvroCodec: String, Sendable, CaseIterable {
  case null, deflate, snappy, zstandard

  /// Throws `unsupportedCodec`, naming it: Avro defines `bzip2` and `xz` too, which no writer of Iceberg uses.
  init(named name: String) throws(AvroError) {
    guard let codec = AvroCodec(rawValue: name) else {
      throw AvroError(
        code: .unsupportedCodec,
        message: "the Avro file is compressed with the unsupported codec \(name.prefix(40)): null, deflate, snappy and zstandard are read")
    }
    self = codec
  }

  /// The plain bytes of a block.
  ///
  /// - Parameter limit: the most bytes that may come out; the work stops soon after more would.
  /// - Throws: `corrupt`, `overLimit`.
  func decompress(_ block: Span<UInt8>, limit: Int) throws(AvroError) -> [UInt8] {
    switch self {
    case .null: block.withUnsafeBufferPointer { Array($0) }
    case .deflate: try RawDeflate.inflate(block, limit: limit)
    case .snappy: try Snappy.decompress(block, limit: limit)
    case .zstandard: try Zstandard.decompress(block, limit: limit)
    }
  }
}
