// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg
import Logging

/// Giving locks back. Source: spec/lock-manager.md §5.5, §7 (5), (10a).
extension DynamoDbLockManager {
  private enum Freeing: Sendable {
    case freed
    case notHeld
    /// Another attempt may succeed.
    case failed(AWSError)
  }

  /// Waits between attempts.
  private static let releaseWaits: [Duration] = [1, 2, 4, 8, 16].map { .seconds($0) }

  @discardableResult
  package func release(_ lease: LockLease) async -> Bool {
    let wasLost = lease.isLost
    held.remove(lease)
    lease.end()
    // Taken anew here, perhaps by the same owner, whose name is all that the condition would look at.
    if held.hasSuccessor(of: lease) { return false }
    let start = clock.elapsed()
    switch await calls.complete({ await self.free(lease, wasLost: wasLost) }) {
    case .freed: return true
    case .notHeld: return false
    case .failed:
      calls.start { await self.retryFreeing(lease, wasLost: wasLost, since: start) }
      return false
    }
  }

  /// Takes back a put that nobody waits for. What arrives even later stays until its lease is over, as after a crash.
  func discard(_ item: DynamoDbLockItem) async {
    do throws(AWSError) {
      try await table.delete(item, deadline: callTime)
    } catch {
      if error.kind == .conditionFailed { return }
      logger.warning(
        "a lock that is no longer wanted may stay until its lease ends", metadata: facts(item.entityID, item.ownerID, error))
    }
  }

  private func free(_ lease: LockLease, wasLost: Bool) async -> Freeing {
    do throws(AWSError) {
      try await table.delete(lease.entityID, ownerID: lease.ownerID, deadline: callTime)
      return .freed
    } catch {
      let facts = facts(lease.entityID, lease.ownerID, error)
      if error.kind == .conditionFailed {
        // Sent twice, the first may have freed it: then there is nothing of ours any more, and that is all that can be said.
        if !error.isDefinite, !wasLost, await isGone(lease) { return .freed }
        logger.error("a lock that is not held cannot be released", metadata: facts)
        return .notHeld
      }
      guard error.isPassing || error.kind == .network || error.kind == .timedOut else {
        logger.error("a lock could not be released: it stays until its lease ends", metadata: facts)
        return .notHeld
      }
      return .failed(error)
    }
  }

  /// Tries on until others could have taken the lock anyway.
  private func retryFreeing(_ lease: LockLease, wasLost: Bool, since start: Duration) async {
    for wait in Self.releaseWaits {
      try? await clock.sleep(for: wait * (1 + 0.1 * clock.random()))
      // The next commit of the same owner may hold it by now, and the condition could not tell.
      if held.hasSuccessor(of: lease) || clock.elapsed() - start >= settings.heartbeatTimeout { break }
      guard case .failed = await free(lease, wasLost: wasLost) else { return }
    }
    logger.error(
      "a lock could not be released: it stays until its lease ends",
      metadata: ["entity": "\(lease.entityID)", "owner": "\(lease.ownerID)"])
  }

  private func isGone(_ lease: LockLease) async -> Bool {
    do throws(AWSError) {
      let item = try await table.read(lease.entityID, deadline: callTime)
      return item?["ownerId"]?.string?.utf8.elementsEqual(lease.ownerID.utf8) != true
    } catch {
      return false
    }
  }

  private func facts(_ entityID: String, _ ownerID: String, _ error: AWSError) -> Logger.Metadata {
    ["entity": "\(entityID)", "owner": "\(ownerID)", "error": "\(error)"]
  }
}
