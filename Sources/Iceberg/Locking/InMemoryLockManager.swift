// SPDX-License-Identifier: Apache-2.0

package import Logging
import Synchronization

/// Locks among the committers of this process: Iceberg's default, and what stands before a distributed lock. Source: spec/lock-manager.md §6.
///
/// Unlike Java's, which looks again every `lock.acquire-interval-ms`, a waiter goes on as soon as the holder releases.
package final class InMemoryLockManager: LockManager {
  private let table: InMemoryLockTable
  private let settings: LockSettings
  private let clock: any LockClock
  private let logger: Logger
  private let held = HeldLocks()

  /// - Parameters:
  ///   - table: shared by all managers whose locks exclude each other.
  ///   - clock: for waiting and renewing.
  package init(
    table: InMemoryLockTable, settings: LockSettings = LockSettings(), clock: any LockClock = SystemLockClock(), logger: Logger
  ) {
    self.table = table
    self.settings = settings
    self.clock = clock
    self.logger = logger
  }

  package func acquire(_ entityID: String, ownerID: String, within limit: Duration?) async throws(LockError) -> LockLease {
    let limit = min(limit ?? settings.acquireTimeout, settings.acquireTimeout)
    let deadline = clock.elapsed() + limit
    while true {
      if Task.isCancelled { throw .cancelled(entityID) }
      if held.isClosed { throw .closed(entityID) }
      let now = clock.elapsed()
      switch table.take(entityID, ownerID: ownerID, for: settings.heartbeatTimeout) {
      case .taken(let token):
        let lease = LockLease(
          entityID: entityID, ownerID: ownerID, token: token, length: settings.heartbeatTimeout, renewed: now, clock: clock)
        guard held.insert(lease, renewal(of: lease)) else {
          _ = table.remove(entityID, token: token)
          throw .closed(entityID)
        }
        return lease
      case .held(let owner, let remaining, let change):
        guard now < deadline else { throw .timedOut(entityID, after: limit, heldBy: owner) }
        await wait(min(remaining, deadline - now), orReleaseOf: entityID, after: change)
      }
    }
  }

  @discardableResult
  package func release(_ lease: LockLease) async -> Bool {
    held.remove(lease)
    lease.end()
    guard table.remove(lease.entityID, token: lease.token) else {
      logger.error(
        "a lock that is not held cannot be released", metadata: ["entity": "\(lease.entityID)", "owner": "\(lease.ownerID)"])
      return false
    }
    return true
  }

  package func close() async {
    held.close()
  }

  private func renewal(of lease: LockLease) -> LockHeartbeat {
    let (table, length, logger) = (table, settings.heartbeatTimeout, logger)
    let (entityID, ownerID, token) = (lease.entityID, lease.ownerID, lease.token)
    return LockHeartbeat.start(lease, every: settings.heartbeatInterval, clock: clock) {
      if table.renew(entityID, token: token, for: length) { return .renewed }
      logger.error("a lock was lost to another", metadata: ["entity": "\(entityID)", "owner": "\(ownerID)"])
      return .lost
    }
  }

  private func wait(_ duration: Duration, orReleaseOf entityID: String, after change: UInt64) async {
    let (table, clock) = (table, clock)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await clock.sleep(for: duration) }
      group.addTask { await table.waitForRelease(of: entityID, after: change) }
      await group.next()
      group.cancelAll()
    }
  }
}
