// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Calls that come to their end although nobody waits for them any more: a cancelled request may have been done all the same, and what it
/// left must be known to be cleaned up.
final class DetachedCalls: Sendable {
  private struct State {
    var running = 0
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  /// Starts work that ``finish()`` waits for.
  func start(_ work: @escaping @Sendable () async -> Void) {
    state.withLock { $0.running += 1 }
    Task {
      await work()
      let waiters = state.withLock { state in
        state.running -= 1
        guard state.running == 0 else { return [CheckedContinuation<Void, Never>]() }
        defer { state.waiters = [] }
        return state.waiters
      }
      for waiter in waiters { waiter.resume() }
    }
  }

  /// Runs a call and waits for it, also when the task is cancelled.
  func complete<Value: Sendable>(_ call: @escaping @Sendable () async -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      start { continuation.resume(returning: await call()) }
    }
  }

  /// Runs a call and waits for it until the task is cancelled.
  ///
  /// - Parameter abandoned: gets the outcome that nobody waited for.
  /// - Returns: nil if the task was cancelled first.
  func run<Value: Sendable>(
    _ call: @escaping @Sendable () async -> Value, abandoned: @escaping @Sendable (Value) async -> Void
  ) async -> Value? {
    let outcome = Outcome<Value>()
    start {
      let value = await call()
      if !outcome.deliver(value) { await abandoned(value) }
    }
    return await outcome.value()
  }

  /// Waits until nothing runs.
  func finish() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if state.running == 0 { return true }
        state.waiters.append(continuation)
        return false
      }
      if isIdle { continuation.resume() }
    }
  }
}

/// What a call came to, for one who may leave before it is there.
private final class Outcome<Value: Sendable>: Sendable {
  private enum State {
    case running
    case awaited(CheckedContinuation<Value?, Never>)
    case abandoned
    case done(Value)
  }

  private let state = Mutex(State.running)

  /// Hands the value over. False if nobody will take it.
  func deliver(_ value: Value) -> Bool {
    let (isTaken, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Value?, Never>?) in
      switch state {
      case .abandoned: return (false, nil)
      case .awaited(let continuation):
        state = .done(value)
        return (true, continuation)
      case .running, .done:
        state = .done(value)
        return (true, nil)
      }
    }
    waiter?.resume(returning: value)
    return isTaken
  }

  /// Nil if the task is cancelled before the value is there.
  func value() async -> Value? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer = state.withLock { state -> Value?? in
          switch state {
          case .done(let value): return .some(value)
          case .abandoned: return .some(nil)
          case .running, .awaited:
            state = .awaited(continuation)
            return nil
          }
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let waiter = state.withLock { state -> CheckedContinuation<Value?, Never>? in
        switch state {
        case .running:
          state = .abandoned
          return nil
        case .awaited(let continuation):
          state = .abandoned
          return continuation
        case .abandoned, .done: return nil
        }
      }
      waiter?.resume(returning: nil)
    }
  }
}
