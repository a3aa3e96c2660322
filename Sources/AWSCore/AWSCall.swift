// SPDX-License-Identifier: Apache-2.0

import HTTP
import Logging
import Telemetry

/// One call with its sends: the stages in order are credentials, signature, send, verdict, wait.
struct AWSCall {
  let client: AWSClient
  let request: AWSRequest
  let sink: (any HTTPBodySink)?
  let resolved: ResolvedEndpoint
  private let classifier: FaultClassifier
  private let end: Duration
  private let relay: RelaySink?
  private let invocationID: String
  /// Where this request's keys come from.
  private var credentials: any AWSCredentialsProvider
  private var attempts = 0
  private var lastCost: Int?
  private var hasRefreshed = false
  private var hasSignedAnew = false
  private var hasCorrectedClock = false
  /// Whether any send may have been carried out without our knowing.
  private var isUncertain = false

  init(client: AWSClient, request: AWSRequest, sink: (any HTTPBodySink)?, resolved: ResolvedEndpoint) {
    self.client = client
    self.request = request
    self.sink = sink
    self.resolved = resolved
    credentials = client.credentials
    classifier = FaultClassifier(service: client.service)
    end = client.clock.elapsed() + request.deadline
    relay = sink.map { RelaySink($0) }
    invocationID = Self.identifier(client.clock)
  }

  mutating func run() async throws(AWSError) -> AWSResponse {
    try await chooseCredentials()
    while true {
      let keys = try await loadCredentials()
      try await waitForRate()
      let verdict: FaultClassifier.Verdict
      let signingTime = client.signingSeconds
      switch try await sendOnce(keys, signingTime: signingTime) {
      case .success(let response):
        guard let found = classifier.verdict(on: response, request: request, endpoint: resolved.endpoint, credentials: keys) else {
          return try succeed(response)
        }
        verdict = found
        if !found.error.isDefinite { isUncertain = true }
        if client.retry.isAdaptive { client.recordRate(isThrottling: found.isThrottling) }
        if correctsClock(response, found.error, signingTime: signingTime) { continue }
      case .failure(let failure):
        verdict = classifier.verdict(on: failure, request: request)
        if failure.mayHaveBeenSent { isUncertain = true }
      }
      if let relay, relay.hasBegun { throw finished(verdict.error) }
      if verdict.asksForNewCredentials, try await refreshes(keys) { continue }
      if signsAnew(verdict.error, keys, signingTime: signingTime) { continue }
      try await waitForRetry(verdict)
    }
  }

  private mutating func succeed(_ response: HTTPResponse) throws(AWSError) -> AWSResponse {
    if client.retry.isAdaptive { client.recordRate(isThrottling: false) }
    client.bucket.refund(lastCost ?? 1)
    if let relay, !relay.beginTarget() {
      let refused = HTTPError(
        code: .refusedBySink, message: "the receiver of the body refused the answer", mayHaveBeenSent: true, isRetryable: false)
      throw finished(classifier.verdict(on: refused, request: request).error)
    }
    return AWSResponse(http: response, requestID: ServiceFault.requestID(of: response), attempts: attempts)
  }

  private mutating func chooseCredentials() async throws(AWSError) {
    do {
      for choice in client.requestCredentials {
        guard let provider = try await choice.provider(for: request, at: resolved) else { continue }
        credentials = provider
        return
      }
    } catch {
      throw named(error)
    }
  }

  private func loadCredentials() async throws(AWSError) -> AWSCredentials {
    do {
      if let keys = try await credentials.credentials() { return keys }
    } catch {
      throw named(error)
    }
    throw named(.missingCredentials("no credentials: \(credentials.name) has none"))
  }

  private func waitForRate() async throws(AWSError) {
    guard client.retry.isAdaptive else { return }
    while case let seconds = client.acquireRate(), seconds > 0 {
      try await sleep(.seconds(seconds))
    }
  }

  /// Throws when there is no signature to be had.
  private mutating func sendOnce(_ keys: AWSCredentials, signingTime: Double) async throws(AWSError) -> Result<HTTPResponse, HTTPError> {
    attempts += 1
    var http = unsigned
    http.deadline = end - client.clock.elapsed()
    guard http.deadline > .zero else { return .failure(outOfTime) }
    do {
      try await client.signer.sign(&http, signing(keys, at: signingTime))
    } catch {
      throw named(error)
    }
    let start = client.clock.elapsed()
    let remaining = end - start
    guard remaining > .zero else { return .failure(outOfTime) }
    http.deadline = client.retry.attemptTimeout.map { min($0, remaining) } ?? remaining
    let result: Result<HTTPResponse, HTTPError>
    do throws(HTTPError) {
      result = .success(try await client.transport.send(http, sink: relay))
    } catch {
      result = .failure(error)
    }
    let status = if case .success(let response) = result { response.status } else { 0 }
    client.metrics.add(.requests, request.operation, String(status))
    client.metrics.observe(.requestSeconds, request.operation, client.clock.elapsed() - start)
    return result
  }

  private var outOfTime: HTTPError {
    HTTPError(
      code: .timedOut, message: "\(resolved.endpoint.authority): the time for this call is used up", mayHaveBeenSent: false,
      isRetryable: false)
  }

