// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The CUBIC limiter of the SDKs' `adaptive` mode: off until the first throttling answer (spec: clients.md §9).
///
/// A value: its owner locks, asks, unlocks and waits. Times are seconds on any clock that never goes back.
struct AdaptiveRateLimiter: Sendable {
  private static let beta = 0.7
  private static let scale = 0.4
  private static let smoothing = 0.8
  private static let bucketSeconds = 0.5
  /// Requests a second below which the limit never falls.
  private static let minimumRate = 0.5

  private(set) var isEnabled = false
  private(set) var limit = Double.infinity
  private(set) var measuredRate = 0.0
  private var capacity = 0.0
  private var maxCapacity = 0.0
  private var lastRefill: Double?
  private var countInBucket = 0.0
  private var lastBucket: Double
  private var lastMaxRate = 0.0
  private var lastThrottle: Double
  private var recoverySeconds = 0.0

  init(now: Double) {
    lastBucket = (now / Self.bucketSeconds).rounded(.down) * Self.bucketSeconds
    lastThrottle = now
  }

  /// Takes a token for one send.
  ///
  /// Returns the seconds to wait before asking again; 0 when the token was taken.
  mutating func acquire(now: Double) -> Double {
    guard isEnabled else { return 0 }
    refill(now: now)
    if capacity >= 1 {
      capacity -= 1
      return 0
    }
    return (1 - capacity) / limit
  }

  /// Learns from one answer.
  mutating func record(isThrottling: Bool, now: Double) {
    measure(now: now)
    let calculated: Double
    if isThrottling {
      lastMaxRate = isEnabled ? min(measuredRate, limit) : measuredRate
      recoverySeconds = cbrt(lastMaxRate * (1 - Self.beta) / Self.scale)
      lastThrottle = now
      isEnabled = true
      calculated = lastMaxRate * Self.beta
    } else {
      let elapsed = now - lastThrottle - recoverySeconds
      calculated = Self.scale * elapsed * elapsed * elapsed + lastMaxRate
    }
    if isEnabled { setLimit(min(calculated, 2 * measuredRate), now: now) }
  }

  private mutating func measure(now: Double) {
    countInBucket += 1
    let bucket = (now / Self.bucketSeconds).rounded(.down) * Self.bucketSeconds
    guard bucket > lastBucket else { return }
    let rate = countInBucket / (bucket - lastBucket)
    measuredRate = rate * Self.smoothing + measuredRate * (1 - Self.smoothing)
    countInBucket = 0
    lastBucket = bucket
  }

  private mutating func setLimit(_ rate: Double, now: Double) {
    refill(now: now)
    limit = max(rate, Self.minimumRate)
    maxCapacity = max(rate, 1)
    capacity = min(capacity, maxCapacity)
  }

  private mutating func refill(now: Double) {
    if let lastRefill, limit.isFinite {
      capacity = min(maxCapacity, capacity + (now - lastRefill) * limit)
    }
    lastRefill = now
  }
}
