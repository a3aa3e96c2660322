// SPDX-License-Identifier: Apache-2.0

/// An Avro object container file, whole in memory: header read, blocks decoded when asked for. Source: spec/manifests.md §1.
package struct AvroContainer: Sendable {
  private let bytes: [UInt8]
  private let sync: ArraySlice<UInt8>
  private let firstBlock: Int

  /// The header's values by key, `avro.schema` and `avro.codec` among them.
  package let metadata: [String: [UInt8]]
  /// What the records were written with.
  package let schema: AvroSchema
  /// `null`, `deflate`, `snappy`, `zstandard`, …
  package let codec: String

  /// Reads the header. Throws `notAvro`, `truncated`, `corrupt`, `unsupportedSchema`; a codec is not looked at before records are asked for.
  package init(parsing bytes: [UInt8]) throws(AvroError) {
    guard bytes.starts(with: [UInt8(ascii: "O"), UInt8(ascii: "b"), UInt8(ascii: "j"), 1]) else {
      throw AvroError(code: .notAvro, message: "the file is not an Avro object container")
    }
    var decoder = AvroDecoder(bytes, range: 4..<bytes.count)
    var metadata: [String: [UInt8]] = [:]
    while true {
      let count = try decoder.blockCount()
      if count == 0 { break }
      // Each entry takes two bytes at least, so a false count ends at the end of the file.
      for _ in 0..<count {
        let key = String(decoding: try decoder.lengthPrefixed(), as: UTF8.self)
        metadata[key] = Array(try decoder.lengthPrefixed())
      }
    }
    sync = try decoder.take(16)
    guard let schemaText = metadata["avro.schema"] else {
      throw AvroError(code: .corrupt, message: "the Avro file has no schema")
    }
    self.bytes = bytes
    self.metadata = metadata
    firstBlock = decoder.position
    schema = try AvroSchema(parsing: schemaText)
    codec = metadata["avro.codec"].map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }

  /// A header's value as text; nil if it is absent.
  package func text(_ key: String) -> String? {
    metadata[key].map { String(decoding: $0, as: UTF8.self) }
  }

  /// A field to be read from each record.
  package struct Selection: Sendable, Hashable {
    package var fieldID: Int
    /// Counts where the file has no field ids.
    package var name: String

    package init(_ fieldID: Int, _ name: String) {
      self.fieldID = fieldID
      self.name = name
    }
  }

  /// All records, with the values of the selected fields by their ids; fields the file does not have are absent.
  ///
  /// - Parameter limit: the most bytes a block may decompress to.
  /// - Throws: `unsupportedCodec` for any but `null`, `deflate`, `snappy` and `zstandard`.
  package func records(_ selection: [Selection], limit: Int = 256 << 20) throws(AvroError) -> [[Int: AvroValue]] {
    guard case .record(let fields) = schema else {
      throw AvroError(code: .unsupportedSchema, message: "the Avro schema is not a record")
    }
    let hasIDs = fields.contains { $0.fieldID != nil }
    let ids = fields.map { field in
      selection.first { hasIDs ? $0.fieldID == field.fieldID : $0.name == field.name }?.fieldID
    }
    var records: [[Int: AvroValue]] = []
    try forEachBlock(limit: limit) { decoder, count throws(AvroError) in
      for _ in 0..<count { records.append(try decoder.record(fields, selecting: ids)) }
    }
    return records
  }

  /// Calls the body with a decoder at the first of a block's records and how many there are; the body must read them all.
  func forEachBlock(
    limit: Int, _ body: (inout AvroDecoder, _ count: Int64) throws(AvroError) -> Void
  ) throws(AvroError) {
    let codec = try AvroCodec(named: codec)
    var file = AvroDecoder(bytes, range: firstBlock..<bytes.count)
    while file.position < bytes.count {
      let count = try file.long()
      let size = try file.long()
      let block = try file.take(size)
      guard try file.take(16).elementsEqual(sync) else { throw AvroError.corrupt("a wrong sync marker") }
      guard count >= 0 else { throw AvroError.corrupt("a negative count") }
      let plain = codec == .null ? Array(block) : try codec.decompress(block.span, limit: limit)
      var decoder = AvroDecoder(plain, range: 0..<plain.count)
      try body(&decoder, count)
      guard decoder.position == plain.count else { throw AvroError.corrupt("a block longer than its records") }
    }
  }
}
