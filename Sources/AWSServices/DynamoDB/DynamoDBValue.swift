// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// A value of a DynamoDB attribute, of the two types that Iceberg catalogs use. Source: spec/dynamodb.md §4.
package enum DynamoDBValue: Sendable, Hashable {
  case string(String)
  /// The digits as the service writes them.
  case number(String)
  /// Any other type, as the service writes it: `{"BOOL":true}`. Only carried through.
  case other(JSONValue)

  package var string: String? { if case .string(let text) = self { text } else { nil } }
  package var integer: Int64? { if case .number(let digits) = self { Int64(digits) } else { nil } }

  init(_ node: JSONNode) {
    if let text = node["S"]?.string {
      self = .string(text)
    } else if let digits = node["N"]?.string {
      self = .number(digits)
    } else {
      self = .other(JSONValue(node))
    }
  }

  /// The form of requests: `{"S":"text"}`.
  var json: JSONValue {
    switch self {
    case .string(let text): ["S": .string(text)]
    case .number(let digits): ["N": .string(digits)]
    case .other(let value): value
    }
  }

  /// The form of an item, or of a condition's values, sorted by name.
  static func json(of attributes: DynamoDBItem) -> JSONValue {
    .object(JSONMembers(attributes.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) }))
  }
}

/// The attributes of an item.
package typealias DynamoDBItem = [String: DynamoDBValue]

/// The key of an item, or the place where a query goes on: string attributes by name.
package struct DynamoDBKey: Sendable, Hashable {
  package var attributes: [String: String]

  package init(_ attributes: [String: String]) {
    self.attributes = attributes
  }

  /// Nil if it holds anything but strings.
  init?(_ node: JSONNode) {
    guard node.kind == .object else { return nil }
    attributes = [:]
    for (name, value) in node.members {
      guard let text = value["S"]?.string else { return nil }
      attributes[name] = text
    }
  }

  /// The form of requests: `{"identifier":{"S":"db.t"},…}`, sorted by name.
  package var json: JSONValue {
    .object(JSONMembers(attributes.sorted { $0.key < $1.key }.map { ($0.key, .object(JSONMembers([("S", .string($0.value))]))) }))
  }

  /// The key as one text, and back: goes round through page tokens.
  package var token: String { String(decoding: json.serialized(), as: UTF8.self) }

  package init?(token: String) {
    guard let document = try? JSONDocument(parsing: Array(token.utf8)) else { return nil }
    self.init(document.root)
  }
}

/// Equality is that of the bytes, as DynamoDB's own.
extension DynamoDBKey {
  package static func == (left: DynamoDBKey, right: DynamoDBKey) -> Bool {
    left.attributes.count == right.attributes.count
      && left.attributes.allSatisfy { name, value in right.attributes[name]?.utf8.elementsEqual(value.utf8) == true }
  }
}

/// What DescribeTable says of a table.
package struct DynamoDBTable: Sendable, Hashable {
  package var name: String
  /// `ACTIVE`, `CREATING`, …
  package var status: String
  package var globalIndexes: [String]
  /// Those of its indexes that cannot be asked yet.
  package var inactiveIndexes: [String] = []
  /// The attributes of its key, the hash attribute first.
  package var keyAttributes: [String] = []

  /// Whether the table and all its indexes can be used.
  package var isActive: Bool { status == "ACTIVE" && inactiveIndexes.isEmpty }
}

/// One page of a query or a scan. A page may be empty and still have a next one.
package struct DynamoDBPage: Sendable, Hashable {
  package var items: [DynamoDBItem]
  package var lastEvaluatedKey: DynamoDBKey?
}
