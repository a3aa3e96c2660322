// SPDX-License-Identifier: Apache-2.0

/// A parsed JSON text that keeps every byte it was made of: order, white space, unknown members and number text survive.
///
/// The text is validated once (RFC 8259 and UTF-8, both strictly) into a flat tape of nodes. Strings and numbers are decoded when
/// asked for.
/// Copies share the text and the tape.
package struct JSONDocument: Sendable {
  private let storage: JSONStorage

  /// Parses a whole text.
  ///
  /// Duplicate member names are tolerated: the last one wins. An escaped surrogate without its other half is refused, since no Unicode
  /// string can hold it.
  /// - Parameter maximumDepth: how many arrays and objects may be open at once.
  /// - Throws: `JSONError` with the place of the first fault.
  package init(parsing bytes: [UInt8], maximumDepth: Int = 200) throws(JSONError) {
    var parser = JSONParser(maximumDepth: maximumDepth, expectedBytes: bytes.count)
    try parser.parse(bytes.span)
    storage = JSONStorage(bytes: bytes, tape: parser.tape)
  }

  /// The text as given.
  package var bytes: [UInt8] { storage.bytes }

  /// The outermost value.
  package var root: JSONNode { JSONNode(storage: storage, index: 0) }
}

/// The text and its tape, shared by all nodes of a document.
final class JSONStorage: Sendable {
  let bytes: [UInt8]
  let tape: [JSONTapeEntry]

  init(bytes: [UInt8], tape: [JSONTapeEntry]) {
    self.bytes = bytes
    self.tape = tape
  }
}

/// One node: 16 bytes. An object is followed by name, value, name, value, …; an array by its elements.
///
/// 32-bit places keep the tape of a 20 MB text in the order of its size; longer texts than 4 GiB are refused.
struct JSONTapeEntry {
  enum Kind: UInt8 {
    case object, array, string, escapedString, integer, decimal, `true`, `false`, null
  }

  /// First byte of the raw text.
  var start: UInt32
  /// Past the last byte of the raw text.
  var end: UInt32
  /// Index of the entry after this node and all below it.
  var next: UInt32
  var kind: Kind
}
