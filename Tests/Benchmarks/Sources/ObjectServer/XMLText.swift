// SPDX-License-Identifier: Apache-2.0

/// An XML document under construction.
package struct XMLText: Sendable {
  package private(set) var bytes = Array("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".utf8)

  package init() {}

  /// Appends `<name>…</name>` around what `content` appends.
  package mutating func element(_ name: String, namespace: String? = nil, _ content: (inout XMLText) -> Void) {
    let attribute = namespace.map { " xmlns=\"\($0)\"" } ?? ""
    bytes += Array("<\(name)\(attribute)>".utf8)
    content(&self)
    bytes += Array("</\(name)>".utf8)
  }

  /// Appends a text element, escaped; control characters become references, as S3 sends them.
  package mutating func element(_ name: String, _ text: [UInt8]) {
    bytes += Array("<\(name)>".utf8)
    for byte in text {
      switch byte {
      case UInt8(ascii: "<"): bytes += Array("&lt;".utf8)
      case UInt8(ascii: ">"): bytes += Array("&gt;".utf8)
      case UInt8(ascii: "&"): bytes += Array("&amp;".utf8)
      case UInt8(ascii: "\""): bytes += Array("&quot;".utf8)
      case 0..<32: bytes += Array("&#x\(String(byte, radix: 16));".utf8)
      default: bytes.append(byte)
      }
    }
    bytes += Array("</\(name)>".utf8)
  }

  /// Appends a text element.
  package mutating func element(_ name: String, _ text: String) {
    element(name, Array(text.utf8))
  }
}
