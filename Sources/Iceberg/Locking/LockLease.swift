// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A lock that was acquired, for as long as it is renewed. Safe to use from any task.
package final class LockLease: Sendable {
  private struct State {
    /// When the last renewal that succeeded was sent.
    var renewed: Duration
    var isOver = false
  }

  package let entityID: String
  package let ownerID: String
  /// Tells this lease from every other, also of the same owner.
  package let token: String
  private let length: Duration
  private let clock: any LockClock
  private let state: Mutex<State>

  /// - Parameters:
  ///   - length: how long others leave the lock alone after a renewal.
  ///   - renewed: when the request that took the lock was sent, by `clock`.
  package init(entityID: String, ownerID: String, token: String, length: Duration, renewed: Duration, clock: any LockClock) {
    self.entityID = entityID
    self.ownerID = ownerID
    self.token = token
    self.length = length
    self.clock = clock
    state = Mutex(State(renewed: renewed))
  }

  /// Whether the lock may belong to another. A commit asks right before its conditional write and, if so, ends as a conflict.
  ///
  /// True from two thirds of the lease after the last renewal on: the last third is for the write to arrive. With a beat at least three
  /// times a lease, one that fails does no harm. Source: spec/lock-manager.md §7 (2), (3).
  package var isLost: Bool {
    let now = clock.elapsed()
    return state.withLock { $0.isOver || now - $0.renewed >= length * 2 / 3 }
  }

  /// Notes a renewal.
  ///
  /// - Parameter time: when it was sent, not when it was answered: others count from when it arrived.
  package func renew(at time: Duration) {
    state.withLock { $0.renewed = max($0.renewed, time) }
  }

  /// The lease is lost or released, for good.
  package func end() {
    state.withLock { $0.isOver = true }
  }
}
