// SPDX-License-Identifier: Apache-2.0

/// HTTP/1.1 on libcurl: one thread by default, bodies written from its callback straight into the sink.
package final class CurlTransport: HTTPTransport {
  package init(_ configuration: CurlTransportConfiguration = CurlTransportConfiguration()) throws(HTTPError) {
  }

  package func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse {
    throw HTTPError(code: .unusable, message: "", mayHaveBeenSent: false, isRetryable: false)
  }

  /// Ends all transfers with an error and joins the threads; call it off the cooperative pool.
  package func shutdown() {}
}
