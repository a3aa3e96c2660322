// SPDX-License-Identifier: Apache-2.0

/// How often and how patiently a call is repeated (spec: clients.md §9, s3fileio.md §8).
package struct RetryPolicy: Sendable, Hashable {
  /// How the wait after a throttling answer is drawn.
  package enum Jitter: Sendable, Hashable {
    /// Anything from nothing to the full wait.
    case full
    /// At least half the wait.
    case half
  }

  /// Sends in all, the first one included; at least 1.
  package var maxAttempts: Int
  /// First wait; it doubles with each retry.
  package var baseDelay: Duration
  package var throttlingBaseDelay: Duration
  /// No wait is longer.
  package var maxDelay: Duration
  package var throttlingMaxDelay: Duration
  package var throttlingJitter: Jitter
  /// What a retry takes from the client's bucket of 500 tokens.
  package var retryCost: Int
  package var throttlingCost: Int
  /// Whether every 503 is free of tokens, code or not.
  package var isServiceUnavailableFree: Bool
  /// Whether throttling answers also slow down first sends (CUBIC rate limiter).
  package var isAdaptive: Bool
  /// The longest one send may take; nil leaves the call's own deadline.
  package var attemptTimeout: Duration?

  package init(
    maxAttempts: Int, baseDelay: Duration = .milliseconds(100), throttlingBaseDelay: Duration = .seconds(1),
    maxDelay: Duration = .seconds(20), throttlingMaxDelay: Duration = .seconds(20), throttlingJitter: Jitter = .full,
    retryCost: Int = 5, throttlingCost: Int = 5, isServiceUnavailableFree: Bool = false, isAdaptive: Bool = false,
    attemptTimeout: Duration? = nil
  ) {
    self.maxAttempts = max(1, maxAttempts)
    self.baseDelay = baseDelay
    self.throttlingBaseDelay = throttlingBaseDelay
    self.maxDelay = maxDelay
    self.throttlingMaxDelay = throttlingMaxDelay
    self.throttlingJitter = throttlingJitter
    self.retryCost = retryCost
    self.throttlingCost = throttlingCost
    self.isServiceUnavailableFree = isServiceUnavailableFree
    self.isAdaptive = isAdaptive
    self.attemptTimeout = attemptTimeout
  }

  /// The SDKs' `standard` mode.
  package static func standard(maxAttempts: Int = 3) -> RetryPolicy {
    RetryPolicy(maxAttempts: maxAttempts)
  }

  /// The SDKs' `adaptive` mode: `standard` and a rate limiter.
  package static func adaptive(maxAttempts: Int = 3) -> RetryPolicy {
    RetryPolicy(maxAttempts: maxAttempts, isAdaptive: true)
  }

  /// The Java SDK's `legacy` mode.
  package static func legacy(maxAttempts: Int = 4) -> RetryPolicy {
    RetryPolicy(maxAttempts: maxAttempts, throttlingBaseDelay: .milliseconds(500), throttlingJitter: .half, throttlingCost: 0)
  }

  /// Iceberg's policy for S3.
  ///
  /// - Parameters:
  ///   - retries: `s3.retry.num-retries`, sends after the first.
  ///   - minWait: `s3.retry.min-wait-ms`, first wait after throttling.
  ///   - maxWait: `s3.retry.max-wait-ms`, its cap.
  package static func s3(
    retries: Int = 5, minWait: Duration = .milliseconds(2000), maxWait: Duration = .milliseconds(20000)
  ) -> RetryPolicy {
    RetryPolicy(
      maxAttempts: retries < Int.max ? retries + 1 : retries, throttlingBaseDelay: minWait, throttlingMaxDelay: maxWait,
      throttlingJitter: .half, throttlingCost: 0, isServiceUnavailableFree: true)
  }

  /// The wait before a retry.
  ///
  /// - Parameters:
  ///   - retry: retries already done: 0 for the first.
  ///   - random: from 0 up to 1.
  package func delay(retry: Int, isThrottling: Bool, random: Double) -> Duration {
    let base = isThrottling ? throttlingBaseDelay : baseDelay
    let cap = isThrottling ? throttlingMaxDelay : maxDelay
    let doublings = Double(1 << min(max(retry, 0), 30))
    let ceiling = min(Self.seconds(base) * doublings, Self.seconds(cap))
    let isHalf = isThrottling && throttlingJitter == .half
    let seconds = isHalf ? ceiling / 2 + random * ceiling / 2 : random * ceiling
    return .microseconds(Int64((min(seconds, 1e9) * 1e6).rounded()))
  }

  /// Tokens a retry takes.
  package func cost(isThrottling: Bool, status: Int) -> Int {
    if isServiceUnavailableFree, status == 503 { return 0 }
    return isThrottling ? throttlingCost : retryCost
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
