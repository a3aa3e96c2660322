// SPDX-License-Identifier: Apache-2.0

/// A JSON value to be built and written. Literals keep the order of members: `["Name": "x", "Limit": 1]`.
package indirect enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// A number by its text, which must be a number as RFC 8259 writes it; it is written as it stands.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONMembers)

  /// The value of a parsed node, copied out. Integers beyond 64 bits and numbers with fraction or exponent keep their text.
  package init(_ node: JSONNode) {
    switch node.kind {
    case .null: self = .null
    case .bool: self = .bool(node.bool ?? false)
    case .string: self = .string(node.string ?? "")
    case .array: self = .array(node.elements.map { JSONValue($0) })
    case .object: self = .object(JSONMembers(node.members.map { ($0.key, JSONValue($0.value)) }))
    case .number:
      let text = node.numberText ?? "0"
      // `-0` is a number of its own, so it keeps its text.
      if let integer = node.int64, text != "-0" { self = .integer(integer) } else { self = .number(text) }
    }
  }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral,
  ExpressibleByStringInterpolation, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(nilLiteral: ()) { self = .null }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
  package init(stringLiteral value: String) { self = .string(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONMembers(elements.map { (key: $0.0, value: $0.1) }))
  }
}

extension JSONValue {
  /// The value as UTF-8 text without a final newline: compact, or with two spaces an indentation level.
  package func serialized(pretty: Bool = false) -> [UInt8] {
    var writer = JSONWriter(isPretty: pretty)
    writer.write(self)
    return writer.text
  }
}
