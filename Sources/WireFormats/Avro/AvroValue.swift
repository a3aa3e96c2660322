// SPDX-License-Identifier: Apache-2.0

/// A decoded value.
package enum AvroValue: Sendable, Hashable {
  case null
  case boolean(Bool)
  /// An Avro int or long, or the index of an enumeration's symbol.
  case long(Int64)
  case float(Float)
  case double(Double)
  /// Bytes or fixed.
  case bytes([UInt8])
  case string(String)
  case array([AvroValue])
  /// In the order written.
  case map([Entry])
  /// In the order of the schema.
  case record([Field])

  /// One of a map.
  package struct Entry: Sendable, Hashable {
    package var key: String
    package var value: AvroValue
  }

  /// One of a record.
  package struct Field: Sendable, Hashable {
    /// Iceberg's id; nil in files of old writers.
    package var id: Int?
    package var name: String
    package var value: AvroValue
  }

  /// The integer; nil for other kinds.
  package var long: Int64? { if case .long(let value) = self { value } else { nil } }
  /// The truth value; nil for other kinds.
  package var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
  /// Bytes or fixed; nil for other kinds.
  package var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
  /// The items; nil for other kinds.
  package var array: [AvroValue]? { if case .array(let items) = self { items } else { nil } }
  /// The fields; nil for other kinds.
  package var record: [Field]? { if case .record(let fields) = self { fields } else { nil } }

  static func string(_ bytes: some Collection<UInt8>) throws(AvroError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw AvroError.corrupt("a string that is not UTF-8") }
    return text
  }
}

extension AvroDecoder {
  /// Decodes one value in full.
  mutating func value(_ schema: AvroSchema, _ text: Span<UInt8>) throws(AvroError) -> AvroValue {
    try spend()
    switch schema {
    case .null: return .null
    case .boolean: return .boolean(try boolean(text))
    case .int, .long, .enumeration: return .long(try number(text))
    case .float: return .float(Float(bitPattern: UInt32(truncatingIfNeeded: try littleEndian(4, text))))
    case .double: return .double(Double(bitPattern: try littleEndian(8, text)))
    case .bytes: return .bytes(try content(try number(text), text))
    case .fixed(let size): return .bytes(try content(Int64(size), text))
    case .string: return .string(try AvroValue.string(try content(try number(text), text)))
    case .union(let branches):
      let branch = try number(text)
      guard branch >= 0, branch < Int64(branches.count) else { throw AvroError.corrupt("a union branch that does not exist") }
      return try value(branches[Int(branch)], text)
    case .array(let items):
      var values: [AvroValue] = []
      while let block = try block(text) {
        for _ in 0..<block.count { values.append(try value(items, text)) }
      }
      return .array(values)
    case .map(let values):
      var entries: [AvroValue.Entry] = []
      while let block = try block(text) {
        for _ in 0..<block.count {
          let key = try AvroValue.string(try content(try number(text), text))
          entries.append(AvroValue.Entry(key: key, value: try value(values, text)))
        }
      }
      return .map(entries)
    case .record(let fields):
      var values: [AvroValue.Field] = []
      for field in fields { values.append(AvroValue.Field(id: field.fieldID, name: field.name, value: try value(field.schema, text))) }
      return .record(values)
    }
  }

  private mutating func content(_ count: Int64, _ text: Span<UInt8>) throws(AvroError) -> [UInt8] {
    text.extracting(try take(count)).withUnsafeBufferPointer { Array($0) }
  }

  private mutating func littleEndian(_ count: Int64, _ text: Span<UInt8>) throws(AvroError) -> UInt64 {
    var value: UInt64 = 0
    for index in try take(count).reversed() { value = value << 8 | UInt64(text[index]) }
    return value
  }
}
