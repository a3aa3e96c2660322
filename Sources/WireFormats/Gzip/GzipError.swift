// SPDX-License-Identifier: Apache-2.0

/// Why bytes could not be decompressed or compressed.
package struct GzipError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Kinds of faults; only `outOfMemory` is the environment's.
  package enum Code: String, Sendable, CaseIterable {
    /// The bytes do not begin with a gzip header.
    case notGzip
    /// The data ends inside a member.
    case truncated
    /// Wrong checksum, length, block or header; or something that is no member follows one.
    case corrupt
    /// More bytes come out than the caller allows.
    case overLimit
    case outOfMemory
  }

  package var code: Code
  /// One clause for a person: "the gzip data ends too early".
  package var message: String

  package init(code: Code, message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}
