// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// What must hold of an item for a write to be done; otherwise the call fails with kind `conditionFailed`.
package struct DynamoDBCondition: Sendable, Hashable {
  /// As DynamoDB writes it: `attribute_not_exists(v)`, `v = :v`.
  package var expression: String
  /// Values of the placeholders, which start with `:`. One that the expression does not use is refused by the service.
  package var values: DynamoDBItem
  /// Attribute names of the placeholders that start with `#`: for names that are reserved words or hold a `.`.
  package var names: [String: String]

  package init(_ expression: String, values: DynamoDBItem = [:], names: [String: String] = [:]) {
    self.expression = expression
    self.values = values
    self.names = names
  }

  /// The members of a request or of a transaction's item. Empty maps are left out: the service takes none.
  var members: [(key: String, value: JSONValue)] {
    [("ConditionExpression", .string(expression))] + Self.placeholders(names: names, values: values)
  }

  static func placeholders(names: [String: String], values: DynamoDBItem) -> [(key: String, value: JSONValue)] {
    var members: [(key: String, value: JSONValue)] = []
    if !names.isEmpty {
      let pairs = names.sorted { $0.key < $1.key }
      members.append(("ExpressionAttributeNames", .object(JSONMembers(pairs.map { ($0.key, .string($0.value)) }))))
    }
    if !values.isEmpty {
      members.append(("ExpressionAttributeValues", DynamoDBValue.json(of: values)))
    }
    return members
  }
}
