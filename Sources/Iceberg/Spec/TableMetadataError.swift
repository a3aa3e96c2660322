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

  package init(code: Code, file: String, reason: String) {
    self.code = code
    self.file = file
    self.reason = reason
  }

  /// One sentence for a person, naming the file.
  package var message: String { "\(file) \(reason)" }

  package var description: String { message }
}
