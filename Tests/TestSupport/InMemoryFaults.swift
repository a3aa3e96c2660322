// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a test wants to go wrong in an in-memory service, and the record of the calls it got.
///
/// Rules are looked at in the order in which they were set; a call first waits at every gate that holds it, then fails by the first rule with
/// failures left.
package final class InMemoryFaults<Call: Sendable, Failure: Error>: Sendable {
  private struct Failing {
    var remaining: Int
    let error: Failure
    let matches: @Sendable (Call) -> Bool
  }

  private struct Holding {
    let gate: InMemoryGate
    let matches: @Sendable (Call) -> Bool
  }

  private struct State {
    var calls: [Call] = []
    var failing: [Failing] = []
    var holding: [Holding] = []
  }

  private let state = Mutex(State())
  private let cancellation: Failure

  /// - Parameter cancellation: thrown by a call whose task is cancelled.
  package init(cancellation: Failure) {
    self.cancellation = cancellation
  }

  /// Every call since the start or the last ``forgetCalls()``, in order of arrival.
  package var calls: [Call] { state.withLock { $0.calls } }

  /// How many calls of a kind arrived since the start or the last ``forgetCalls()``.
  package func count(where matches: (Call) -> Bool = { _ in true }) -> Int {
    calls.count(where: matches)
  }

  package func forgetCalls() {
    state.withLock { $0.calls = [] }
  }

  /// The next `calls` calls that match fail with `error`.
  package func fail(next calls: Int = 1, with error: Failure, where matches: @escaping @Sendable (Call) -> Bool = { _ in true }) {
    state.withLock { $0.failing.append(Failing(remaining: calls, error: error, matches: matches)) }
  }

  /// Every matching call from now on waits at the returned gate until it is opened.
  package func hold(where matches: @escaping @Sendable (Call) -> Bool = { _ in true }) -> InMemoryGate {
    let gate = InMemoryGate()
    state.withLock { $0.holding.append(Holding(gate: gate, matches: matches)) }
    return gate
  }

  /// Takes back every failure not yet used.
  package func stopFailing() {
    state.withLock { $0.failing = [] }
  }

  /// What an in-memory service does first with every call: record it, wait, fail.
  package func enter(_ call: Call) async throws(Failure) {
    let holding = state.withLock { state in
      state.calls.append(call)
      return state.holding
    }
    for hold in holding where hold.matches(call) {
      guard await hold.gate.pass() else { throw cancellation }
    }
    guard !Task.isCancelled else { throw cancellation }
    let error = state.withLock { state -> Failure? in
      for index in state.failing.indices where state.failing[index].remaining > 0 && state.failing[index].matches(call) {
        state.failing[index].remaining -= 1
        return state.failing[index].error
      }
      return nil
    }
    if let error { throw error }
  }
}
