// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import HTTP
package import Logging
package import Telemetry

/// One call of a REST service.
struct RestRequest: Sendable {
  /// For metrics and messages: "Signer.Sign".
  var operation: String
  /// As the subject of messages: "the signer at https://signer.example".
  var service: String
  var method: String
  var url: RestURL
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []
  var style = RestError.Style.catalog
  /// What the service's words may repeat, beside the request's own headers.
  var secrets: [Secret] = []
  /// The whole call with its retries.
  var deadline: Duration
}

/// Puts the caller's identity onto REST calls. Source: spec/remote-signer.md §5.
package protocol RestAuthenticator: Sendable {
  /// Adds headers. One that the request has already is never replaced.
  func authorize(_ request: inout HTTPRequest) async throws(AWSError)

  /// Told that a request was answered by 401. True if another identity is at hand and the request is worth sending once more.
  func renew(after refused: HTTPRequest) async -> Bool
}

/// Nobody in particular.
struct NoAuthenticator: RestAuthenticator {
  func authorize(_ request: inout HTTPRequest) async throws(AWSError) {}
  func renew(after refused: HTTPRequest) async -> Bool { false }
}

/// Sends REST calls with the configured headers, and repeats them where that helps.
package struct RestClient: Sendable {
  let transport: any HTTPTransport
  let headers: [(name: String, value: String)]
  let userAgent: String
  let maxRetries: Int
  let clock: any AWSClock
  let metrics: Metrics
  let logger: Logger

  package init(
    transport: any HTTPTransport, properties: RestClientProperties, clock: any AWSClock, metrics: Metrics, logger: Logger
  ) {
    self.transport = transport
    headers = properties.headers
    userAgent = properties.userAgent
    maxRetries = properties.maxRetries
    self.clock = clock
    self.metrics = metrics
    self.logger = logger
  }

  /// Sends until an answer of success, a definite refusal, or the deadline.
  ///
  /// - Returns: status 200 to 299, or 304.
  func send(_ request: RestRequest, as identity: any RestAuthenticator) async throws(AWSError) -> HTTPResponse {
    var call = RestCall(client: self, request: request, identity: identity, end: clock.elapsed() + request.deadline)
    return try await call.run()
  }
}

/// One call with its sends.
private struct RestCall {
  let client: RestClient
  let request: RestRequest
  let identity: any RestAuthenticator
  let end: Duration
  private var retries = 0
  private var hasRenewed = false

  init(client: RestClient, request: RestRequest, identity: any RestAuthenticator, end: Duration) {
    self.client = client
    self.request = request
    self.identity = identity
    self.end = end
  }

  mutating func run() async throws(AWSError) -> HTTPResponse {
    while true {
      var http = HTTPRequest(
        method: request.method, endpoint: request.url.endpoint, target: request.url.target, headers: headers, body: request.body)
      try await identity.authorize(&http)
      let start = client.clock.elapsed()
      http.deadline = end - start
      guard http.deadline > .zero else { throw outOfTime }
      let result: Result<HTTPResponse, HTTPError>
      do throws(HTTPError) {
        result = .success(try await client.transport.send(http, sink: nil))
      } catch {
        result = .failure(error)
      }
      observe(result, since: start)
      switch result {
      case .success(let response):
        if (200..<300).contains(response.status) || response.status == 304 { return response }
        // 419: "authentication timeout", as the signer's interface calls it.
        if response.status == 401 || response.status == 419, !hasRenewed {
          hasRenewed = true
          if await identity.renew(after: http) { continue }
        }
        let error = RestError.refusal(
          response, style: request.style, service: request.service, operation: request.operation,
          secrets: RestSecrets(of: http.headers, configured: client.headers, further: request.secrets))
        guard RestRetry.isRepeated(response.status) else { throw finished(error) }
        let delay = RestRetry.delay(
          response, retry: retries + 1, random: client.clock.random(), wallSeconds: client.clock.wallSeconds())
        try await wait(delay, after: error)
      case .failure(let failure):
        let error = RestError.failure(failure, service: request.service, method: request.method, operation: request.operation)
        guard RestRetry.isRepeated(failure) else { throw finished(error) }
        try await wait(RestRetry.delayAfterFailure(retry: retries + 1, random: client.clock.random()), after: error)
      }
    }
  }

  /// The request's own before the configured ones.
  private var headers: [(name: String, value: String)] {
    var headers = request.headers
    for header in client.headers where !headers.contains(where: { $0.name.lowercased() == header.name.lowercased() }) {
      headers.append(header)
    }
    if !headers.contains(where: { $0.name.lowercased() == "user-agent" }) { headers.append(("User-Agent", client.userAgent)) }
    return headers
  }

  private func observe(_ result: Result<HTTPResponse, HTTPError>, since start: Duration) {
    let status = if case .success(let response) = result { response.status } else { 0 }
    client.metrics.add(.requests, request.operation, String(status))
    client.metrics.observe(.requestSeconds, request.operation, client.clock.elapsed() - start)
  }

  /// Waits before the next send, or throws the error when there is none.
  private mutating func wait(_ delay: Duration, after error: AWSError) async throws(AWSError) {
    guard retries < client.maxRetries, client.clock.elapsed() + delay < end else { throw finished(error) }
    retries += 1
    client.metrics.add(.requestRetries, request.operation)
    client.logger.debug(
      "request is sent again",
      metadata: ["operation": "\(request.operation)", "attempt": "\(retries)", "status": "\(error.status)", "delay": "\(delay)"])
    do {
      try await client.clock.sleep(for: delay)
    } catch {
      throw AWSError(kind: .cancelled, code: "cancelled", message: "the request was cancelled", operation: request.operation)
    }
  }

  private func finished(_ error: AWSError) -> AWSError {
    var whole = error
    whole.attempts = retries + 1
    client.logger.debug(
      "request failed",
      metadata: [
        "operation": "\(request.operation)", "attempts": "\(whole.attempts)", "kind": "\(error.kind.rawValue)", "code": "\(error.code)",
        "status": "\(error.status)",
      ])
    return whole
  }

  private var outOfTime: AWSError {
    AWSError(
      kind: .timedOut, code: "timedOut", message: "\(request.service) cannot be asked: the time for this call is used up",
      operation: request.operation)
  }
}
