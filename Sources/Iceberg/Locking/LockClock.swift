// SPDX-License-Identifier: Apache-2.0

/// Time and chance as locks see them; tests put their own in place.
package protocol LockClock: Sendable {
  /// Time since an arbitrary start: never goes back, and goes on while the machine sleeps, as a lease does.
  func elapsed() -> Duration
  /// Waits without holding a thread; ends early with an error when the task is cancelled.
  func sleep(for duration: Duration) async throws(CancellationError)
  /// A number from 0 up to, but not including, 1.
  func random() -> Double
}

/// The machine's clock and the system's random generator.
package struct SystemLockClock: LockClock {
  private static let start = ContinuousClock.now

  package init() {}

  package func elapsed() -> Duration {
    ContinuousClock.now - Self.start
  }

  package func sleep(for duration: Duration) async throws(CancellationError) {
    do {
      try await Task.sleep(for: duration)
    } catch {
      throw CancellationError()
    }
  }

  package func random() -> Double {
    Double.random(in: 0..<1)
  }
}
