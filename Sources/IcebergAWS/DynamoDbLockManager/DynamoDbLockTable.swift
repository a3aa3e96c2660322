// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices

/// The requests of locking, each as Java sends it. Source: spec/lock-manager.md §4, §5.
struct DynamoDbLockTable: Sendable {
  let client: DynamoDBClient
  let name: String

  static func definition(_ name: String) -> DynamoDBTableDefinition {
    DynamoDBTableDefinition(name: name, key: DynamoDBTableDefinition.Key(hash: DynamoDbLockItem.keyAttribute))
  }

  /// The attributes of an entity's lock; nil if it is free.
  func read(_ entityID: String, deadline: Duration) async throws(AWSError) -> DynamoDBItem? {
    try await client.getItem(table: name, key: Self.key(entityID), consistentRead: true, deadline: deadline)
  }

  /// Takes a lock that was free.
  func create(_ item: DynamoDbLockItem, deadline: Duration) async throws(AWSError) {
    try await put(item, DynamoDBCondition("attribute_not_exists(entityId)"), deadline)
  }

  /// Takes a lock whose lease is over, if it is still as it was seen, or was freed since.
  ///
  /// - Parameter version: as it was seen.
  func takeOver(_ item: DynamoDbLockItem, version: String, deadline: Duration) async throws(AWSError) {
    let condition = DynamoDBCondition(
      "attribute_not_exists(entityId) OR (entityId = :eid AND version = :vid)",
      values: [":eid": .string(item.entityID), ":vid": .string(version)])
    try await put(item, condition, deadline)
  }

  /// Renews a lock that is its owner's.
  func renew(_ item: DynamoDbLockItem, deadline: Duration) async throws(AWSError) {
    try await put(item, Self.isOwner(item.entityID, item.ownerID), deadline)
  }

  /// Frees a lock that is its owner's.
  func delete(_ entityID: String, ownerID: String, deadline: Duration) async throws(AWSError) {
    try await client.deleteItem(
      table: name, key: Self.key(entityID), condition: Self.isOwner(entityID, ownerID), deadline: deadline)
  }

  /// Frees a lock only if it is still the one that was put with this version. Java has no such call: it is for a lock that nobody waits
  /// for any more, while a new attempt of the same owner may already be on its way.
  func delete(_ item: DynamoDbLockItem, deadline: Duration) async throws(AWSError) {
    var condition = Self.isOwner(item.entityID, item.ownerID)
    condition.expression += " AND version = :vid"
    condition.values[":vid"] = .string(item.version)
    try await client.deleteItem(table: name, key: Self.key(item.entityID), condition: condition, deadline: deadline)
  }

  private func put(_ item: DynamoDbLockItem, _ condition: DynamoDBCondition, _ deadline: Duration) async throws(AWSError) {
    try await client.putItem(table: name, item: item.attributes, condition: condition, deadline: deadline)
  }

  private static func key(_ entityID: String) -> DynamoDBKey {
    DynamoDBKey([DynamoDbLockItem.keyAttribute: entityID])
  }

  private static func isOwner(_ entityID: String, _ ownerID: String) -> DynamoDBCondition {
    DynamoDBCondition(
      "entityId = :eid AND ownerId = :oid", values: [":eid": .string(entityID), ":oid": .string(ownerID)])
  }
}
