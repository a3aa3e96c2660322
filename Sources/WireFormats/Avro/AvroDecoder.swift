// SPDX-License-Identifier: Apache-2.0

/// Reads values from the plain bytes of a block.
struct AvroDecoder {
  private let bytes: [UInt8]
  private(set) var position: Int
  private let end: Int
  /// Values that may still be read: stops empty values nested or repeated without end.
  private var budget: Int

  init(_ bytes: [UInt8], range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
    budget = range.count &* 8 &+ 4096
  }

  /// Zig-zag, base 128, least significant group first.
  mutating func long() throws(AvroError) -> Int64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { throw AvroError.truncated }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
    }
    throw AvroError.corrupt("a number of more than ten bytes")
  }

  /// Bytes preceded by their length.
  mutating func lengthPrefixed() throws(AvroError) -> ArraySlice<UInt8> {
    try take(try long())
  }

  mutating func take(_ count: Int64) throws(AvroError) -> ArraySlice<UInt8> {
    guard count >= 0 else { throw AvroError.corrupt("a negative length") }
    guard count <= Int64(end - position) else { throw AvroError.truncated }
    defer { position += Int(count) }
    return bytes[position..<(position + Int(count))]
  }

  /// The items of a next block of an array or map; 0 at its end. The size that follows a negative count is skipped.
  mutating func blockCount() throws(AvroError) -> Int64 {
    let count = try long()
    guard count < 0 else { return count }
    _ = try long()
    guard count != .min else { throw AvroError.corrupt("a block count out of range") }
    return -count
  }

  /// A record's fields of the asked ids; others are skipped.
  mutating func record(_ fields: [AvroSchema.Field], selecting ids: [Int?]) throws(AvroError) -> [Int: AvroValue] {
    try spend()
    var values: [Int: AvroValue] = [:]
    for (field, id) in zip(fields, ids) {
      if let id { values[id] = try value(field.schema) } else { _ = try value(field.schema, isKept: false) }
    }
    return values
  }

  /// Reads a value over, and puts what is to be kept of it into its slots.
  mutating func pick(_ pick: AvroPick, into values: inout [AvroValue]) throws(AvroError) {
    switch pick {
    case .skip(let schema): _ = try value(schema, isKept: false)
    case .keep(let schema, let slot): values[slot] = try value(schema)
    case .record(let fields):
      try spend()
      for field in fields { try self.pick(field, into: &values) }
    case .union(let branches):
      try spend()
      let branch = try long()
      guard branch >= 0, branch < Int64(branches.count) else { throw AvroError.corrupt("a union branch that does not exist") }
      try self.pick(branches[Int(branch)], into: &values)
    }
  }

  /// A value; compound ones are read over and give `.compound`.
  private mutating func value(_ schema: AvroSchema, isKept: Bool = true) throws(AvroError) -> AvroValue {
    try spend()
    switch schema {
    case .null: return .null
    case .boolean: return .boolean(try take(1).first != 0)
    case .int, .long: return .long(try long())
    case .enumeration:
      _ = try long()
      return .compound
    case .float:
      _ = try take(4)
      return .compound
    case .double:
      _ = try take(8)
      return .compound
    case .bytes:
      let content = try lengthPrefixed()
      return isKept ? .bytes(Array(content)) : .compound
    case .string:
      let content = try lengthPrefixed()
      guard isKept else { return .compound }
      guard let text = String(validating: content, as: UTF8.self) else { throw AvroError.corrupt("a string that is not UTF-8") }
      return .string(text)
    case .fixed(let size):
      _ = try take(Int64(size))
      return .compound
    case .union(let branches):
      let branch = try long()
      guard branch >= 0, branch < Int64(branches.count) else { throw AvroError.corrupt("a union branch that does not exist") }
      return try value(branches[Int(branch)], isKept: isKept)
    case .array(let items):
      try skipItems { decoder throws(AvroError) in _ = try decoder.value(items, isKept: false) }
    case .map(let values):
      try skipItems { decoder throws(AvroError) in
        _ = try decoder.lengthPrefixed()
        _ = try decoder.value(values, isKept: false)
      }
    case .record(let fields):
      for field in fields { _ = try value(field.schema, isKept: false) }
    }
    return .compound
  }

  private mutating func skipItems(_ skip: (inout AvroDecoder) throws(AvroError) -> Void) throws(AvroError) {
    while true {
      let count = try blockCount()
      if count == 0 { return }
      for _ in 0..<count { try skip(&self) }
    }
  }

  private mutating func spend() throws(AvroError) {
    budget -= 1
    guard budget > 0 else { throw AvroError(code: .overLimit, message: "the Avro file claims more values than it has bytes for") }
  }
}

/// A decoded value of the kinds that Iceberg's headers and lists are asked for.
package enum AvroValue: Sendable, Hashable {
  case null
  case boolean(Bool)
  /// An Avro int or long.
  case long(Int64)
  case bytes([UInt8])
  case string(String)
  /// Anything else: read over.
  case compound

  /// The integer; nil for other kinds.
  package var long: Int64? { if case .long(let value) = self { value } else { nil } }
  /// The string; nil for other kinds.
  package var string: String? { if case .string(let value) = self { value } else { nil } }
}
