// SPDX-License-Identifier: Apache-2.0

/// Validates a JSON text and writes its tape. Iterative: depth costs no stack.
struct JSONParser {
  private(set) var tape: [JSONTapeEntry] = []

  private let maximumDepth: Int
  /// Tape indices of the open arrays and objects.
  private var open: [Int] = []
  private var position = 0

  private enum Expected {
    case value, elementOrEnd, nameOrEnd, name, separatorOrEnd, nothing
  }

  init(maximumDepth: Int, expectedBytes: Int) {
    self.maximumDepth = maximumDepth
    // Metadata of real tables has a node every 12 to 20 bytes; one growth at most then.
    tape.reserveCapacity(min(expectedBytes, Int(UInt32.max)) / 16 + 8)
  }

  mutating func parse(_ text: Span<UInt8>) throws(JSONError) {
    guard text.count < Int(UInt32.max) else { throw JSONError("the document is longer than 4 GiB", at: 0, in: text) }
    if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF {
      throw JSONError("the document begins with a byte order mark", at: 0, in: text)
    }
    var expected = Expected.value
    while true {
      skipWhiteSpace(text)
      guard position < text.count else {
        if expected == .nothing { return }
        throw endOfText(text)
      }
      let byte = text[unchecked: position]
      switch expected {
      case .value: expected = try value(byte, text)
      case .elementOrEnd: expected = byte == UInt8(ascii: "]") ? close() : try value(byte, text)
      case .nameOrEnd: expected = byte == UInt8(ascii: "}") ? close() : try name(byte, text)
      case .name: expected = try name(byte, text)
      case .separatorOrEnd: expected = try separatorOrEnd(byte, text)
      case .nothing: throw JSONError("expected the end of the document, found \(Self.describe(byte))", at: position, in: text)
      }
    }
  }

  // MARK: Structure

  private mutating func value(_ byte: UInt8, _ text: Span<UInt8>) throws(JSONError) -> Expected {
    switch byte {
    case UInt8(ascii: "\""):
      try string(text)
    case UInt8(ascii: "{"):
      try push(.object, text)
      return .nameOrEnd
    case UInt8(ascii: "["):
      try push(.array, text)
      return .elementOrEnd
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      try number(text)
    case UInt8(ascii: "t"):
      try literal("true", .true, text)
    case UInt8(ascii: "f"):
      try literal("false", .false, text)
    case UInt8(ascii: "n"):
      try literal("null", .null, text)
    default:
      throw JSONError("expected a value, found \(Self.describe(byte))", at: position, in: text)
    }
    return open.isEmpty ? .nothing : .separatorOrEnd
  }

  private mutating func push(_ kind: JSONTapeEntry.Kind, _ text: Span<UInt8>) throws(JSONError) {
    guard open.count < maximumDepth else { throw JSONError("nested deeper than \(maximumDepth) levels", at: position, in: text) }
    open.append(tape.count)
    append(kind, from: position, to: position + 1)
    position += 1
  }

  /// Closes the innermost container at the bracket under `position`.
  private mutating func close() -> Expected {
    position += 1
    if let index = open.popLast() {
      tape[index].end = UInt32(truncatingIfNeeded: position)
      tape[index].next = UInt32(truncatingIfNeeded: tape.count)
    }
    return open.isEmpty ? .nothing : .separatorOrEnd
  }

  private mutating func name(_ byte: UInt8, _ text: Span<UInt8>) throws(JSONError) -> Expected {
    guard byte == UInt8(ascii: "\"") else {
      throw JSONError("expected a member name in quotes, found \(Self.describe(byte))", at: position, in: text)
    }
    try string(text)
    skipWhiteSpace(text)
    guard position < text.count else { throw endOfText(text) }
    guard text[unchecked: position] == UInt8(ascii: ":") else {
      throw JSONError("expected `:` after a member name, found \(Self.describe(text[position]))", at: position, in: text)
    }
    position += 1
    return .value
  }

