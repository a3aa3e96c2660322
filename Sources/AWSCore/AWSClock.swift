// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Time and chance as the AWS clients see them; tests put their own in place.
package protocol AWSClock: Sendable {
  /// Seconds since 1970, for signatures and expiry.
  func wallSeconds() -> Double
  /// Time since an arbitrary start that never goes back, for deadlines and backoff.
  func elapsed() -> Duration
  /// Waits without holding a thread; ends early with an error when the task is cancelled.
  func sleep(for duration: Duration) async throws(CancellationError)
  /// A number from 0 up to, but not including, 1.
  func random() -> Double
}

/// The machine's clocks and the system's random generator.
package struct SystemAWSClock: AWSClock {
  private static let start = ContinuousClock.now

  package init() {}

  package func wallSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

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
