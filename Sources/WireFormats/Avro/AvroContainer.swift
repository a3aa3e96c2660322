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
      throw AvroError(code: .notAvro, message: "the file is not an Avro object container").at(0)
    }
    var decoder = AvroDecoder(range: 4..<bytes.count)
    do throws(AvroError) {
      metadata = try Self.metadata(&decoder, bytes)
      sync = bytes[try decoder.take(16)]
    } catch {
      throw error.at(decoder.position)
    }
    guard let schemaText = metadata["avro.schema"] else {
      throw AvroError(code: .corrupt, message: "the Avro file has no schema").at(decoder.position)
    }
    self.bytes = bytes
    firstBlock = decoder.position
    schema = try AvroSchema(parsing: schemaText)
    codec = metadata["avro.codec"].map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }

  private static func metadata(_ decoder: inout AvroDecoder, _ bytes: [UInt8]) throws(AvroError) -> [String: [UInt8]] {
    var metadata: [String: [UInt8]] = [:]
    // Each entry takes two bytes at least, so a false count ends at the end of the file.
    while let block = try decoder.block(bytes.span) {
      for _ in 0..<block.count {
        let key = String(decoding: bytes[try decoder.lengthPrefixed(bytes.span)], as: UTF8.self)
        metadata[key] = Array(bytes[try decoder.lengthPrefixed(bytes.span)])
      }
    }
    return metadata
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

  /// Reads a few fields of every record, nested ones too, and goes over the others: for files with a million entries.
  ///
  /// - Parameters:
  ///   - paths: the fields from the outermost record inwards; matched by field id, by name in records that have no ids. The index of a path
  ///     is its slot in the records. A path that goes on below another's end stays null.
  ///   - limit: the most bytes a block may decompress to.
  ///   - body: gets the records in the order of the file.
  /// - Throws: `unsupportedCodec`, `unsupportedSchema`, `truncated`, `corrupt`, `overLimit`, and what the body throws.
  package func forEachRecord(
    _ paths: [[Selection]], limit: Int = 256 << 20, _ body: (borrowing AvroRecord) throws(AvroError) -> Void
  ) throws(AvroError) {
    var records = try records(paths, limit: limit)
    while try records.nextBlock() { try records.forEach(body) }
  }

  /// The same, record by record, for a reader that stops and goes on.
  package func records(_ paths: [[Selection]], limit: Int = 256 << 20) throws(AvroError) -> AvroRecords {
    guard case .record = schema else {
      throw AvroError(code: .unsupportedSchema, message: "the Avro schema is not a record")
    }
    return AvroRecords(
      bytes: bytes, sync: sync, file: AvroDecoder(range: firstBlock..<bytes.count), program: try AvroProgram(schema, keeping: paths),
      codec: try AvroCodec(named: codec), limit: limit)
  }
}
