// SPDX-License-Identifier: Apache-2.0

/// What was asked for of one record. Bytes are those of the block: a slice that is kept keeps the whole block.
package struct AvroRecord {
  let block: [UInt8]
  private var slots: [AvroDecoder.Slot]
  private let schemas: [AvroSchema?]

  /// Bytes. Statistics of 100,000 columns; decoded, numbers take some forty times their room.
  private static let largestValue = 4 << 20

  /// Nothing is read yet; all slots are null.
  ///
  /// - Parameter schemas: of the slots; see `AvroProgram.schemas`.
  init(block: [UInt8], schemas: [AvroSchema?]) {
    self.block = block
    self.schemas = schemas
    slots = Array(repeating: .null, count: schemas.count)
  }

  /// Becomes the next record.
  ///
  /// - Parameters:
  ///   - decoder: of the same block.
  ///   - text: the block's bytes.
  @inline(__always)
  mutating func read(_ decoder: inout AvroDecoder, _ program: borrowing AvroProgram, _ text: Span<UInt8>) throws(AvroError) {
    var slots = slots.mutableSpan
    try decoder.record(program, text, into: &slots)
  }

  /// True where the record has no such field, or its value is null.
  package func isNull(_ slot: Int) -> Bool {
    if case .null = slots[slot] { true } else { false }
  }

  /// An Avro int or long; nil for other types.
  package func long(_ slot: Int) -> Int64? {
    if case .number(let value) = slots[slot] { value } else { nil }
  }

  /// The content of bytes or of a string, whose UTF-8 is not checked; nil for other types.
  package func bytes(_ slot: Int) -> ArraySlice<UInt8>? {
    if case .bytes(let range) = slots[slot] { block[range] } else { nil }
  }

  /// The content of a string; nil for other types. Throws `corrupt` if it is not UTF-8.
  package func string(_ slot: Int) throws(AvroError) -> String? {
    guard let bytes = bytes(slot) else { return nil }
    return try AvroValue.string(bytes)
  }

  /// A value of any type, decoded in full; bytes and strings, which look alike here, give `.bytes`.
  ///
  /// - Throws: as decoding does; `overLimit` for a compound value of more than 4 MiB.
  package func value(_ slot: Int) throws(AvroError) -> AvroValue {
    switch slots[slot] {
    case .null: return .null
    case .boolean(let value): return .boolean(value)
    case .number(let value): return .long(value)
    case .bytes(let range): return .bytes(Array(block[range]))
    case .value(let range):
      guard let schema = schemas[slot] else { return .null }
      guard range.count <= Self.largestValue else {
        throw AvroError(code: .overLimit, message: "a record holds a value of more than \(Self.largestValue) bytes")
      }
      var decoder = AvroDecoder(range: range)
      return try decoder.value(schema, block.span)
    }
  }
}
