// SPDX-License-Identifier: Apache-2.0

import HTTP

/// A request to an endpoint of this machine or its link, with a short time limit and tries of its own; unsigned, never through a proxy.
struct LinkRequest: Sendable {
  let endpoint: HTTPEndpoint
  let timeout: Duration
  let tries: Int
  let clock: any AWSClock
  let transport: any HTTPTransport

  private static let pause = Duration.seconds(1)

  /// The answer of the last try, whatever its status; server errors are tried again.
  func send(
    _ method: String, _ target: String, headers: [(name: String, value: String)] = []
  ) async -> Result<HTTPResponse, HTTPError> {
    var number = 0
    while true {
      number += 1
      let result: Result<HTTPResponse, HTTPError>
      do throws(HTTPError) {
        result = .success(
          try await transport.send(
            HTTPRequest(method: method, endpoint: endpoint, target: target, headers: headers, deadline: timeout), sink: nil))
      } catch {
        result = .failure(error)
      }
      guard number < tries, Self.isWorthRepeating(result) else { return result }
      do {
        try await clock.sleep(for: Self.pause)
      } catch {
        return result
      }
    }
  }

  private static func isWorthRepeating(_ result: Result<HTTPResponse, HTTPError>) -> Bool {
    switch result {
    case .success(let response): response.status >= 500 || response.status == 429
    case .failure(let error): error.code != .cancelled && error.code != .unusable
    }
  }
}
