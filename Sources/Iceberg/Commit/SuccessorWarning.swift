// SPDX-License-Identifier: Apache-2.0

/// Something unusual in a document that is accepted.
package struct SuccessorWarning: Sendable, Hashable, CustomStringConvertible {
  package var row: SuccessorRow
  package var path: String
  /// One sentence for a person.
  package var message: String

  package var description: String { "check \(row.rawValue) at `\(path)`: \(message)" }
}
