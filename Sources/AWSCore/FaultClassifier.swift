// SPDX-License-Identifier: Apache-2.0

import HTTP
import Telemetry

/// Turns answers and transport failures into errors with a sentence for a person.
struct FaultClassifier: Sendable {
  let service: AWSService

  /// What one send came to.
  struct Verdict: Sendable {
    var error: AWSError
    var isRetryable: Bool
    var isThrottling: Bool
    var asksForNewCredentials = false
  }

  /// An answer that must not be handed over: any status outside 2xx, and 2xx answers that hide a failure. Nil for a good one.
  func verdict(on response: HTTPResponse, request: AWSRequest, endpoint: HTTPEndpoint, credentials: AWSCredentials) -> Verdict? {
    guard (200..<300).contains(response.status) else {
      return refusal(response, status: response.status, request: request, endpoint: endpoint, credentials: credentials)
    }
    if isObjectBody(request) { return nil }
    if service.wire == .restXML, RestXMLProtocol.isErrorDocument(response.body) {
      return refusal(response, status: 500, request: request, endpoint: endpoint, credentials: credentials)
    }
    if ServiceFault.isHTML(response) {
      let fault = ServiceFault(response, wire: service.wire)
      return Verdict(error: webPage(response, fault, request: request, endpoint: endpoint), isRetryable: false, isThrottling: false)
    }
    guard service.wire == .json, let text = response.header("x-amz-crc32"), let expected = UInt32(text),
      expected != CRC32.checksum(response.body)
    else { return nil }
    let error = AWSError(
      kind: .malformed, code: "CRC32Mismatch", message: "\(endpoint.authority) sent an answer that does not match its x-amz-crc32",
      operation: request.operation, status: response.status, requestID: ServiceFault.requestID(of: response), isRetryable: true)
    return Verdict(error: error, isRetryable: true, isThrottling: false)
  }

  /// No complete answer came.
  func verdict(on failure: HTTPError, request: AWSRequest) -> Verdict {
    let kind: AWSError.Kind =
      switch failure.code {
      case .timedOut: .timedOut
      case .cancelled: .cancelled
      case .malformed, .tooLarge: .malformed
      case .unusable: .configuration
      case .notResolved, .refused, .tls, .proxy, .reset, .truncated, .refusedBySink: .network
      }
    let error = AWSError(
      kind: kind, code: failure.code.rawValue, message: failure.message + Self.advice(on: failure), operation: request.operation,
      isRetryable: failure.isRetryable, isDefinite: !failure.mayHaveBeenSent)
    return Verdict(error: error, isRetryable: failure.isRetryable, isThrottling: false)
  }

  /// How to mend it, where that is known.
  private static func advice(on failure: HTTPError) -> String {
    guard failure.code == .tls else { return "" }
    // A handshake that breaks may go better next time; a certificate that was read and refused will not.
    return failure.isRetryable
      ? "; a server that speaks plain HTTP needs an endpoint with http://"
      : "; AWS_CA_BUNDLE can name a PEM file of the authorities to trust"
  }

  /// An object's bytes are nobody's answer to read, whatever they look like.
  private func isObjectBody(_ request: AWSRequest) -> Bool {
    service.wire == .restXML && request.operation.hasSuffix("GetObject")
  }

  private func refusal(
    _ response: HTTPResponse, status: Int, request: AWSRequest, endpoint: HTTPEndpoint, credentials: AWSCredentials
  ) -> Verdict {
    let fault = ServiceFault(response, wire: service.wire)
    if fault.isHTML, status < 500, status != 429 {
      return Verdict(error: webPage(response, fault, request: request, endpoint: endpoint), isRetryable: false, isThrottling: false)
    }
    var kind = ErrorCodes.kind(fault.code, status: status)
    if fault.cancellationReasons.contains("ConditionalCheckFailed") { kind = .conditionFailed }
    if status == 405, response.header("x-amz-delete-marker") == "true" { kind = .notFound }
    let isRetryable = ErrorCodes.isRetryable(fault.code, status: status)
    var error = AWSError(
      kind: kind, code: fault.code,
      message: sentence(kind, fault, status: status, request: request, endpoint: endpoint, credentials: credentials),
      operation: request.operation, status: response.status, requestID: fault.requestID, isRetryable: isRetryable,
      isDefinite: ErrorCodes.isDefinite(fault.code, status: status), headers: response.headers)
    error.cancellationReasons = fault.cancellationReasons
    return Verdict(
      error: error, isRetryable: isRetryable, isThrottling: ErrorCodes.isThrottling(fault.code, status: status),
      // An answer to HEAD has no body: this is how S3 says that a session has ended.
      asksForNewCredentials: ErrorCodes.asksForNewCredentials(fault.code)
        || (status == 400 && request.method == "HEAD" && credentials.sessionToken != nil))
  }

