// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not a JSON document, and where.
package struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong, without the place: "expected `:` after a member name, found `}`".
  package var message: String
  /// From 1; lines end at LF.
  package var line: Int
  /// From 1, in Unicode scalars.
  package var column: Int
  /// From 0, in bytes.
  package var offset: Int

  package init(message: String, line: Int, column: Int, offset: Int) {
    self.message = message
    self.line = line
    self.column = column
    self.offset = offset
  }

  /// "line 3, column 7: …".
  package var description: String { "line \(line), column \(column): \(message)" }
}

extension JSONError {
  /// The error at a byte of the text; line and column are counted here, so that parsing need not.
  init(_ message: String, at offset: Int, in text: Span<UInt8>) {
    var line = 1
    var column = 1
    for index in 0..<min(offset, text.count) {
      let byte = text[index]
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    self.init(message: message, line: line, column: column, offset: offset)
  }
}
