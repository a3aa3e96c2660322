// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Synchronization

/// One run of some work for all who ask for its result at the same time.
///
/// The work goes on when those who wait are cancelled; it must end by itself, by deadlines of its own.
final class SharedFlight<Value: Sendable>: Sendable {
  private typealias Waiter = CheckedContinuation<Result<Value, AWSError>, Never>

  private struct State {
    var waiters: [UInt64: Waiter] = [:]
    var nextID: UInt64 = 0
    var isRunning = false
  }

  private enum Start {
    case cancelled, waiting, first
  }

  private let state = Mutex(State())
  private let operation: String

  /// - Parameter operation: for the error of a cancelled caller.
  init(operation: String) {
    self.operation = operation
  }

  /// The result of the run that is going on, or of a new one.
  func value(_ work: @escaping @Sendable () async -> Result<Value, AWSError>) async throws(AWSError) -> Value {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (waiter: Waiter) in
        let start = state.withLock { state -> Start in
          if Task.isCancelled { return .cancelled }
          state.waiters[id] = waiter
          if state.isRunning { return .waiting }
          state.isRunning = true
          return .first
        }
        switch start {
        case .cancelled: waiter.resume(returning: .failure(cancelled))
        case .waiting: break
        case .first: Task { self.land(await work()) }
        }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: .failure(cancelled))
    }
    return try result.get()
  }

  private func land(_ result: Result<Value, AWSError>) {
    let waiters = state.withLock { state in
      defer { state = State(nextID: state.nextID) }
      return state.waiters.values
    }
    for waiter in waiters { waiter.resume(returning: result) }
  }

  private var cancelled: AWSError {
    AWSError(kind: .cancelled, code: "cancelled", message: "the request was cancelled", operation: operation)
  }
}
