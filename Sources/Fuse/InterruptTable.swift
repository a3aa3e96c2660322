// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// The requests that wait for something, so that a fatal signal of their caller can cancel them.
///
/// A request stands here by a number, not by a pointer: libfuse may call the interrupt function while another thread answers and frees the
/// request, and a number that is gone is simply not found.
final class InterruptTable: Sendable {
  private struct Waiting {
    let task: Task<Void, Never>
    let thread: pid_t
  }

  private struct State {
    var lastNumber: UInt = 0
    var waiting: [UInt: Waiting] = [:]
    var isEnding = false
    var harmlessSignals = 0
  }

  /// How often a caller that was interrupted by a harmless signal is looked at again. The kernel tells of the first signal of a request only,
  /// so a SIGKILL after a SIGALRM is seen by looking; 100 ms is what a person who presses ^C does not notice.
  static let recheckInterval = Duration.milliseconds(100)

  private let state = Mutex(State())

  /// Enters a request that is not answered yet.
  ///
  /// - Parameter thread: the caller's thread id in our process namespace; 0 when the kernel itself asks.
  func insert(_ task: Task<Void, Never>, thread: pid_t) -> UInt {
    let (number, isEnding) = state.withLock { state in
      state.lastNumber &+= 1
      state.waiting[state.lastNumber] = Waiting(task: task, thread: thread)
      return (state.lastNumber, state.isEnding)
    }
    if isEnding { task.cancel() }
    return number
  }

  func remove(_ number: UInt) {
    state.withLock { $0.waiting[number] = nil }
  }

  /// Cancels everything that waits now and later: nobody will read the answers.
  func cancelAll() {
    let tasks = state.withLock { state in
      state.isEnding = true
      return state.waiting.values.map(\.task)
    }
    for task in tasks { task.cancel() }
  }

  /// How often a caller was looked at and no fatal signal was pending.
  var harmlessSignals: Int { state.withLock { $0.harmlessSignals } }

  var count: Int { state.withLock { $0.waiting.count } }

  /// The kernel says that a signal interrupts the request. Called by libfuse with its locks held, so it only starts a task.
  func interrupted(_ number: UInt) {
    guard contains(number) else { return }
    Task { await self.cancelOnFatalSignal(number) }
  }

  private func contains(_ number: UInt) -> Bool {
    state.withLock { $0.waiting[number] != nil }
  }

  private func cancelOnFatalSignal(_ number: UInt) async {
    while let waiting = state.withLock({ $0.waiting[number] }) {
      guard waiting.thread > 0, let signals = PendingSignals(ofThread: waiting.thread) else { return }
      if signals.includeFatal {
        waiting.task.cancel()
        return
      }
      state.withLock { $0.harmlessSignals += 1 }
      do { try await Task.sleep(for: Self.recheckInterval) } catch { return }
    }
  }
}
