// SPDX-License-Identifier: Apache-2.0

import AWSCore
import HTTP

/// Which REST calls are repeated, and after what wait. Source: spec/remote-signer.md §6.
///
/// None of our calls changes anything, so failing servers and connections that end without an answer are asked again whatever the method.
enum RestRetry {
  static func isRepeated(_ status: Int) -> Bool {
    [408, 429, 500, 502, 503, 504].contains(status)
  }

  /// Names that do not resolve, certificates, and waits that ran out are not mended by asking again.
  static func isRepeated(_ failure: HTTPError) -> Bool {
    switch failure.code {
    case .refused, .reset, .truncated: failure.isRetryable
    case .notResolved, .timedOut, .tls, .proxy, .tooLarge, .malformed, .refusedBySink, .cancelled, .unusable: false
    }
  }

  /// The wait that the service asks for, or a second doubled with each retry and up to a tenth more.
  ///
  /// - Parameters:
  ///   - retry: 1 for the first.
  ///   - random: from 0 up to 1.
  ///   - wallSeconds: since 1970.
  static func delay(_ response: HTTPResponse, retry: Int, random: Double, wallSeconds: Double) -> Duration {
    if let text = response.header("Retry-After") {
      let seconds = Double(UInt32(text) ?? 0)
      let asked = seconds > 0 ? seconds : (Timestamp.seconds(httpDate: text) ?? 0) - wallSeconds
      if asked > 0, asked < 86_400 { return .milliseconds(Int64(asked * 1000)) }
    }
    return backoff(retry, from: 1, random: random)
  }

  /// A connection that was not to be had is tried again ten times as soon: a server that starts anew needs no rest.
  static func delayAfterFailure(retry: Int, random: Double) -> Duration {
    backoff(retry, from: 0.1, random: random)
  }

  private static func backoff(_ retry: Int, from first: Double, random: Double) -> Duration {
    let seconds = first * Double(1 << min(max(retry - 1, 0), 6))
    return .milliseconds(Int64(seconds * (1 + random / 10) * 1000))
  }
}
