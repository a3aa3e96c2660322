// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import TestSupport

/// Beats with outcomes from a list, the last one repeated, on a virtual clock.
final class Beats: Sendable {
  private let clock: VirtualLockClock
  private let outcomes: [LockHeartbeat.Beat]
  private let lengths: [Duration]
  private let sent = Mutex([Duration]())

  /// - Parameter lengths: how far each beat moves the clock; zero for further ones.
  init(_ clock: VirtualLockClock, _ outcomes: [LockHeartbeat.Beat], taking lengths: [Duration] = []) {
    self.clock = clock
    self.outcomes = outcomes
    self.lengths = lengths
  }

  /// When each beat was sent.
  var times: [Duration] { sent.withLock { $0 } }

  func next() async -> LockHeartbeat.Beat {
    let now = clock.elapsed()
    let number = sent.withLock { sent in
      sent.append(now)
      return sent.count - 1
    }
    if number < lengths.count { clock.advance(by: lengths[number]) }
    return outcomes[min(number, outcomes.count - 1)]
  }
}
