// SPDX-License-Identifier: Apache-2.0

/// The rule by which names are shown, written a second time from its sentence in the documents.
///
/// A name is shown as it is, unless it holds `/` or NUL, is `.`, `..` or empty, holds `%` followed by two hex digits or by `~`, or ends in `%`:
/// then those bytes and every `%` are percent-encoded (an empty segment is `%`).
enum ShownName {
  static let longest = 255

  static func encode(_ name: [UInt8]) -> [UInt8] {
    if name.isEmpty { return Array("%".utf8) }
    let text = String(decoding: name, as: UTF8.self)
    let isDots = text == "." || text == ".."
    let isPlain = !isDots && !name.contains(0) && !name.contains(UInt8(ascii: "/")) && !text.hasSuffix("%") && !holdsEscape(text)
    if isPlain { return name }
    return name.flatMap { byte -> [UInt8] in
      let isEncoded = byte == 0 || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "%") || isDots
      guard isEncoded else { return [byte] }
      let digits = String(byte, radix: 16, uppercase: true)
      return Array("%".utf8) + Array((digits.count == 1 ? "0" + digits : digits).utf8)
    }
  }

  private static func holdsEscape(_ text: String) -> Bool {
    text.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false).dropFirst().contains { part in
      part.first == UInt8(ascii: "~") || part.count >= 2 && part.prefix(2).allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
    }
  }
}