  private mutating func separatorOrEnd(_ byte: UInt8, _ text: Span<UInt8>) throws(JSONError) -> Expected {
    let isObject = open.last.map { tape[$0].kind == .object } ?? false
    switch (byte, isObject) {
    case (UInt8(ascii: ","), true):
      position += 1
      return .name
    case (UInt8(ascii: ","), false):
      position += 1
      return .value
    case (UInt8(ascii: "}"), true), (UInt8(ascii: "]"), false):
      return close()
    default:
      let wanted = isObject ? "`,` or `}` after a member" : "`,` or `]` after an element"
      throw JSONError("expected \(wanted), found \(Self.describe(byte))", at: position, in: text)
    }
  }

  // MARK: Scalars

  private mutating func string(_ text: Span<UInt8>) throws(JSONError) {
    var scanner = JSONStringScanner(position: position + 1)
    try scanner.scan(text, from: position)
    append(scanner.hasEscapes ? .escapedString : .string, from: position, to: scanner.position)
    position = scanner.position
  }

  private mutating func number(_ text: Span<UInt8>) throws(JSONError) {
    let start = position
    var kind = JSONTapeEntry.Kind.integer
    if text[position] == UInt8(ascii: "-") { position += 1 }
    if position < text.count, text[unchecked: position] == UInt8(ascii: "0") {
      position += 1
      if position < text.count, Self.isDigit(text[unchecked: position]) {
        throw JSONError("a number has a leading zero", at: start, in: text)
      }
    } else {
      try digits(text)
    }
    if position < text.count, text[unchecked: position] == UInt8(ascii: ".") {
      kind = .decimal
      position += 1
      try digits(text)
    }
    if position < text.count, text[unchecked: position] | 0x20 == UInt8(ascii: "e") {
      kind = .decimal
      position += 1
      if position < text.count, text[unchecked: position] == UInt8(ascii: "+") || text[unchecked: position] == UInt8(ascii: "-") {
        position += 1
      }
      try digits(text)
    }
    append(kind, from: start, to: position)
  }

  /// At least one digit.
  private mutating func digits(_ text: Span<UInt8>) throws(JSONError) {
    let start = position
    while position < text.count, Self.isDigit(text[unchecked: position]) { position += 1 }
    if position == start {
      guard position < text.count else { throw endOfText(text) }
      throw JSONError("expected a digit, found \(Self.describe(text[position]))", at: position, in: text)
    }
  }

  private mutating func literal(_ word: StaticString, _ kind: JSONTapeEntry.Kind, _ text: Span<UInt8>) throws(JSONError) {
    let start = position
    for index in 0..<word.utf8CodeUnitCount {
      guard position < text.count else { throw endOfText(text) }
      // SAFETY: `word` is a literal of utf8CodeUnitCount bytes, alive for ever.
      guard text[position] == word.utf8Start[index] else {
        throw JSONError("expected a value, found a word that is not `true`, `false` or `null`", at: start, in: text)
      }
      position += 1
    }
    append(kind, from: start, to: position)
  }

  // MARK: Parts

  private mutating func append(_ kind: JSONTapeEntry.Kind, from start: Int, to end: Int) {
    tape.append(
      JSONTapeEntry(
        start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end),
        next: UInt32(truncatingIfNeeded: tape.count + 1), kind: kind))
  }

  private mutating func skipWhiteSpace(_ text: Span<UInt8>) {
    while position < text.count {
      switch text[unchecked: position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  private func endOfText(_ text: Span<UInt8>) -> JSONError {
    tape.isEmpty && text.isEmpty
      ? JSONError("the document is empty", at: 0, in: text)
      : JSONError("the document ends too early", at: text.count, in: text)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  /// A byte as a message shows it.
  static func describe(_ byte: UInt8) -> String {
    switch byte {
    case 0x21...0x7E: "`\(Character(Unicode.Scalar(byte)))`"
    case 0x20: "a space"
    case 0x0A, 0x0D: "the end of the line"
    case 0x80...: "a character outside ASCII"
    default: "control character 0x\(byte < 16 ? "0" : "")\(String(byte, radix: 16, uppercase: true))"
    }
  }
}
