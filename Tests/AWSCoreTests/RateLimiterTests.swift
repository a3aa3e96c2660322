// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AWSCore

@Suite("The adaptive rate limiter")
struct RateLimiterTests {
  @Test("Nothing is held back before the first throttling answer")
  func off() {
    var limiter = AdaptiveRateLimiter(now: 0)
    for tick in 0..<1000 {
      #expect(limiter.acquire(now: Double(tick) * 0.001) == 0)
      limiter.record(isThrottling: false, now: Double(tick) * 0.001)
    }
    #expect(!limiter.isEnabled)
  }

  @Test("Throttling cuts the measured rate to 70 %, and successes let it grow past the old maximum")
  func cubic() {
    var limiter = AdaptiveRateLimiter(now: 0)
    var now = 0.0
    for _ in 0..<100 {
      now += 0.1
      limiter.record(isThrottling: false, now: now)
    }
    #expect(abs(limiter.measuredRate - 10) < 0.5)
    let before = limiter.measuredRate
    limiter.record(isThrottling: true, now: now)
    #expect(limiter.isEnabled)
    #expect(abs(limiter.limit - 0.7 * before) < 0.2)
    for _ in 0..<100 {
      now += 0.1
      limiter.record(isThrottling: false, now: now)
    }
    #expect(limiter.limit > before)
    #expect(limiter.limit <= 2 * limiter.measuredRate)
  }

  @Test("An enabled limiter says how long to wait, and never falls below one request in two seconds")
  func floor() {
    var limiter = AdaptiveRateLimiter(now: 0)
    for _ in 0..<10 { limiter.record(isThrottling: true, now: 1) }
    #expect(limiter.limit == 0.5)
    let wait = limiter.acquire(now: 1)
    #expect(wait > 0 && wait <= 2)
    #expect(limiter.acquire(now: 1 + wait + 0.001) == 0)
  }
}
