// SPDX-License-Identifier: Apache-2.0

package import HTTP

/// One call of an AWS API before it is addressed and signed.
package struct AWSRequest: Sendable {
  /// API name for metrics and messages: "GetObject", "Glue.GetTable".
  package var operation: String
  package var method: String
  /// S3: the bucket the resolver puts in host or path. S3 Control: the account in the host. Nil for other services.
  package var bucket: String?
  /// Percent-encoded path after endpoint and bucket, starting with `/`.
  package var path: String
  /// Names and values, not encoded; a nil value is sent as the bare name.
  package var query: [(name: String, value: String?)]
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  /// Whole call with its retries.
  package var deadline: Duration
  /// S3: what the keys of a request about several objects begin with, for credentials that depend on them; nil where path or query say it.
  package var commonPrefix: String?

  package init(
    operation: String, method: String, bucket: String? = nil, path: String = "/", query: [(name: String, value: String?)] = [],
    headers: [(name: String, value: String)] = [], body: [UInt8] = [], deadline: Duration = .seconds(120)
  ) {
    self.operation = operation
    self.method = method
    self.bucket = bucket
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.deadline = deadline
  }
}

/// A successful (2xx) answer; every other status is an ``AWSError``.
package struct AWSResponse: Sendable {
  package var http: HTTPResponse
  package var requestID: String?
  /// How often the request was sent; above 1 a "definite" error may hide an earlier success.
  package var attempts: Int

  package init(http: HTTPResponse, requestID: String?, attempts: Int) {
    self.http = http
    self.requestID = requestID
    self.attempts = attempts
  }
}

/// Signs, sends, retries. Implemented by the AWS client and by recorded answers in tests.
package protocol AWSRequestSender: Sendable {
  /// Sends with the service's retry policy until an answer, a definite error, or the deadline.
  ///
  /// - Parameter sink: takes the body of a 2xx answer. A sink that took bytes is never restarted from zero: after a broken body the error
  ///   carries `isRetryable` and the caller asks for the missing range itself.
  func send(_ request: AWSRequest, sink: (any HTTPBodySink)?) async throws(AWSError) -> AWSResponse
}

extension AWSRequestSender {
  package func send(_ request: AWSRequest) async throws(AWSError) -> AWSResponse {
    try await send(request, sink: nil)
  }
}

/// Why an AWS call failed.
package struct AWSError: Error, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// No connection, no name, TLS, reset.
    case network
    case timedOut
    /// Keys missing, wrong, or expired.
    case credentials
    /// 403 and the like for valid keys.
    case accessDenied
    case notFound
    /// A condition (If-Match, VersionId, ConditionExpression) did not hold.
    case conditionFailed
    case throttled
    case server
    case badRequest
    /// The answer makes no sense (HTML, bad JSON, missing member).
    case malformed
    /// The service does not do this at all (501).
    case unsupported
    case configuration
    case cancelled
  }
  package var kind: Kind
  /// The service's error code ("EntityNotFoundException"), the HTTP status as text, or an ``HTTPError/Code``.
  package var code: String
  /// One sentence for a person. Never holds a secret.
  package var message: String
  package var operation: String
  /// 0 when no answer came.
  package var status: Int
  package var requestID: String?
  package var attempts: Int
  package var isRetryable: Bool
  /// No send can have been applied without our knowing: each was answered by a refusal other than a failing server's (5xx), or never left
  /// this machine. An answer of success that cannot be read is none.
  package var isDefinite: Bool
  /// Answer headers that callers need (`x-amz-bucket-region`, `Date`).
  package var headers: [(name: String, value: String)]
  /// Codes of a cancelled DynamoDB transaction (`ConditionalCheckFailed`, `TransactionConflict`, `None`), one for each of its items in order.
  package var cancellationReasons: [String] = []

  package init(
    kind: Kind, code: String, message: String, operation: String, status: Int = 0, requestID: String? = nil, attempts: Int = 1,
    isRetryable: Bool = false, isDefinite: Bool = true, headers: [(name: String, value: String)] = []
  ) {
    self.kind = kind
    self.code = code
    self.message = message
    self.operation = operation
    self.status = status
    self.requestID = requestID
    self.attempts = attempts
    self.isRetryable = isRetryable
    self.isDefinite = isDefinite && !(200..<300).contains(status)
    self.headers = headers
  }

  package var description: String { "\(operation): \(message) (\(code))" }
}
