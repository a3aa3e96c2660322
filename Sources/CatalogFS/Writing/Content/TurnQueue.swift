// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Lets one task in after another, in the order in which they came.
///
/// Unlike a lock it may be held over calls that wait, and holds no thread.
final class TurnQueue: Sendable {
  /// Who is in and who waits, without the waiting itself.
  struct Order<Waiter> {
    private(set) var isTaken = false
    private var waiting: [(ticket: UInt64, waiter: Waiter)] = []
    private var nextTicket: UInt64 = 0

    mutating func ticket() -> UInt64 {
      nextTicket += 1
      return nextTicket
    }

    /// True if the turn is the caller's at once; else the waiter stands at the end.
    mutating func enter(_ ticket: UInt64, _ waiter: Waiter) -> Bool {
      guard isTaken else {
        isTaken = true
        return true
      }
      waiting.append((ticket, waiter))
      return false
    }

    /// The next one to be let in, if any: the turn passes on without ever being free, so nobody overtakes.
    mutating func leave() -> Waiter? {
      guard !waiting.isEmpty else {
        isTaken = false
        return nil
      }
      return waiting.removeFirst().waiter
    }

    /// Takes a waiter out of the queue; nil if its turn has come, or it has not arrived.
    mutating func withdraw(_ ticket: UInt64) -> Waiter? {
      waiting.firstIndex { $0.ticket == ticket }.map { waiting.remove(at: $0).waiter }
    }

    var count: Int { waiting.count }
  }

  private let order = Mutex(Order<CheckedContinuation<Bool, Never>>())

  /// Tasks that wait.
  var count: Int { order.withLock { $0.count } }

  /// Waits for the turn; false, and no turn, if the task is cancelled before it comes. Who got true must ``leave()``.
  func enter() async -> Bool {
    let ticket = order.withLock { $0.ticket() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer = order.withLock { order -> Bool? in
          // The flag stands before the handler runs: either is in time.
          if Task.isCancelled { return false }
          return order.enter(ticket, continuation) ? true : nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      order.withLock { $0.withdraw(ticket) }?.resume(returning: false)
    }
  }

  /// Waits for the turn whatever becomes of the task: for what has to be cleaned up.
  func enterAlways() async {
    _ = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
      let isIn = order.withLock { order in order.enter(order.ticket(), continuation) }
      if isIn { continuation.resume(returning: true) }
    }
  }

  func leave() {
    order.withLock { $0.leave() }?.resume(returning: true)
  }
}
