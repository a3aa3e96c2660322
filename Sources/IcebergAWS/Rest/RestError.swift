// SPDX-License-Identifier: Apache-2.0

import AWSCore
import HTTP
import WireFormats

/// The one place where refusals of REST services become errors. Source: spec/remote-signer.md §5.4, §6.
enum RestError {
  /// Whose error documents a service writes.
  enum Style: Sendable {
    /// `{"error":{"message":…,"type":…,"code":…}}`
    case catalog
    /// `{"error":…,"error_description":…}`
    case oauth2
  }

  /// - Parameters:
  ///   - service: as the sentence's subject: "the signer at https://signer.example".
  ///   - secrets: what the service's words may repeat.
  static func refusal(
    _ response: HTTPResponse, style: Style, service: String, operation: String, secrets: RestSecrets
  ) -> AWSError {
    let document = try? JSONDocument(parsing: response.body)
    let raw = String(decoding: response.body.prefix(2000), as: UTF8.self)
    let (kind, type, text): (AWSError.Kind, String, String) =
      switch style {
      case .catalog: catalog(document?.root["error"], raw: raw, status: response.status)
      case .oauth2: oauth2(document?.root, raw: raw, status: response.status)
      }
    let isRetryable = RestRetry.isRepeated(response.status)
    return AWSError(
      kind: kind, code: secrets.clean(type), message: "\(service) answered: \(secrets.clean(text))", operation: operation,
      status: response.status, isRetryable: isRetryable)
  }

  /// No complete answer came.
  static func failure(_ failure: HTTPError, service: String, method: String, operation: String) -> AWSError {
    let kind: AWSError.Kind =
      switch failure.code {
      case .timedOut: .timedOut
      case .cancelled: .cancelled
      case .malformed, .tooLarge, .truncated: .malformed
      case .unusable: .configuration
      case .notResolved, .refused, .tls, .proxy, .reset, .refusedBySink: .network
      }
    return AWSError(
      kind: kind, code: failure.code.rawValue,
      message: "\(service) cannot be asked: Error occurred while processing \(method) request: \(failure.message)", operation: operation,
      isRetryable: failure.isRetryable)
  }

  /// An answer of success that makes no sense.
  ///
  /// - Parameter reason: as the end of the sentence; it repeats nothing of the answer.
  static func malformed(_ reason: String, service: String, operation: String, status: Int = 200) -> AWSError {
    AWSError(
      kind: .malformed, code: "Malformed", message: "\(service) answered what cannot be used: \(reason)", operation: operation,
      status: status)
  }

  private static func catalog(_ error: JSONNode?, raw: String, status: Int) -> (AWSError.Kind, String, String) {
    let type = error?["type"]?.string ?? "RESTException"
    let message = error?["message"]?.string ?? (raw.isEmpty ? "HTTP \(status)" : raw)
    switch status {
    case 400: return (.badRequest, type, type == "IllegalArgumentException" ? message : "Malformed request: \(message)")
    case 401: return (.credentials, type, "Not authorized: \(message)")
    case 403: return (.accessDenied, type, "Forbidden: \(message)")
    case 429: return (.throttled, type, unable(status, type, message))
    case 500: return (.server, type, "Server error: \(type): \(message)")
    case 501: return (.unsupported, type, message)
    case 503: return (.server, type, "Service unavailable: \(message)")
    default: return (status >= 500 ? .server : .badRequest, type, unable(status, type, message))
    }
  }

  private static func oauth2(_ error: JSONNode?, raw: String, status: Int) -> (AWSError.Kind, String, String) {
    let type = error?["error"]?.string ?? "RESTException"
    let description = error?["error_description"]?.string
    switch type {
    case "invalid_client": return (.credentials, type, "Not authorized: \(type): \(description ?? "")")
    case "invalid_grant", "unauthorized_client": return (.credentials, type, "Malformed request: \(type): \(description ?? "")")
    case "invalid_request", "unsupported_grant_type", "invalid_scope":
      return (.badRequest, type, "Malformed request: \(type): \(description ?? "")")
    default:
      let message = description ?? (raw.isEmpty ? "HTTP \(status)" : raw)
      let kind: AWSError.Kind =
        switch status {
        case 401, 403: .credentials
        case 429: .throttled
        case 500...: .server
        default: .badRequest
        }
      return (kind, type, unable(status, type, message))
    }
  }

  private static func unable(_ status: Int, _ type: String, _ message: String) -> String {
    "Unable to process (code: \(status), type: \(type)): \(message)"
  }
}
