// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The network a server pretends to be behind.
package struct Shape: Sendable {
  /// Nanoseconds from a request to the first byte of its answer.
  package var latency: UInt64 = 0
  /// Body bytes a second on one connection; nil is as fast as it goes.
  package var bytesPerSecond: Int?

  package init() {}

  /// Nanoseconds of the monotonic clock.
  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Waits until a moment of the monotonic clock.
  static func wait(until moment: UInt64) {
    var time = timespec(tv_sec: Int(moment / 1_000_000_000), tv_nsec: Int(moment % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
  }

  /// The moment at which `sent` bytes of a body begun at `start` may have left.
  func due(sent: Int, start: UInt64) -> UInt64 {
    guard let bytesPerSecond, bytesPerSecond > 0 else { return start }
    return start + UInt64(Double(sent) / Double(bytesPerSecond) * 1e9)
  }
}
