// SPDX-License-Identifier: Apache-2.0

/// Why a table metadata file could not be read.
package struct TableMetadataError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Kinds of faults; none goes away by trying again.
  package enum Code: String, Sendable, CaseIterable {
    /// The name does not hold `.metadata.json`.
    case invalidName
    /// Name and content disagree on gzip, or the gzip data is truncated, corrupt or too large.
    case compression
    case notJSON
    /// A format version newer than this reader.
    case unsupportedVersion
    /// A member is missing or is of the wrong type or value.
    case invalid
  }

  package var code: Code
  /// The file as the reader was given it.
  package var file: String
  /// What is wrong, to follow the file's name: "is missing `location`".
  package var reason: String
  /// Where in the document: `refs.main.type`. Empty for the document as a whole.
  package var path: String
  /// What should stand there; empty if the reason says it all.
  package var expected: String
  /// What stands there; empty if the reason says it all.
  package var found: String
  /// The whole-document check that failed, 1 to 9 as table-metadata.md §3 counts them; nil for a fault of one member.
  package var documentCheck: Int?

  package init(
    code: Code, file: String, reason: String, path: String = "", expected: String = "", found: String = "", documentCheck: Int? = nil
  ) {
    self.code = code
    self.file = file
    self.reason = reason
    self.path = path
    self.expected = expected
    self.found = found
    self.documentCheck = documentCheck
  }

  /// One sentence for a person, naming the file.
  package var message: String { "\(file) \(reason)" }

  package var description: String { message }
}
