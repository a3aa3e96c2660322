// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A value that one task waits for and anyone may deliver once; cancelling the waiting task delivers `cancelled`.
final class OneShot<Value: Sendable>: Sendable {
  private enum State {
    case pending
    case waiting(CheckedContinuation<Value, Never>)
    case done(Value)
  }

  private let state = Mutex(State.pending)
  private let cancelled: Value

  init(cancelled: Value) {
    self.cancelled = cancelled
  }

  /// Whether a value was delivered (or the waiting task was cancelled).
  var isDone: Bool {
    state.withLock { state in
      if case .done = state { true } else { false }
    }
  }

  /// Delivers the value. False if one had been delivered before: then this one goes nowhere.
  @discardableResult
  func complete(_ value: Value) -> Bool {
    let (continuation, isFirst) = state.withLock { state -> (CheckedContinuation<Value, Never>?, Bool) in
      switch state {
      case .pending:
        state = .done(value)
        return (nil, true)
      case .waiting(let continuation):
        state = .done(value)
        return (continuation, true)
      case .done:
        return (nil, false)
      }
    }
    continuation?.resume(returning: value)
    return isFirst
  }

  /// Waits for the value; at most one task may.
  func value() async -> Value {
    if let value = delivered { return value }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let early = state.withLock { state -> Value? in
          if case .done(let value) = state { return value }
          state = .waiting(continuation)
          return nil
        }
        if let early { continuation.resume(returning: early) }
      }
    } onCancel: {
      complete(cancelled)
    }
  }

  private var delivered: Value? {
    state.withLock { state in
      if case .done(let value) = state { value } else { nil }
    }
  }
}
