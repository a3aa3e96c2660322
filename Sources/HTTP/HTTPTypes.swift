// SPDX-License-Identifier: Apache-2.0

/// Where a request goes: scheme, host, port.
package struct HTTPEndpoint: Sendable, Hashable {
  package var isSecure: Bool
  /// Lower case; an IPv6 address stands in brackets.
  package var host: String
  /// Absent when it is the scheme's own (80 or 443).
  package var port: Int?

  package init(isSecure: Bool, host: String, port: Int? = nil) {
    self.isSecure = isSecure
    self.host = host
    self.port = (port == (isSecure ? 443 : 80)) ? nil : port
  }

  /// `host` or `host:port`, as it stands in the `Host` header and in a signature.
  package var authority: String { port.map { "\(host):\($0)" } ?? host }
  package var description: String { "\(isSecure ? "https" : "http")://\(authority)" }
}

/// One request, complete as it goes on the wire.
package struct HTTPRequest: Sendable {
  package var method: String
  package var endpoint: HTTPEndpoint
  /// Path and query exactly as sent: already percent-encoded, starting with `/`. Never rewritten by the transport.
  package var target: String
  /// In the order given; names are compared without case. `Host` and `Content-Length` are the transport's. With `Expect: 100-continue` the body
  /// goes out after the server's word, or after a second without any; a refusal that comes before is the answer, and the body stays here.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  /// The longest time until the answer is complete. Every request has one: nothing here waits for ever.
  package var deadline: Duration

  package init(
    method: String, endpoint: HTTPEndpoint, target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
    deadline: Duration = .seconds(60)
  ) {
    self.method = method
    self.endpoint = endpoint
    self.target = target
    self.headers = headers
    self.body = body
    self.deadline = deadline
  }
}

/// An answer. `body` is empty when a sink took it.
package struct HTTPResponse: Sendable {
  package var status: Int
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The first value of a header, its name compared without case.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.utf8.elementsEqual(name.utf8) || $0.name.lowercased() == name.lowercased() }?.value
  }
}

/// Takes the body of a successful (2xx) answer as it comes, in order, on the transport's thread: it must not block.
package protocol HTTPBodySink: AnyObject, Sendable {
  /// Called once, before the first byte, with status and headers. False ends the transfer (``HTTPError/Code/refusedBySink``).
  func begin(status: Int, headers: [(name: String, value: String)]) -> Bool
  /// The next bytes, valid during the call only. False ends the transfer.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool
}

/// Sends requests. Cancelling the calling task ends the transfer with ``HTTPError/Code/cancelled``.
package protocol HTTPTransport: Sendable {
  /// - Parameter sink: takes a 2xx body; without one, and for any other status, the body comes in the response (at most 64 MiB, else an error).
  func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse
}

/// Why no complete answer came.
package struct HTTPError: Error, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable {
    case notResolved, refused, timedOut, tls, proxy, reset, truncated, tooLarge, malformed, refusedBySink, cancelled, unusable
  }
  package var code: Code
  /// One sentence for a person: host, what failed, and the library's own words.
  package var message: String
  /// Whether any byte of the request may have reached the server.
  package var mayHaveBeenSent: Bool
  /// Whether sending again can help. Retry reads this, never the text.
  package var isRetryable: Bool

  package init(code: Code, message: String, mayHaveBeenSent: Bool, isRetryable: Bool) {
    self.code = code
    self.message = message
    self.mayHaveBeenSent = mayHaveBeenSent
    self.isRetryable = isRetryable
  }

  package var description: String { message }
}
