// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How long what was read from catalog and S3 listings may be shown, and the switch that makes all of it old at once (`.bergfs/refresh`).
final class Freshness: Sendable {
  let timeToLive: Duration
  let now: @Sendable () -> ContinuousClock.Instant
  private let generation = Atomic<UInt64>(0)

  init(timeToLive: Duration, now: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.timeToLive = timeToLive
    self.now = now
  }

  /// Grows with every refresh; what was asked for in an older one is old.
  var epoch: UInt64 { generation.load(ordering: .acquiring) }

  func expireAll() {
    generation.wrappingAdd(1, ordering: .acquiringAndReleasing)
  }

  /// Whether the answer to a question asked at that time, in that generation, may be shown at `present`.
  ///
  /// - Parameter belief: a longer time than the time to live, where the listing itself allows one.
  func isFresh(
    _ asked: ContinuousClock.Instant, epoch: UInt64, at present: ContinuousClock.Instant, within belief: Duration = .zero
  ) -> Bool {
    epoch == self.epoch && asked.duration(to: present) <= max(timeToLive, belief)
  }
}
