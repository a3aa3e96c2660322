// SPDX-License-Identifier: Apache-2.0

import AWSServices

/// A lock as it stands in the table, attribute for attribute as Java writes it. Source: spec/lock-manager.md §4.
struct DynamoDbLockItem: Sendable, Hashable {
  static let keyAttribute = "entityId"

  var entityID: String
  var ownerID: String
  /// New at every write.
  var version: String
  /// The lease of who wrote it.
  var lease: Duration

  init(entityID: String, ownerID: String, version: String, lease: Duration) {
    self.entityID = entityID
    self.ownerID = ownerID
    self.version = version
    self.lease = lease
  }

  /// Nil if it is no lock of Iceberg's.
  init?(_ item: DynamoDBItem) {
    guard let entityID = item[Self.keyAttribute]?.string, let ownerID = item["ownerId"]?.string,
      let version = item["version"]?.string, let milliseconds = item["leaseDurationMs"]?.integer
    else { return nil }
    self.init(entityID: entityID, ownerID: ownerID, version: version, lease: .milliseconds(max(0, milliseconds)))
  }

  var attributes: DynamoDBItem {
    let parts = lease.components
    let milliseconds = parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000
    return [
      Self.keyAttribute: .string(entityID), "ownerId": .string(ownerID), "version": .string(version),
      "leaseDurationMs": .number("\(milliseconds)"),
    ]
  }
}
