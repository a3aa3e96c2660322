// SPDX-License-Identifier: Apache-2.0

/// Finds the end of a JSON string and validates what is in it: escapes, control characters, UTF-8.
struct JSONStringScanner {
  /// The next byte to look at; after `scan`, the byte after the closing quote.
  private(set) var position: Int
  private(set) var hasEscapes = false

  init(position: Int) {
    self.position = position
  }

  /// - Parameter start: the opening quote, for the message of an unclosed string.
  mutating func scan(_ text: Span<UInt8>, from start: Int) throws(JSONError) {
    while true {
      skipPlain(text)
      guard position < text.count else { throw JSONError("the document ends inside a string", at: start, in: text) }
      let byte = text[unchecked: position]
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try escape(text, from: start)
      case 0x80...:
        let length = UTF8Sequence.length(at: position, in: text)
        guard length > 0 else { throw JSONError("a string is not valid UTF-8", at: position, in: text) }
        position += length
      case ..<0x20:
        throw JSONError("a string holds \(JSONParser.describe(byte)) without an escape", at: position, in: text)
      default:
        position += 1
      }
    }
  }

  /// Skips, eight at a time, bytes that are neither a quote, a backslash, a control character nor outside ASCII.
  ///
  /// A subtraction borrows into the byte above only where a byte is itself a hit, so the lowest hit is exact.
  private mutating func skipPlain(_ text: Span<UInt8>) {
    let raw = text.bytes
    while position + 8 <= text.count {
      // SAFETY: eight bytes from `position` lie inside the text, by the loop's condition.
      let word = UInt64(littleEndian: unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
      let control = word &- 0x2020_2020_2020_2020
      let quote = (word ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
      let backslash = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
      let hits = (control | quote | backslash | word) & 0x8080_8080_8080_8080
      if hits != 0 {
        position += hits.trailingZeroBitCount >> 3
        return
      }
      position += 8
    }
  }

  private mutating func escape(_ text: Span<UInt8>, from start: Int) throws(JSONError) {
    let backslash = position
    position += 1
    guard position < text.count else { throw JSONError("the document ends inside a string", at: start, in: text) }
    let kind = text[unchecked: position]
    position += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      return
    case UInt8(ascii: "u"):
      let unit = try codeUnit(text, from: start)
      switch unit {
      case 0xD800...0xDBFF:
        guard position + 1 < text.count, text[position] == UInt8(ascii: "\\"), text[position + 1] == UInt8(ascii: "u") else {
          throw JSONError("an escape names half of a surrogate pair", at: backslash, in: text)
        }
        position += 2
        guard (0xDC00...0xDFFF).contains(try codeUnit(text, from: start)) else {
          throw JSONError("an escape names half of a surrogate pair", at: backslash, in: text)
        }
      case 0xDC00...0xDFFF:
        throw JSONError("an escape names half of a surrogate pair", at: backslash, in: text)
      default:
        return
      }
    default:
      throw JSONError("a string holds an unknown escape, `\\` and \(JSONParser.describe(kind))", at: backslash, in: text)
    }
  }

  private mutating func codeUnit(_ text: Span<UInt8>, from start: Int) throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard position < text.count else { throw JSONError("the document ends inside a string", at: start, in: text) }
      guard let digit = Hexadecimal.value(of: text[unchecked: position]) else {
        throw JSONError(
          "expected four hexadecimal digits after `\\u`, found \(JSONParser.describe(text[position]))", at: position, in: text)
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }
}

/// Digits of `\u` escapes.
enum Hexadecimal {
  /// 0 to 15; nil for any other byte.
  static func value(of byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// Well-formed UTF-8 byte sequences. Source: Unicode 15, table 3-7.
enum UTF8Sequence {
  /// Bytes of the well-formed sequence that begins here; 0 if there is none.
  static func length(at position: Int, in text: Span<UInt8>) -> Int {
    let first = text[position]
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case ..<0x80: return 1
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default: return 0
    }
    guard position + length <= text.count, second.contains(text[position + 1]) else { return 0 }
    for index in 2..<max(2, length) where text[position + index] & 0xC0 != 0x80 { return 0 }
    return length
  }
}
