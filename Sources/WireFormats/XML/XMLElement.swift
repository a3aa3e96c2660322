// SPDX-License-Identifier: Apache-2.0

/// An element of a small XML document: its name, its children, its own text. Attributes, comments and instructions are not kept.
package struct XMLElement: Sendable, Hashable {
  /// Without a namespace prefix.
  package var name: String
  /// The character data directly in the element, white space included, references and CDATA decoded.
  package var text: String
  package var children: [XMLElement]

  package init(name: String, text: String = "", children: [XMLElement] = []) {
    self.name = name
    self.text = text
    self.children = children
  }

  /// Parses a whole document and returns its root element.
  ///
  /// A document type declaration is refused, and with it every entity but the five of XML itself. So are elements nested deeper than
  /// 100 levels and characters that XML 1.0 has no place for (`&#0;`).
  package init(parsing bytes: [UInt8]) throws(XMLError) {
    self = try XMLTreeParser.parse(bytes)
  }

  /// The first child of this name.
  package subscript(_ name: String) -> XMLElement? {
    children.first { $0.name == name }
  }

  /// All children of this name, in order.
  package func all(_ name: String) -> [XMLElement] {
    children.filter { $0.name == name }
  }
}