  /// The request of this attempt before it is signed.
  private var unsigned: HTTPRequest {
    var headers = request.headers
    headers.append(("User-Agent", client.userAgent))
    headers.append(("amz-sdk-invocation-id", invocationID))
    headers.append(("amz-sdk-request", "attempt=\(attempts); max=\(client.retry.maxAttempts)"))
    return HTTPRequest(method: request.method, endpoint: resolved.endpoint, target: target, headers: headers, body: request.body)
  }

  private func signing(_ keys: AWSCredentials, at seconds: Double) -> SigningContext {
    SigningContext(operation: request.operation, resolved: resolved, credentials: keys, seconds: seconds)
  }

  private var target: String {
    let query = request.query.map { name, value in
      value.map { "\(PercentEncoding.query(name))=\(PercentEncoding.query($0))" } ?? PercentEncoding.query(name)
    }
    let path = resolved.pathPrefix + request.path
    return query.isEmpty ? path : "\(path)?\(query.joined(separator: "&"))"
  }

  /// Whether the service's clock explains the refusal and is followed from now on; once a call.
  private mutating func correctsClock(_ response: HTTPResponse, _ error: AWSError, signingTime: Double) -> Bool {
    guard client.signer.usesOwnKeys, !hasCorrectedClock, let date = response.header("date").flatMap({ Timestamp.seconds(httpDate: $0) }),
      ErrorCodes.isSkewed(error.code, status: response.status, method: request.method, difference: signingTime - date)
    else { return false }
    hasCorrectedClock = true
    client.follow(serviceSeconds: date)
    client.logger.warning(
      "clock differs from the service's: signing with the service's time",
      metadata: ["operation": "\(request.operation)", "seconds": "\(Int((date - signingTime).rounded()))"])
    noteRetry(error, after: .zero)
    return true
  }

  /// Whether the provider has other keys after being told that these are refused; once a call.
  private mutating func refreshes(_ keys: AWSCredentials) async throws(AWSError) -> Bool {
    guard !hasRefreshed else { return false }
    hasRefreshed = true
    credentials.invalidate(keys)
    let fresh = try await loadCredentials()
    return !fresh.hasSameKeys(as: keys)
  }

  /// Whether the signer has another signature after being told that this one is refused; once a call.
  private mutating func signsAnew(_ error: AWSError, _ keys: AWSCredentials, signingTime: Double) -> Bool {
    // An answer to HEAD has no body that could tell a refused signature from a refused request.
    guard !hasSignedAnew, error.kind == .credentials || (error.status == 403 && request.method == "HEAD"),
      client.signer.renews(unsigned, signing(keys, at: signingTime), refusedWith: error)
    else { return false }
    hasSignedAnew = true
    noteRetry(error, after: .zero)
    return true
  }

  /// Waits before the next send, or throws the error when there is none.
  private mutating func waitForRetry(_ verdict: FaultClassifier.Verdict) async throws(AWSError) {
    let cost = client.retry.cost(isThrottling: verdict.isThrottling, status: verdict.error.status)
    let delay = client.retry.delay(retry: attempts - 1, isThrottling: verdict.isThrottling, random: client.clock.random())
    guard verdict.isRetryable, attempts < client.retry.maxAttempts, client.clock.elapsed() + delay < end, client.bucket.take(cost) else {
      throw finished(verdict.error)
    }
    lastCost = cost
    noteRetry(verdict.error, after: delay)
    try await sleep(delay)
  }

  private func noteRetry(_ error: AWSError, after delay: Duration) {
    client.metrics.add(.requestRetries, request.operation)
    client.logger.debug(
      "request is sent again",
      metadata: [
        "operation": "\(request.operation)", "attempt": "\(attempts)", "code": "\(error.code)", "status": "\(error.status)",
        "delay": "\(delay)", "request_id": "\(error.requestID ?? "-")",
      ])
  }

  private func sleep(_ duration: Duration) async throws(AWSError) {
    do {
      try await client.clock.sleep(for: duration)
    } catch {
      throw finished(
        AWSError(kind: .cancelled, code: "cancelled", message: "the request was cancelled", operation: request.operation))
    }
  }

  /// The error with what only the whole call knows.
  private func finished(_ error: AWSError) -> AWSError {
    var whole = error
    whole.attempts = attempts
    whole.isDefinite = !isUncertain
    client.logger.debug(
      "request failed",
      metadata: [
        "operation": "\(request.operation)", "attempts": "\(attempts)", "kind": "\(error.kind.rawValue)", "code": "\(error.code)",
        "status": "\(error.status)", "request_id": "\(error.requestID ?? "-")", "host": "\(resolved.endpoint.authority)",
      ])
    return whole
  }

  /// An error of getting keys or a signature as one of this call, which the service has not seen: no status, name or word of it is the service's.
  private func named(_ error: AWSError) -> AWSError {
    var named = error
    if error.kind == .notFound || error.kind == .conditionFailed { named.kind = .credentials }
    named.status = 0
    named.headers = []
    named.operation = request.operation
    named.attempts = attempts
    named.isDefinite = !isUncertain
    return named
  }

  /// A random UUID.
  private static func identifier(_ clock: any AWSClock) -> String {
    func hex(_ digits: Int) -> String {
      let number = UInt64(clock.random() * Double(UInt64(1) << UInt64(digits * 4)))
      let text = String(number, radix: 16)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    return "\(hex(8))-\(hex(4))-4\(hex(3))-8\(hex(3))-\(hex(12))"
  }
}
