// SPDX-License-Identifier: Apache-2.0

/// An answer ready to be written.
package struct HTTPResponse: Sendable {
  package enum Body: Sendable {
    case bytes([UInt8])
    /// `count` bytes of an object's content from `offset`.
    case content(ObjectContent, offset: Int, count: Int)
    /// An answer to HEAD: the length is told, the body is not sent.
    case head(length: Int)
    /// An answer that never has a body nor a length (304).
    case none
  }

  package var status: Int
  /// Header fields without `Content-Length`, which follows from the body.
  package var fields: [(name: String, value: String)]
  package var body: Body
  /// What the request is counted as in the statistics.
  package var kind: String

  package init(status: Int, kind: String, fields: [(name: String, value: String)] = [], body: Body) {
    self.status = status
    self.kind = kind
    self.fields = fields
    self.body = body
  }

  /// Bytes of body that go over the wire.
  package var bodyLength: Int {
    switch body {
    case .bytes(let bytes): bytes.count
    case .content(_, _, let count): count
    case .head, .none: 0
    }
  }

  /// The same answer without its body, as HEAD wants it.
  package func withoutBody() -> HTTPResponse {
    var response = self
    if case .bytes = body { response.body = .head(length: bodyLength) }
    if case .content = body { response.body = .head(length: bodyLength) }
    return response
  }

  /// The status line and the fields, up to and with the empty line.
  package func head(closing: Bool) -> [UInt8] {
    var text = "HTTP/1.1 \(status) \(HTTPResponse.reason(status))\r\n"
    for field in fields { text += "\(field.name): \(field.value)\r\n" }
    switch body {
    case .head(let length): text += "Content-Length: \(length)\r\n"
    case .bytes, .content: text += "Content-Length: \(bodyLength)\r\n"
    case .none: break
    }
    text += closing ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n"
    return Array(text.utf8)
  }

  private static func reason(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 204: "No Content"
    case 206: "Partial Content"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 416: "Range Not Satisfiable"
    case 501: "Not Implemented"
    default: "Status"
    }
  }
}
