// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// Whoever can give up memory when others wait for it.
package protocol MemoryReclaiming: AnyObject, Sendable {
  /// Lets go of about `bytes` that nobody is using. Called without a lock; what is let go comes back as calls of ``MemoryBudget/release(_:)``.
  func reclaim(bytes: Int)
}

/// The hard limit on memory that cache, read windows and uploads share.
///
/// What a reader cannot do without waits its turn (``reserve(_:)``, first come, first served); what would only be faster with more memory asks
/// (``tryReserve(_:)``) and is refused under pressure. Whoever waits must hold nothing reserved: then those who hold always finish, and
/// the waiting end.
package final class MemoryBudget: Sendable {
  private struct Waiter {
    let bytes: Int
    let grant: OneShot<Bool>
  }

  private struct State {
    var used = 0
    var highWater = 0
    var waiters: [Waiter] = []
    weak var reclaimer: (any MemoryReclaiming)?

    mutating func take(_ bytes: Int, limit: Int) -> Bool {
      guard bytes <= limit - used else { return false }
      used += bytes
      highWater = max(highWater, used)
      return true
    }
  }

  /// The least useful limit in bytes: the largest single read (``ObjectReader/maximumReadSize``) and some of its neighbours.
  package static let minimumLimit = 8 << 20

  /// Bytes.
  package let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: bytes; less than ``minimumLimit`` is taken as that.
  package init(limit: Int) {
    self.limit = max(limit, Self.minimumLimit)
  }

  /// Bytes reserved now.
  package var used: Int { state.withLock { $0.used } }
  /// The most that was ever reserved at once, in bytes.
  package var highWater: Int { state.withLock { $0.highWater } }

  /// Names the one who is asked to let go of memory; held weakly.
  package func setReclaimer(_ reclaimer: any MemoryReclaiming) {
    state.withLock { $0.reclaimer = reclaimer }
  }

  /// Reserves without waiting and without taking memory from anyone. False when it does not fit or others wait.
  package func tryReserve(_ bytes: Int) -> Bool {
    state.withLock { $0.waiters.isEmpty && $0.take(bytes, limit: limit) }
  }

  /// Reserves; waits in turn if need be, the reclaimer being asked to make room. The caller must hold no other reservation.
  ///
  /// - Returns: false when the waiting task was cancelled or `bytes` exceeds the limit: then nothing is reserved.
  package func reserve(_ bytes: Int) async -> Bool {
    guard bytes <= limit else { return false }
    if tryReserve(bytes) { return true }
    let grant = OneShot<Bool>(cancelled: false)
    state.withLock { $0.waiters.append(Waiter(bytes: bytes, grant: grant)) }
    // Queued first, room made after: what becomes free from now on is seen by this waiter.
    relieve()
    return await grant.value()
  }

  /// Gives back what was reserved and serves those who wait.
  package func release(_ bytes: Int) {
    state.withLock { $0.used -= bytes }
    serveWaiters()
  }

  /// Serves those who wait, with memory of the reclaimer if there is not enough. To be called when something became reclaimable.
  package func relieve() {
    serveWaiters()
    let (missing, reclaimer) = state.withLock { state -> (Int, (any MemoryReclaiming)?) in
      guard !state.waiters.isEmpty else { return (0, nil) }
      return (state.waiters.reduce(0) { $0 + $1.bytes } - (limit - state.used), state.reclaimer)
    }
    guard missing > 0 else { return }
    reclaimer?.reclaim(bytes: missing)
  }

  private func serveWaiters() {
    while true {
      let granted = state.withLock { state -> Waiter? in
        state.waiters.removeAll { $0.grant.isDone }
        guard let first = state.waiters.first, state.take(first.bytes, limit: limit) else { return nil }
        return state.waiters.removeFirst()
      }
      guard let granted else { return }
      if !granted.grant.complete(true) {
        state.withLock { $0.used -= granted.bytes }
      }
    }
  }
}

/// Parts of uploads are counted like what is read.
extension MemoryBudget: UploadMemory {}
