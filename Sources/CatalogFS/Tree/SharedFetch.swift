// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One piece of work that many callers wait for: it runs once, everyone gets its result, and a caller that is cancelled leaves alone.
///
/// The work itself is never cancelled by a waiter; every network wait below it has a deadline. Waiters may come before it starts.
final class SharedFetch<Value: Sendable>: Sendable {
  typealias Outcome = Result<Value, FilesystemError>

  private enum State {
    case running([UInt64: CheckedContinuation<Outcome, Never>], nextWaiter: UInt64)
    case done(Outcome)
  }

  private let state = Mutex(State.running([:], nextWaiter: 0))

  /// Starts the work in a task of its own; to be called once, by whoever made this, with no lock held.
  func start(_ work: @escaping @Sendable () async -> Outcome) {
    Task.detached { [self] in
      finish(await work())
    }
  }

  /// The result, if the work is done.
  var outcome: Outcome? {
    state.withLock { if case .done(let outcome) = $0 { outcome } else { nil } }
  }

  /// Waits for the result; a cancelled caller gets `interrupted` at once.
  func value() async throws(FilesystemError) -> Value {
    if let outcome { return try outcome.get() }
    let waiter = state.withLock { state -> UInt64 in
      guard case .running(let waiters, let next) = state else { return 0 }
      state = .running(waiters, nextWaiter: next &+ 1)
      return next
    }
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let immediate = state.withLock { state -> Outcome? in
          switch state {
          case .done(let outcome): return outcome
          case .running(var waiters, let next):
            if Task.isCancelled { return .failure(FilesystemError(.interrupted)) }
            waiters[waiter] = continuation
            state = .running(waiters, nextWaiter: next)
            return nil
          }
        }
        if let immediate { continuation.resume(returning: immediate) }
      }
    } onCancel: {
      let continuation = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
        guard case .running(var waiters, let next) = state else { return nil }
        let leaving = waiters.removeValue(forKey: waiter)
        state = .running(waiters, nextWaiter: next)
        return leaving
      }
      continuation?.resume(returning: .failure(FilesystemError(.interrupted)))
    }
    return try outcome.get()
  }

  private func finish(_ outcome: Outcome) {
    let waiters = state.withLock { state -> [CheckedContinuation<Outcome, Never>] in
      guard case .running(let waiters, _) = state else { return [] }
      state = .done(outcome)
      return Array(waiters.values)
    }
    for waiter in waiters {
      waiter.resume(returning: outcome)
    }
  }
}
