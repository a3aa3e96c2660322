// SPDX-License-Identifier: Apache-2.0

/// One value of a parsed document: a place on its tape. Cheap to copy; keeps the document alive.
///
/// Accessors of the wrong kind give nil (or an empty sequence), never a trap: foreign documents hold anything anywhere.
package struct JSONNode: Sendable {
  /// The six kinds of JSON values.
  package enum Kind: String, Sendable, CaseIterable {
    case object, array, string, number, bool, null
  }

  let storage: JSONStorage
  let index: Int

  init(storage: JSONStorage, index: Int) {
    self.storage = storage
    self.index = index
  }

  private var entry: JSONTapeEntry { storage.tape[index] }

  /// What the value is.
  package var kind: Kind {
    switch entry.kind {
    case .object: .object
    case .array: .array
    case .string, .escapedString: .string
    case .integer, .decimal: .number
    case .true, .false: .bool
    case .null: .null
    }
  }

  /// Where the raw text of the value stands in the document, quotes and brackets included.
  package var byteRange: Range<Int> { Int(entry.start)..<Int(entry.end) }

  /// True for `null`.
  package var isNull: Bool { entry.kind == .null }

  /// The truth value; nil if the value is no boolean.
  package var bool: Bool? {
    switch entry.kind {
    case .true: true
    case .false: false
    default: nil
    }
  }

  /// The decoded string; nil if the value is no string.
  package var string: String? {
    let entry = entry
    guard entry.kind == .string || entry.kind == .escapedString else { return nil }
    let content = storage.bytes[Int(entry.start) + 1..<Int(entry.end) - 1]
    return entry.kind == .string ? String(decoding: content, as: UTF8.self) : String(decoding: Self.unescape(content), as: UTF8.self)
  }

  /// The integer, exactly; nil for a number with a fraction or an exponent (`1.0`, `1e3`), beyond 64 bits, or no number.
  package var int64: Int64? {
    let entry = entry
    guard entry.kind == .integer else { return nil }
    var digits = storage.bytes[Int(entry.start)..<Int(entry.end)]
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative { digits = digits.dropFirst() }
    var value: Int64 = 0
    for digit in digits {
      // Collected below zero, where the range is one wider.
      let (scaled, overflows) = value.multipliedReportingOverflow(by: 10)
      let (next, passes) = scaled.subtractingReportingOverflow(Int64(digit &- UInt8(ascii: "0")))
      if overflows || passes { return nil }
      value = next
    }
    if isNegative { return value }
    return value == .min ? nil : -value
  }

  /// The nearest double; nil beyond the range of doubles, or for no number.
  package var double: Double? {
    numberText.flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil }
  }

  /// The number as written; nil if the value is no number.
  package var numberText: String? {
    let entry = entry
    guard entry.kind == .integer || entry.kind == .decimal else { return nil }
    return String(decoding: storage.bytes[Int(entry.start)..<Int(entry.end)], as: UTF8.self)
  }

  /// The value of a member, the last one if the name stands there twice; nil if there is none or the value is no object.
  ///
  /// Names are compared as bytes, without Unicode normalisation. Time is linear in the number of members.
  package subscript(_ key: String) -> JSONNode? {
    var key = key
    return key.withUTF8 { bytes in lastMember(named: bytes) }
  }

  /// The members in the order of the text, duplicates included; empty if the value is no object.
  package var members: JSONMemberSequence {
    let isObject = entry.kind == .object
    return JSONMemberSequence(storage: storage, indices: index + 1..<(isObject ? Int(entry.next) : index + 1))
  }

  /// The elements in order; empty if the value is no array.
  package var elements: JSONElementSequence {
    let isArray = entry.kind == .array
    return JSONElementSequence(storage: storage, indices: index + 1..<(isArray ? Int(entry.next) : index + 1))
  }

  private func lastMember(named key: UnsafeBufferPointer<UInt8>) -> JSONNode? {
    let entry = entry
    guard entry.kind == .object else { return nil }
    var found: Int?
    var name = index + 1
    while name < Int(entry.next) {
      if isString(at: name, equalTo: key) { found = name + 1 }
      name = Int(storage.tape[name + 1].next)
    }
    return found.map { JSONNode(storage: storage, index: $0) }
  }

  private func isString(at index: Int, equalTo key: UnsafeBufferPointer<UInt8>) -> Bool {
    let entry = storage.tape[index]
    let content = Int(entry.start) + 1..<Int(entry.end) - 1
    switch entry.kind {
    case .string:
      guard content.count == key.count else { return false }
      // By index: each member of each object passes here, and slices compare several times slower.
      let text = storage.bytes
      for offset in 0..<key.count where text[content.lowerBound + offset] != key[offset] { return false }
      return true
    case .escapedString: return Self.unescape(storage.bytes[content]).elementsEqual(key)
    default: return false
    }
  }
}

extension JSONNode {
  /// Decodes the content of a string that the parser has found valid.
  static func unescape(_ content: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(content.count)
    var rest = content
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
        result.append(byte)
        continue
      }
      switch kind {
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "u"): appendScalar(from: &rest, to: &result)
      default: result.append(kind)
      }
    }
    return result
  }

  private static func appendScalar(from rest: inout ArraySlice<UInt8>, to result: inout [UInt8]) {
    var value = takeCodeUnit(&rest)
    if 0xD800...0xDBFF ~= value {
      rest = rest.dropFirst(2)
      value = 0x10000 + ((value & 0x3FF) << 10) + (takeCodeUnit(&rest) & 0x3FF)
    }
    result.append(contentsOf: String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8)
  }

  private static func takeCodeUnit(_ rest: inout ArraySlice<UInt8>) -> UInt32 {
    let unit = rest.prefix(4).reduce(UInt32(0)) { $0 << 4 | UInt32(Hexadecimal.value(of: $1) ?? 0) }
    rest = rest.dropFirst(4)
    return unit
  }
}
