// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// The properties of a lock manager. Source: spec/lock-manager.md §2, spec/properties.md §1.1.
package struct LockProperties: Sendable {
  package static let acquireIntervalKey = "lock.acquire-interval-ms"
  package static let acquireTimeoutKey = "lock.acquire-timeout-ms"
  package static let heartbeatIntervalKey = "lock.heartbeat-interval-ms"
  package static let heartbeatTimeoutKey = "lock.heartbeat-timeout-ms"

  package enum Implementation: Sendable, Hashable {
    case inMemory
    /// - table: `lock.table`.
    case dynamoDB(table: String)
  }

  package var implementation: Implementation
  package var settings: LockSettings

  package init(_ properties: [String: String]) throws(PropertyError) {
    let map = PropertyMap(properties)
    implementation = try Self.implementation(map)
    let fallback = LockSettings()
    settings = LockSettings(
      acquireInterval: try map.milliseconds(Self.acquireIntervalKey) ?? fallback.acquireInterval,
      acquireTimeout: try map.milliseconds(Self.acquireTimeoutKey) ?? fallback.acquireTimeout,
      heartbeatInterval: try map.milliseconds(Self.heartbeatIntervalKey) ?? fallback.heartbeatInterval,
      heartbeatTimeout: try map.milliseconds(Self.heartbeatTimeoutKey) ?? fallback.heartbeatTimeout)
    guard settings.isHeartbeatFastEnough else {
      throw PropertyError(
        key: Self.heartbeatIntervalKey,
        message: "\(Self.heartbeatIntervalKey) must be above 0 and at most a third of \(Self.heartbeatTimeoutKey): a lock whose renewal "
          + "fails once would be lost")
    }
  }

  private static func implementation(_ map: PropertyMap) throws(PropertyError) -> Implementation {
    switch map.string(LockKeys.lockImpl) {
    case nil, LockKeys.inMemoryLockManagerClass: return .inMemory
    case LockKeys.dynamoDbLockManagerClass:
      guard let table = map.nonEmpty(LockKeys.lockTable) else {
        throw PropertyError(key: LockKeys.lockTable, message: "DynamoDB lock table name must not be null: set \(LockKeys.lockTable)")
      }
      return .dynamoDB(table: table)
    case let name?:
      throw PropertyError(
        key: LockKeys.lockImpl,
        message: "Cannot initialize LockManager, missing no-arg constructor: \(name) (known here are "
          + "\(LockKeys.dynamoDbLockManagerClass) and \(LockKeys.inMemoryLockManagerClass))")
    }
  }
}
