// SPDX-License-Identifier: Apache-2.0

import AWSCore
package import AWSServices
package import Iceberg
package import Logging
import Synchronization

/// Locks in a DynamoDB table, shared with Java's `DynamoDbLockManager` item for item. Source: spec/lock-manager.md.
package final class DynamoDbLockManager: LockManager {
  let table: DynamoDbLockTable
  let settings: LockSettings
  let clock: any LockClock
  let logger: Logger
  let held = HeldLocks()
  let calls = DetachedCalls()
  private let newVersion: @Sendable () -> String
  private let isPrepared = Mutex(false)

  /// Nothing is sent: the table is looked for, and made if there is none, by ``prepare()`` or the first acquire.
  ///
  /// - Parameters:
  ///   - table: `lock.table`; one for each Glue catalog, as the names of locks hold no catalog.
  ///   - newVersion: gives a random UUID at each call.
  package init(
    client: DynamoDBClient, table: String, settings: LockSettings = LockSettings(), clock: any LockClock = SystemLockClock(),
    logger: Logger, newVersion: @escaping @Sendable () -> String = LockVersion.random
  ) {
    self.table = DynamoDbLockTable(client: client, name: table)
    self.settings = settings
    self.clock = clock
    self.logger = logger
    self.newVersion = newVersion
  }

  /// Makes the lock table if there is none and waits until it can be used. Every acquire does so until it succeeds once.
  package func prepare() async throws(LockError) {
    try await prepare(until: nil)
  }

  package func acquire(_ entityID: String, ownerID: String, within limit: Duration?) async throws(LockError) -> LockLease {
    let limit = min(limit ?? settings.acquireTimeout, settings.acquireTimeout)
    let end = clock.elapsed() + limit
    if held.isClosed { throw .closed(entityID) }
    if Task.isCancelled { throw .cancelled(entityID) }
    try await prepare(until: end)
    var acquisition = DynamoDbLockAcquisition(
      table: table, settings: settings, clock: clock, calls: calls, entityID: entityID, ownerID: ownerID, limit: limit, end: end,
      newVersion: newVersion, discard: { await self.discard($0) })
    let taken: DynamoDbLockAcquisition.Taken
    do throws(LockError) {
      taken = try await acquisition.run()
    } catch {
      for put in acquisition.doubtful { calls.start { await self.discard(put.item) } }
      // The table may be gone: the next acquire looks for it again.
      if error.code == .failed { isPrepared.withLock { $0 = false } }
      throw error
    }
    let lease = LockLease(
      entityID: entityID, ownerID: ownerID, token: taken.item.version, length: settings.heartbeatTimeout, renewed: taken.sent, clock: clock)
    guard held.insert(lease, renewal(of: lease)) else {
      _ = await release(lease)
      throw .closed(entityID)
    }
    return lease
  }

  package func close() async {
    held.close()
    await calls.finish()
  }

  /// Longest time for one beat, so that the next is on time, and for one attempt to free a lock.
  var callTime: Duration { max(settings.heartbeatInterval, .seconds(1)) }

  private func prepare(until end: Duration?) async throws(LockError) {
    if isPrepared.withLock({ $0 }) { return }
    do throws(AWSError) {
      try await DynamoDbTableSetup(client: table.client, clock: clock).ensure(DynamoDbLockTable.definition(table.name), until: end)
    } catch {
      throw LockError(error, "The lock table '\(table.name)' cannot be used")
    }
    isPrepared.withLock { $0 = true }
  }

  private func renewal(of lease: LockLease) -> LockHeartbeat {
    let (table, length, deadline, logger, newVersion) = (table, settings.heartbeatTimeout, callTime, logger, newVersion)
    let (entityID, ownerID) = (lease.entityID, lease.ownerID)
    return LockHeartbeat.start(lease, every: settings.heartbeatInterval, clock: clock) {
      let item = DynamoDbLockItem(entityID: entityID, ownerID: ownerID, version: newVersion(), lease: length)
      do throws(AWSError) {
        try await table.renew(item, deadline: deadline)
        return .renewed
      } catch {
        let facts: Logger.Metadata = ["entity": "\(entityID)", "owner": "\(ownerID)", "error": "\(error)"]
        // The owner is the whole condition, so that not even a beat that was sent twice can fail it by itself.
        if error.kind == .conditionFailed {
          logger.error("a lock was lost to another", metadata: facts)
          return .lost
        }
        if error.kind != .cancelled { logger.warning("a lock could not be renewed", metadata: facts) }
        return .failed
      }
    }
  }
}