  private func webPage(_ response: HTTPResponse, _ fault: ServiceFault, request: AWSRequest, endpoint: HTTPEndpoint) -> AWSError {
    AWSError(
      kind: .malformed, code: String(response.status),
      message: "\(endpoint.description) answered HTML, not the AWS API; is this the right endpoint for \(service.name)?",
      operation: request.operation, status: response.status, requestID: fault.requestID, headers: response.headers)
  }

  private func sentence(
    _ kind: AWSError.Kind, _ fault: ServiceFault, status: Int, request: AWSRequest, endpoint: HTTPEndpoint, credentials: AWSCredentials
  ) -> String {
    if kind == .credentials { return credentialSentence(fault, credentials) }
    let words = Self.withoutSecrets(fault.message, credentials)
    if kind == .accessDenied {
      let who = Self.holder(of: credentials)
      let action = IAMAction.name(of: request.operation).flatMap { words.contains($0) ? nil : "; it needs \($0)" } ?? ""
      return "\(service.name) denied access to \(who)\(words.isEmpty ? "" : ": \(words)")\(action)"
    }
    if (300..<400).contains(status), status != 304 {
      if let region = fault.region { return "the bucket is in region \(region), not where it was asked for" }
      if !fault.isFromService {
        return "\(endpoint.description) redirects elsewhere (HTTP \(status)); is this the right endpoint for \(service.name)?"
      }
    }
    if !words.isEmpty { return words }
    if fault.isFromService { return "\(service.name) answered \(fault.code) (HTTP \(status))" }
    return fault.isHTML
      ? "\(endpoint.description) answered HTTP \(status) with HTML; is this the right endpoint for \(service.name)?"
      : "\(endpoint.authority) answered HTTP \(status) without a reason"
  }

  /// The service's own words for these may hold the canonical request, and with it the session token.
  private func credentialSentence(_ fault: ServiceFault, _ credentials: AWSCredentials) -> String {
    let key =
      credentials.isSignedElsewhere
      ? "the access key of \(credentials.source)" : "access key \(Self.abbreviated(credentials.accessKeyID)) (from \(credentials.source))"
    switch fault.code {
    case "ExpiredToken", "ExpiredTokenException": return "the session token of \(key) has expired"
    case "InvalidToken": return "the session token does not belong to \(key), or it is malformed"
    case "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException":
      return "\(service.name) does not know \(key), or its session token is wrong"
    case "SignatureDoesNotMatch", "InvalidSignatureException":
      return credentials.isSignedElsewhere
        ? "the signature of \(credentials.source) does not match what was sent" : "the secret key does not match \(key)"
    case "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture":
      return credentials.isSignedElsewhere
        ? "the clock of \(credentials.source) is wrong: \(fault.code)" : "this machine's clock is wrong: \(fault.code)"
    case "MissingAuthenticationToken", "MissingAuthenticationTokenException":
      return "\(service.name) asks for a signature and got none"
    default: return "\(service.name) does not accept \(key): \(fault.code)"
    }
  }

  private static func holder(of credentials: AWSCredentials) -> String {
    if credentials.isSignedElsewhere { return "requests that \(credentials.source) signs" }
    return credentials.isAnonymous ? "anonymous requests" : "access key \(abbreviated(credentials.accessKeyID))"
  }

  /// Enough of a key id to recognise it by.
  static func abbreviated(_ accessKeyID: String) -> String {
    accessKeyID.count > 8 ? "\(accessKeyID.prefix(4))…\(accessKeyID.suffix(4))" : "\(accessKeyID.prefix(4))…"
  }

  private static func withoutSecrets(_ text: String, _ credentials: AWSCredentials) -> String {
    var clean = text
    for secret in [credentials.secretAccessKey, credentials.sessionToken] {
      guard let secret, !secret.isEmpty else { continue }
      clean = clean.split(separator: secret.reveal(), omittingEmptySubsequences: false).joined(separator: "****")
    }
    return clean
  }
}
