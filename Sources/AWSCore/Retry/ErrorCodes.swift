// SPDX-License-Identifier: Apache-2.0

/// What the services' error codes mean for a retry and for the caller (spec: clients.md §8, §9, s3fileio.md §8, §12).
enum ErrorCodes {
  private static let throttling: Set<String> = [
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled",
    "TooManyRequestsException", "ProvisionedThroughputExceededException", "TransactionInProgressException", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "LimitExceededException", "SlowDown", "EC2ThrottledException",
  ]

  private static let transient: Set<String> = [
    "RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete", "ReplicatedWriteConflictException", "InternalServerError",
    "IDPCommunicationError", "OperationTimeoutException", "InternalServiceException", "InternalError", "ServiceUnavailable",
    "ConditionalRequestConflict", "OperationAborted",
  ]

  /// Codes with a status below 500 after which the work may still have been done.
  private static let open: Set<String> = [
    "OperationTimeoutException", "InternalServerError", "InternalServiceException", "InternalError", "PriorRequestNotComplete",
    "TransactionInProgressException", "ReplicatedWriteConflictException",
  ]

  private static let conditions: Set<String> = [
    "PreconditionFailed", "ConditionalCheckFailedException", "ConditionalCheckFailed", "ConcurrentModificationException",
    "VersionMismatchException", "NotModified",
  ]

  private static let missing: Set<String> = [
    "EntityNotFoundException", "ResourceNotFoundException", "NoSuchKey", "NoSuchBucket", "NoSuchUpload", "NoSuchVersion", "NotFound",
  ]

  private static let credentials: Set<String> = [
    "ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch",
    "UnrecognizedClientException", "InvalidSignatureException", "InvalidClientTokenId", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "IncompleteSignature", "IncompleteSignatureException", "AuthFailure",
    "InvalidIdentityToken", "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture",
  ]

  /// Codes after which other keys from the same source may work: sessions end, and keys in files are replaced.
  private static let refreshing: Set<String> = [
    "ExpiredToken", "ExpiredTokenException", "InvalidToken", "UnrecognizedClientException", "InvalidAccessKeyId", "InvalidClientTokenId",
  ]

  private static let alwaysSkewed: Set<String> = ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"]
  private static let maybeSkewed: Set<String> = ["InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"]

  static func isThrottling(_ code: String, status: Int) -> Bool {
    status == 429 || throttling.contains(code)
  }

  static func isRetryable(_ code: String, status: Int) -> Bool {
    [500, 502, 503, 504].contains(status) || isThrottling(code, status: status) || transient.contains(code)
  }

  /// Whether an answer says for certain that nothing was done: a failing server may have done the work before it failed.
  static func isDefinite(_ code: String, status: Int) -> Bool {
    if open.contains(code) { return false }
    return status < 500 || (status == 503 && isThrottling(code, status: status))
  }

  static func asksForNewCredentials(_ code: String) -> Bool { refreshing.contains(code) }

  /// Whether the machine's clock may be the cause.
  ///
  /// - Parameter difference: seconds between the signing clock and the answer's `Date`.
  static func isSkewed(_ code: String, status: Int, method: String, difference: Double) -> Bool {
    if alwaysSkewed.contains(code) { return true }
    // Four minutes: services accept five.
    guard abs(difference) >= 240 else { return false }
    return maybeSkewed.contains(code) || (status == 403 && method == "HEAD")
  }

  static func kind(_ code: String, status: Int) -> AWSError.Kind {
    if isThrottling(code, status: status) { return .throttled }
    if conditions.contains(code) || status == 412 || status == 304 { return .conditionFailed }
    if missing.contains(code) { return .notFound }
    if credentials.contains(code) { return .credentials }
    if code.hasPrefix("AccessDenied") || code == "AllAccessDisabled" { return .accessDenied }
    switch status {
    case 401, 403: return .accessDenied
    case 404: return .notFound
    case 405 where code == "MethodNotAllowed": return .notFound
    case 500...: return .server
    default: return .badRequest
    }
  }
}
