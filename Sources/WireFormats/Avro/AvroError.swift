// SPDX-License-Identifier: Apache-2.0

/// Why bytes could not be read as an Avro object container file.
package struct AvroError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Kinds of faults; none goes away by trying again.
  package enum Code: String, Sendable, CaseIterable {
    /// The bytes do not begin with `Obj` and 1.
    case notAvro
    /// The file ends inside a header, a block or a value.
    case truncated
    /// A wrong sync marker, length, branch or compressed block.
    case corrupt
    /// The schema is not one an Iceberg writer makes.
    case unsupportedSchema
    /// Blocks are compressed by a codec that is not read here; the header is readable.
    case unsupportedCodec
    /// A block is larger, or holds more values, than the caller or the format's use allows.
    case overLimit
  }

  package var code: Code
  /// One clause for a person: "the Avro file ends too early".
  package var message: String
  /// Where in the file: of the block that cannot be read, and within it where it is not compressed. Nil if it is not known.
  package private(set) var offset: Int?

  package init(code: Code, message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { offset.map { "\(message), at byte \($0)" } ?? message }

  /// The same fault at a place, unless it has one.
  func at(_ offset: Int) -> AvroError {
    var copy = self
    copy.offset = self.offset ?? offset
    return copy
  }

  static let truncated = AvroError(code: .truncated, message: "the Avro file ends too early")
  static func corrupt(_ what: String) -> AvroError { AvroError(code: .corrupt, message: "the Avro file is corrupt: \(what)") }
}
