// SPDX-License-Identifier: Apache-2.0

package import Iceberg
package import Logging

/// Makes the lock manager that properties name, as Iceberg's class of this name does.
package enum LockManagers {
  /// The manager for a catalog's commits: in memory where `lock-impl` is not set. Nothing is sent.
  ///
  /// - Parameters:
  ///   - properties: of the catalog, normalised to Iceberg's keys.
  ///   - factory: gives the client for locks in DynamoDB.
  ///   - locks: those of this process.
  package static func from(
    properties: [String: String], factory: any AwsClientFactory, locks: InMemoryLockTable, clock: any LockClock = SystemLockClock(),
    logger: Logger
  ) throws(PropertyError) -> any LockManager {
    let own = try LockProperties(properties)
    return switch own.implementation {
    case .inMemory: InMemoryLockManager(table: locks, settings: own.settings, clock: clock, logger: logger)
    case .dynamoDB(let table):
      DynamoDbLockManager(client: try factory.dynamo(), table: table, settings: own.settings, clock: clock, logger: logger)
    }
  }
}
