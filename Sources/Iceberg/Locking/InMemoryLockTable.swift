// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The locks of one process: what in Java is a static map. The composition root makes one and gives it to every in-memory manager.
package final class InMemoryLockTable: Sendable {
  enum Attempt: Sendable, Hashable {
    case taken(token: String)
    /// - remaining: of the holder's lease.
    /// - change: goes into ``waitForRelease(of:after:)``.
    case held(by: String, remaining: Duration, change: UInt64)
  }

  private struct Entry {
    let token: String
    let ownerID: String
    var expiry: Duration
  }

  private struct State {
    /// By the bytes of the entity's name: `String` takes two Unicode forms of one character for equal, catalogs do not.
    var entries: [[UInt8]: Entry] = [:]
    var waiters: [[UInt8]: [UInt64: CheckedContinuation<Void, Never>]] = [:]
    /// Counts releases, so that none between a failed attempt and the wait for it goes unseen.
    var changes: UInt64 = 0
    var nextID: UInt64 = 0
  }

  private let clock: any LockClock
  private let state = Mutex(State())

  /// - Parameter clock: measures the leases.
  package init(clock: any LockClock = SystemLockClock()) {
    self.clock = clock
  }

  /// Takes a lock that is free or whose lease is over.
  func take(_ entityID: String, ownerID: String, for lease: Duration) -> Attempt {
    let key = Array(entityID.utf8)
    let now = clock.elapsed()
    return state.withLock { state in
      if let entry = state.entries[key], entry.expiry > now {
        return .held(by: entry.ownerID, remaining: entry.expiry - now, change: state.changes)
      }
      state.nextID += 1
      let token = "\(state.nextID)"
      state.entries[key] = Entry(token: token, ownerID: ownerID, expiry: now + lease)
      return .taken(token: token)
    }
  }

  /// Moves the end of a lease. False if the lock is no longer the lease's.
  func renew(_ entityID: String, token: String, for lease: Duration) -> Bool {
    let key = Array(entityID.utf8)
    let now = clock.elapsed()
    return state.withLock { state in
      guard state.entries[key]?.token == token else { return false }
      state.entries[key]?.expiry = now + lease
      return true
    }
  }

  /// Frees a lock. False if it is not the lease's.
  func remove(_ entityID: String, token: String) -> Bool {
    let key = Array(entityID.utf8)
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
      guard state.entries[key]?.token == token else { return nil }
      state.entries[key] = nil
      state.changes += 1
      return state.waiters.removeValue(forKey: key).map { Array($0.values) } ?? []
    }
    for waiter in waiters ?? [] { waiter.resume() }
    return waiters != nil
  }

  /// Waits for the next release of a lock, or for the cancellation of the task.
  ///
  /// - Parameter change: from the attempt that failed. Returns at once if any lock was released since.
  func waitForRelease(of entityID: String, after change: UInt64) async {
    let key = Array(entityID.utf8)
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if Task.isCancelled || state.changes != change { return true }
          state.waiters[key, default: [:]][id] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
        let waiter = state.waiters[key]?.removeValue(forKey: id)
        if state.waiters[key]?.isEmpty == true { state.waiters[key] = nil }
        return waiter
      }
      waiter?.resume()
    }
  }
}
