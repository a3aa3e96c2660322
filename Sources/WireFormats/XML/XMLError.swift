// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not an XML document this module takes, and where.
package struct XMLError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong, without the place.
  package var message: String
  /// From 1.
  package var line: Int
  /// From 1, in bytes.
  package var column: Int

  package init(message: String, line: Int, column: Int) {
    self.message = message
    self.line = line
    self.column = column
  }

  /// "line 3, column 7: …".
  package var description: String { "line \(line), column \(column): \(message)" }
}
