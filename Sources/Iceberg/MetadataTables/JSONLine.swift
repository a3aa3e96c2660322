// SPDX-License-Identifier: Apache-2.0

/// JSON objects one after the other, each a line: written straight into bytes, since a table may have a million.
struct JSONLine: Sendable {
  private(set) var bytes: [UInt8] = []
  /// Whether the next member or element needs a comma before it.
  private var needsComma = false

  /// An object for each element.
  static func rows<Element>(_ elements: some Sequence<Element>, _ write: (inout JSONLine, Element) -> Void) -> [UInt8] {
    var line = JSONLine()
    for element in elements {
      line.begin()
      write(&line, element)
      line.end(line: true)
    }
    return line.bytes
  }

  // MARK: Structure

  mutating func begin() { open("{") }

  /// Ends an object; the outermost one with its line.
  mutating func end(line: Bool = false) {
    bytes.append(UInt8(ascii: "}"))
    if line { bytes.append(UInt8(ascii: "\n")) }
    needsComma = !line
  }

  mutating func beginArray() { open("[") }

  mutating func endArray() {
    bytes.append(UInt8(ascii: "]"))
    needsComma = true
  }

  mutating func key(_ name: String) {
    value { $0.quote(name.utf8) }
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  // MARK: Values

  mutating func null() { raw("null") }

  mutating func bool(_ value: Bool?) { raw(value.map { $0 ? "true" : "false" } ?? "null") }

  mutating func number(_ value: (some BinaryInteger)?) { raw(value.map { String($0) } ?? "null") }

  /// Text that is JSON as it stands.
  mutating func raw(_ text: String) { value { $0.bytes.append(contentsOf: text.utf8) } }

  mutating func string(_ text: String?) {
    if let text { value { $0.quote(text.utf8) } } else { null() }
  }

  mutating func hexadecimal(_ content: some Sequence<UInt8>) {
    value { line in
      line.bytes.append(UInt8(ascii: "\""))
      for byte in content { line.bytes += [Self.digit(byte >> 4), Self.digit(byte & 15)] }
      line.bytes.append(UInt8(ascii: "\""))
    }
  }

  // MARK: Members

  mutating func bool(_ name: String, _ value: Bool?) {
    key(name)
    bool(value)
  }

  mutating func number(_ name: String, _ value: (some BinaryInteger)?) {
    key(name)
    number(value)
  }

  mutating func string(_ name: String, _ text: String?) {
    key(name)
    string(text)
  }

  /// UTF-8; what is none is replaced.
  mutating func string(_ name: String, utf8 text: ArraySlice<UInt8>) {
    key(name)
    if text.allSatisfy({ $0 < 0x80 }) { value { $0.quote(text) } } else { string(String(decoding: text, as: UTF8.self)) }
  }

  private mutating func value(_ write: (inout JSONLine) -> Void) {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    write(&self)
    needsComma = true
  }

  private mutating func open(_ bracket: Unicode.Scalar) {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    bytes.append(UInt8(ascii: bracket))
    needsComma = false
  }

  private mutating func quote(_ text: some Sequence<UInt8>) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case ..<0x20: bytes += Array("\\u00".utf8) + [Self.digit(byte >> 4), Self.digit(byte & 15)]
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }
}
