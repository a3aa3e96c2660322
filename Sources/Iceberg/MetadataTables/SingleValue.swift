// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// One value of a column, read from the form that bounds and partition tuples have. Source: spec/manifests.md §7.
package enum SingleValue: Sendable, Hashable {
  case boolean(Bool)
  case integer(Int64)
  case float(Float)
  case double(Double)
  case decimal(Int128, scale: Int)
  case string(String)
  /// Binary, fixed.
  case bytes([UInt8])
  /// 16 bytes.
  case uuid([UInt8])
  /// Days since 1970-01-01.
  case date(Int64)
  /// Microseconds since midnight.
  case time(Int64)
  /// Since 1970; `digits` of the fraction of a second that a tick is: 6 or 9.
  case timestamp(Int64, digits: Int, hasZone: Bool)

  /// The value of a bound; nil for bytes that are none of the type, which a reader ignores.
  ///
  /// Types that a column had before it was widened are read as well.
  package init?(_ bytes: some RandomAccessCollection<UInt8>, _ type: PrimitiveType) {
    switch type {
    case .boolean:
      guard bytes.count == 1 else { return nil }
      self = .boolean(bytes.first != 0)
    case .int, .long:
      guard let value = Self.integer(bytes) else { return nil }
      self = .integer(value)
    case .date:
      guard bytes.count == 4, let value = Self.integer(bytes) else { return nil }
      self = .date(value)
    case .time:
      guard bytes.count == 8, let value = Self.integer(bytes) else { return nil }
      self = .time(value)
    case .timestamp, .timestamptz, .timestampNs, .timestamptzNs:
      guard let value = Self.integer(bytes) else { return nil }
      self.init(integer: bytes.count == 4 ? Self.ticks(ofDays: value, type) : value, type)
    case .float:
      guard bytes.count == 4, let bits = Self.integer(bytes) else { return nil }
      self = .float(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .double:
      guard let bits = Self.integer(bytes) else { return nil }
      self =
        bytes.count == 4
        ? .double(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))) : .double(Double(bitPattern: UInt64(bitPattern: bits)))
    case .decimal(_, let scale):
      guard let value = Self.bigEndian(bytes) else { return nil }
      self = .decimal(value, scale: scale)
    case .string:
      guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
      self = .string(text)
    case .uuid:
      guard bytes.count == 16 else { return nil }
      self = .uuid(Array(bytes))
    case .fixed, .binary: self = .bytes(Array(bytes))
    case .unknown, .variant, .geometry, .geography: return nil
    }
  }

  /// The value of a partition field as Avro has it; nil for null, and for what is no value of the type.
  package init?(_ value: AvroValue, _ type: PrimitiveType) {
    switch value {
    case .boolean(let value): self = .boolean(value)
    case .long(let number): self.init(integer: number, type)
    case .float(let value): self = .float(value)
    case .double(let value): self = .double(value)
    case .string(let text): self = .string(text)
    case .bytes(let bytes): self.init(bytes, type)
    case .null, .array, .map, .record: return nil
    }
  }

  private init(integer: Int64, _ type: PrimitiveType) {
    self =
      switch type {
      case .date: .date(integer)
      case .time: .time(integer)
      case .timestamp: .timestamp(integer, digits: 6, hasZone: false)
      case .timestamptz: .timestamp(integer, digits: 6, hasZone: true)
      case .timestampNs: .timestamp(integer, digits: 9, hasZone: false)
      case .timestamptzNs: .timestamp(integer, digits: 9, hasZone: true)
      default: .integer(integer)
      }
  }

  /// The value as people read it: what Iceberg shows of bounds in `partition_summaries`; binary in hexadecimal digits.
  package var text: String {
    switch self {
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .float(let value): value.description
    case .double(let value): value.description
    case .decimal(let unscaled, let scale): Self.decimal(unscaled, scale)
    case .string(let text): text
    case .bytes(let bytes): Self.hexadecimal(bytes)
    case .uuid(let bytes): Self.uuid(bytes)
    case .date(let days): CivilTime.date(days: days)
    case .time(let ticks): CivilTime.time(ticks, digits: 6)
    case .timestamp(let ticks, let digits, let hasZone): CivilTime.timestamp(ticks, digits: digits) + (hasZone ? "+00:00" : "")
    }
  }

  /// As Iceberg writes single values in JSON: numbers and truth values as such, decimals, times and bytes as strings.
  func write(to line: inout JSONLine) {
    switch self {
    case .boolean(let value): line.bool(value)
    case .integer(let value): line.number(value)
    case .float(let value): value.isFinite ? line.raw(value.description) : line.string(value.description)
    case .double(let value): value.isFinite ? line.raw(value.description) : line.string(value.description)
    default: line.string(text)
    }
  }

  // MARK: Parts

  private static func ticks(ofDays days: Int64, _ type: PrimitiveType) -> Int64 {
    // Of 32 bits; a thousand million days in nanoseconds would pass 64, so they wrap as in a writer that widens them.
    days &* 86_400 &* (type == .timestampNs || type == .timestamptzNs ? 1_000_000_000 : 1_000_000)
  }

  /// Little-endian, 4 or 8 bytes.
  private static func integer(_ bytes: some RandomAccessCollection<UInt8>) -> Int64? {
    guard bytes.count == 4 || bytes.count == 8 else { return nil }
    let value = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return bytes.count == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
  }

  /// Two's complement, at most 16 bytes.
  private static func bigEndian(_ bytes: some RandomAccessCollection<UInt8>) -> Int128? {
    guard let first = bytes.first, bytes.count <= 16 else { return nil }
    return bytes.reduce(first & 0x80 == 0 ? Int128(0) : -1) { $0 << 8 | Int128($1) }
  }

  private static func decimal(_ unscaled: Int128, _ scale: Int) -> String {
    var digits = String(unscaled.magnitude)
    guard 1...38 ~= scale else { return (unscaled < 0 ? "-" : "") + digits }
    if digits.utf8.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits }
    return (unscaled < 0 ? "-" : "") + digits.dropLast(scale) + "." + digits.suffix(scale)
  }

  private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func uuid(_ bytes: [UInt8]) -> String {
    [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { hexadecimal(bytes[$0]) }.joined(separator: "-")
  }
}
