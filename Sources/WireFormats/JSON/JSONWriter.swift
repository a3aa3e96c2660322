// SPDX-License-Identifier: Apache-2.0

/// Writes a `JSONValue` as text.
struct JSONWriter {
  private(set) var text: [UInt8] = []
  private let isPretty: Bool
  private var level = 0

  init(isPretty: Bool) {
    self.isPretty = isPretty
  }

  mutating func write(_ value: JSONValue) {
    switch value {
    case .null: text.append(contentsOf: "null".utf8)
    case .bool(let value): text.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): text.append(contentsOf: String(value).utf8)
    case .number(let value): text.append(contentsOf: value.utf8)
    case .string(let value): write(string: value)
    case .array(let elements):
      container("[", "]", elements) { writer, element in writer.write(element) }
    case .object(let object):
      container("{", "}", object.members) { writer, member in
        writer.write(string: member.key)
        writer.text.append(UInt8(ascii: ":"))
        if writer.isPretty { writer.text.append(UInt8(ascii: " ")) }
        writer.write(member.value)
      }
    }
  }

  private mutating func container<Part>(
    _ opening: Unicode.Scalar, _ closing: Unicode.Scalar, _ parts: [Part], _ writePart: (inout JSONWriter, Part) -> Void
  ) {
    text.append(UInt8(ascii: opening))
    level += 1
    var isFirst = true
    for part in parts {
      if !isFirst { text.append(UInt8(ascii: ",")) }
      isFirst = false
      breakLine()
      writePart(&self, part)
    }
    level -= 1
    if !parts.isEmpty { breakLine() }
    text.append(UInt8(ascii: closing))
  }

  private mutating func breakLine() {
    guard isPretty else { return }
    text.append(UInt8(ascii: "\n"))
    text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: level * 2))
  }

  private mutating func write(string: String) {
    text.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case 0x08: text.append(contentsOf: "\\b".utf8)
      case 0x0C: text.append(contentsOf: "\\f".utf8)
      case 0x0A: text.append(contentsOf: "\\n".utf8)
      case 0x0D: text.append(contentsOf: "\\r".utf8)
      case 0x09: text.append(contentsOf: "\\t".utf8)
      case ..<0x20: text.append(contentsOf: "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}
