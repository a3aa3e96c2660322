// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// A clock that stands still until a test moves it. Whoever sleeps on it goes on when the test has moved it far enough.
package final class VirtualLockClock: LockClock {
  private struct Sleeper {
    let due: Duration
    let continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var now = Duration.zero
    var nextID = 0
    var sleepers: [Int: Sleeper] = [:]
    /// Every wait that was asked for.
    var sleeps: [Duration] = []
    var chance = 0.0
  }

  private let state = Mutex(State())

  /// - Parameter chance: what ``random()`` always gives.
  package init(chance: Double = 0) {
    state.withLock { $0.chance = chance }
  }

  package func elapsed() -> Duration { state.withLock { $0.now } }

  package func random() -> Double { state.withLock { $0.chance } }

  /// The lengths of all waits so far.
  package var sleeps: [Duration] { state.withLock { $0.sleeps } }

  /// How many wait now.
  package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  package func sleep(for duration: Duration) async throws(CancellationError) {
    let (id, due) = state.withLock { state in
      state.nextID += 1
      state.sleeps.append(duration)
      return (state.nextID, state.now + duration)
    }
    let isDone = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer = state.withLock { state -> Bool? in
          if Task.isCancelled { return false }
          if due <= state.now { return true }
          state.sleepers[id] = Sleeper(due: due, continuation: continuation)
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      state.withLock { $0.sleepers.removeValue(forKey: id) }?.continuation.resume(returning: false)
    }
    if !isDone { throw CancellationError() }
  }

  /// Moves the clock and wakes those whose time has come.
  ///
  /// - Parameter wakes: false leaves them to the next call, as a machine does that stood still.
  package func advance(by duration: Duration, wakes: Bool = true) {
    let due = state.withLock { state -> [Sleeper] in
      state.now += duration
      guard wakes else { return [] }
      let now = state.now
      let due = state.sleepers.filter { $0.value.due <= now }
      for id in due.keys { state.sleepers[id] = nil }
      return due.values.sorted { $0.due < $1.due }
    }
    for sleeper in due { sleeper.continuation.resume(returning: true) }
  }

  /// Waits until at least this many sleep, for no longer than ``becomesTrue(_:)`` does.
  package func waitForSleepers(_ count: Int = 1) async {
    _ = await becomesTrue { sleeperCount >= count }
  }

  /// Moves the clock, and waits until somebody sleeps again: a round of whoever is alone on this clock.
  package func step(_ duration: Duration) async {
    await waitForSleepers()
    advance(by: duration)
    await waitForSleepers()
  }
}
