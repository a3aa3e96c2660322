// SPDX-License-Identifier: Apache-2.0

import CCurl
import Glibc

/// libcurl's results in this module's terms.
extension HTTPError {
  static let cancelled = HTTPError(code: .cancelled, message: "the request was cancelled", mayHaveBeenSent: true, isRetryable: false)
  static let shutDown = HTTPError(
    code: .cancelled, message: "the HTTP transport was shut down", mayHaveBeenSent: true, isRetryable: false)

  /// - Parameter timeout: the limit for the wait alone that was reached; nil: the request's deadline was.
  static func noConnection(_ request: HTTPRequest, limit: Int, within timeout: Duration?) -> HTTPError {
    let time = timeout.map { "within \($0.wholeMilliseconds) ms" } ?? "in time"
    let keys = timeout == nil ? "" : " (http-client.apache.connection-acquisition-timeout-ms, http-client.apache.max-connections)"
    return HTTPError(
      code: .timedOut, message: "\(request.endpoint.authority): no free connection \(time), all \(limit) were busy\(keys)",
      mayHaveBeenSent: false, isRetryable: true)
  }

  init(_ result: CURLcode, of transfer: CurlTransfer, on easy: CurlEasy) {
    let words = easy.words(for: result)
    let place = transfer.request.endpoint.authority
    let isSent = easy.number(CURLINFO_REQUEST_SIZE) > 0
    if result == CURLE_WRITE_ERROR, let abort = transfer.abort {
      let message =
        abort == .tooLarge
        ? "\(place) sent more than \(CurlTransfer.collectLimit >> 20) MiB where a short answer was expected"
        : "\(place): the receiver of the body ended the transfer"
      self.init(code: abort, message: message, mayHaveBeenSent: true, isRetryable: false)
      return
    }
    let (code, meaning, isRetryable) = Self.meaning(of: result, on: easy)
    self.init(code: code, message: "\(place) \(meaning): \(words)", mayHaveBeenSent: isSent, isRetryable: isRetryable)
  }

  private static func meaning(of result: CURLcode, on easy: CurlEasy) -> (code: Code, meaning: String, isRetryable: Bool) {
    switch result {
    case CURLE_COULDNT_RESOLVE_HOST: return (.notResolved, "does not resolve", true)
    case CURLE_COULDNT_RESOLVE_PROXY: return (.proxy, "cannot be reached, the proxy does not resolve", true)
    case CURLE_COULDNT_CONNECT:
      let isRefused = easy.number(CURLINFO_OS_ERRNO) == Int(ECONNREFUSED)
      return (.refused, isRefused ? "refused the connection" : "cannot be connected to", true)
    case CURLE_OPERATION_TIMEDOUT: return (.timedOut, "did not answer in time", true)
    case CURLE_PARTIAL_FILE: return (.truncated, "ended its answer early", true)
    case CURLE_GOT_NOTHING, CURLE_SEND_FAIL_REWIND: return (.reset, "closed the connection without an answer", true)
    case CURLE_SEND_ERROR: return (.reset, "broke the connection", true)
    case CURLE_RECV_ERROR:
      let connectCode = easy.number(CURLINFO_HTTP_CONNECTCODE)
      if connectCode >= 300 { return (.proxy, "cannot be reached through the proxy", connectCode >= 500) }
      return (.reset, "broke the connection", true)
    case CURLE_PROXY: return (.proxy, "cannot be reached through the proxy", false)
    case CURLE_SSL_CONNECT_ERROR: return (.tls, "did not complete the TLS handshake", true)
    case CURLE_PEER_FAILED_VERIFICATION: return (.tls, "has a certificate that is not trusted", false)
    case CURLE_SSL_CACERT_BADFILE: return (.tls, "was not tried, the file of trusted authorities cannot be used", false)
    case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ISSUER_ERROR,
      CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_USE_SSL_FAILED:
      return (.tls, "cannot be spoken to by TLS", false)
    case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING:
      return (.malformed, "does not answer in HTTP/1.1", false)
    default: return (.unusable, "could not be asked", false)
    }
  }
}
