// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A barrier in a test: calls that reach it wait until the test opens it, and the test can wait until a number of calls have arrived.
///
/// Safe to use from any task. A cancelled caller leaves at once.
package final class InMemoryGate: Sendable {
  private struct State {
    var isOpen = false
    var arrivals = 0
    var nextID = 0
    var callers: [Int: CheckedContinuation<Bool, Never>] = [:]
    var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// Calls that have arrived so far, those that passed included.
  package var arrivals: Int { state.withLock { $0.arrivals } }

  /// Lets every waiting and every later call pass.
  package func open() {
    let callers = state.withLock { state in
      state.isOpen = true
      defer { state.callers = [:] }
      return state.callers.values.map { $0 }
    }
    for caller in callers { caller.resume(returning: true) }
  }

  /// Waits at the gate. False if the task was cancelled while it waited.
  package func pass() async -> Bool {
    let (id, arrived) = state.withLock { state in
      state.arrivals += 1
      state.nextID += 1
      return (state.nextID, Self.takeWatchers(&state))
    }
    for watcher in arrived { watcher.resume() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer = state.withLock { state -> Bool? in
          if Task.isCancelled { return false }
          if state.isOpen { return true }
          state.callers[id] = continuation
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      state.withLock { $0.callers.removeValue(forKey: id) }?.resume(returning: false)
    }
  }

  /// Waits until at least `count` calls have arrived.
  package func waitForArrivals(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.arrivals >= count { return true }
        state.watchers.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  private static func takeWatchers(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
    let arrivals = state.arrivals
    let due = state.watchers.filter { $0.count <= arrivals }.map(\.continuation)
    state.watchers.removeAll { $0.count <= arrivals }
    return due
  }
}
