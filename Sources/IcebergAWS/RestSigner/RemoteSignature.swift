// SPDX-License-Identifier: Apache-2.0

import AWSCore
import HTTP
import WireFormats

/// What a signer made of a request: the address to send it to, and headers to add. Source: spec/remote-signer.md §3, §4.
struct RemoteSignature: Sendable {
  /// Never taken over: they are the transport's, or speak of the answer itself. Lower case.
  private static let droppedHeaders: Set<String> = [
    "cache-control", "host", "content-length", "transfer-encoding", "connection", "expect", "keep-alive", "te", "trailer", "upgrade",
  ]
  /// Headers that the reference signer and the AWS signer leave unsigned. Lower case.
  static let unsignedHeaders: Set<String> = [
    "range", "x-amz-date", "amz-sdk-invocation-id", "amz-sdk-retry", "connection", "x-amzn-trace-id", "user-agent", "expect",
    "transfer-encoding",
  ]

  let url: RestURL
  /// Those that the request did not have.
  let added: [(name: String, value: String)]
  /// Headers among ``unsignedHeaders`` that this signature covers nevertheless, and their values in the request; nil if it had none.
  let conditions: [(name: String, value: String?)]

  /// - Parameters:
  ///   - answer: the signer's, of success.
  ///   - request: what was to be signed.
  init(_ answer: HTTPResponse, of request: HTTPRequest, service: String, operation: String) throws(AWSError) {
    func malformed(_ reason: String) -> AWSError {
      RestError.malformed(reason, service: service, operation: operation, status: answer.status)
    }
    guard !answer.body.isEmpty else { throw malformed("it is empty (HTTP \(answer.status))") }
    guard let root = try? JSONDocument(parsing: answer.body).root, root.kind == .object else { throw malformed("it is not a JSON object") }
    guard let text = root["uri"]?.string else { throw malformed("it has no `uri`") }
    guard let headers = root["headers"], headers.kind == .object else { throw malformed("it has no `headers`") }
    let url: RestURL
    do throws(RestURL.Fault) {
      url = try RestURL(text)
    } catch {
      throw malformed("its `uri` is no address for an S3 request: \(error.reason)")
    }
    guard url.endpoint.isSecure || !request.endpoint.isSecure else {
      throw malformed("its `uri` is without TLS, for a request that has it")
    }
    self.url = url
    let own = Set(request.headers.map { $0.name.lowercased() })
    var added: [(name: String, value: String)] = []
    for (name, values) in headers.members {
      let texts = values.elements.compactMap(\.string)
      guard values.kind == .array, texts.count == values.elements.reduce(into: 0, { count, _ in count += 1 }) else {
        throw malformed("a header's values are not an array of texts")
      }
      let lowered = name.lowercased()
      if own.contains(lowered) || Self.droppedHeaders.contains(lowered) { continue }
      for value in texts {
        guard RestClientProperties.isHeader(name, value) else { throw malformed("a header holds a character that HTTP does not allow") }
        added.append((name, value))
      }
    }
    self.added = added
    conditions = Self.signedNames(added).filter { Self.unsignedHeaders.contains($0) && $0 != "x-amz-date" }.map { name in
      (name, Self.value(of: name, in: request))
    }
  }

  /// Whether the signature is good for a request that differs from the signed one in ``unsignedHeaders`` only.
  func covers(_ request: HTTPRequest) -> Bool {
    conditions.allSatisfy { $0.value == Self.value(of: $0.name, in: request) }
  }

  func apply(to request: inout HTTPRequest) {
    request.endpoint = url.endpoint
    request.target = url.target
    request.headers += added
  }

  /// What `SignedHeaders` of the `Authorization` names.
  private static func signedNames(_ headers: [(name: String, value: String)]) -> [String] {
    guard let authorization = headers.first(where: { $0.name.lowercased() == "authorization" })?.value,
      let start = authorization.firstRange(of: "SignedHeaders=")
    else { return [] }
    return authorization[start.upperBound...].prefix { $0 != "," && $0 != " " }.split(separator: ";").map { $0.lowercased() }
  }

  private static func value(of name: String, in request: HTTPRequest) -> String? {
    request.headers.first { $0.name.lowercased() == name }?.value
  }
}
