// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The leases that a lock manager has given out and renews: at most one for each entity.
package final class HeldLocks: Sendable {
  private struct State {
    /// By the bytes of the entity's name: `String` takes two Unicode forms of one character for equal, catalogs do not.
    var renewals: [[UInt8]: (token: String, heartbeat: LockHeartbeat)] = [:]
    var isClosed = false
  }

  private let state = Mutex(State())

  package init() {}

  package var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Keeps a lease's renewal, in place of one for the same entity: that lease is over, as the lock could be taken anew.
  ///
  /// - Returns: false, and the renewal is stopped, if the manager is closed.
  package func insert(_ lease: LockLease, _ heartbeat: LockHeartbeat) -> Bool {
    let key = Array(lease.entityID.utf8)
    let (stopped, isKept) = state.withLock { state -> (LockHeartbeat?, Bool) in
      if state.isClosed { return (heartbeat, false) }
      return (state.renewals.updateValue((lease.token, heartbeat), forKey: key)?.heartbeat, true)
    }
    stopped?.stop()
    return isKept
  }

  /// Stops a lease's renewal, if it is still the one of its entity.
  package func remove(_ lease: LockLease) {
    let key = Array(lease.entityID.utf8)
    let removed = state.withLock { state -> LockHeartbeat? in
      guard state.renewals[key]?.token == lease.token else { return nil }
      return state.renewals.removeValue(forKey: key)?.heartbeat
    }
    removed?.stop()
  }

  /// Whether another lease than this one is given out for its entity.
  package func hasSuccessor(of lease: LockLease) -> Bool {
    let key = Array(lease.entityID.utf8)
    return state.withLock { state in
      guard let renewal = state.renewals[key] else { return false }
      return renewal.token != lease.token
    }
  }

  /// Stops every renewal; no further lease is kept.
  package func close() {
    let renewals = state.withLock { state in
      state.isClosed = true
      return state.renewals.values.map(\.heartbeat)
    }
    for heartbeat in renewals { heartbeat.stop() }
  }
}
