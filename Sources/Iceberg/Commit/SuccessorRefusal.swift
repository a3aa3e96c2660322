// SPDX-License-Identifier: Apache-2.0

/// Why a document may not become the table's metadata.
package struct SuccessorRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  /// What the refusal means to the writer.
  package enum Kind: Sendable, Hashable {
    /// The document is wrong whatever the table is now: EINVAL.
    case invalid
    /// The document was made from a base that is not the current one; derive it anew: ESTALE.
    case conflict
    /// A file the check needs could not be read, with the errno of its code; nothing is said about the document.
    case unavailable(FileIOError.Code)
  }

  package var row: SuccessorRow
  package var kind: Kind
  /// Where in the document: `snapshots[2].summary.operation`. Empty for the document as a whole.
  package var path: String
  package var expected: String
  package var found: String

  package init(row: SuccessorRow, kind: Kind = .invalid, path: String, expected: String, found: String) {
    self.row = row
    self.kind = kind
    self.path = path
    self.expected = expected
    self.found = found.isEmpty ? "an empty text" : found
  }

  /// One sentence for a person, naming row, path, expected and found.
  package var message: String {
    let place = path.isEmpty ? "" : " at `\(path)`"
    return "check \(row.rawValue)\(place): expected \(expected), found \(found)"
  }

  package var description: String { message }
}
