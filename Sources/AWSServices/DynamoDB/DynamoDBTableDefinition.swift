// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// A table to be made: keys of type string, billed by request. Source: spec/dynamodb.md §3, spec/lock-manager.md §4.
package struct DynamoDBTableDefinition: Sendable, Hashable {
  /// The attributes of a key.
  package struct Key: Sendable, Hashable {
    package var hash: String
    /// Nil for a key of one attribute.
    package var range: String?

    package init(hash: String, range: String? = nil) {
      self.hash = hash
      self.range = range
    }

    var json: JSONValue {
      var parts: [JSONValue] = [["AttributeName": .string(hash), "KeyType": "HASH"]]
      if let range { parts.append(["AttributeName": .string(range), "KeyType": "RANGE"]) }
      return .array(parts)
    }
  }

  /// A global secondary index that holds keys only.
  package struct Index: Sendable, Hashable {
    package var name: String
    package var key: Key

    package init(name: String, key: Key) {
      self.name = name
      self.key = key
    }
  }

  package var name: String
  package var key: Key
  package var indexes: [Index]

  package init(name: String, key: Key, indexes: [Index] = []) {
    self.name = name
    self.key = key
    self.indexes = indexes
  }

  var members: [(key: String, value: JSONValue)] {
    var attributes: [String] = []
    for key in [key] + indexes.map(\.key) {
      for name in [key.hash, key.range].compactMap({ $0 }) where !attributes.contains(name) {
        attributes.append(name)
      }
    }
    var members: [(key: String, value: JSONValue)] = [
      ("TableName", .string(name)),
      ("AttributeDefinitions", .array(attributes.map { ["AttributeName": .string($0), "AttributeType": "S"] })),
      ("KeySchema", key.json),
    ]
    if !indexes.isEmpty {
      let list = indexes.map { index -> JSONValue in
        ["IndexName": .string(index.name), "KeySchema": index.key.json, "Projection": ["ProjectionType": "KEYS_ONLY"]]
      }
      members.append(("GlobalSecondaryIndexes", .array(list)))
    }
    members.append(("BillingMode", "PAY_PER_REQUEST"))
    return members
  }
}
