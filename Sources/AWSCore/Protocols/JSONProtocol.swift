// SPDX-License-Identifier: Apache-2.0

import HTTP
package import WireFormats

/// The AWS JSON protocols 1.0 and 1.1: `POST /` with the operation in `X-Amz-Target` (spec: clients.md §10).
package enum JSONProtocol {
  /// - Parameters:
  ///   - target: `AWSGlue.GetTable`.
  ///   - version: `1.0` or `1.1`.
  ///   - operation: name for metrics and messages: `Glue.GetTable`.
  package static func request(
    target: String, version: String, body: JSONValue, operation: String, deadline: Duration = .seconds(120)
  ) -> AWSRequest {
    AWSRequest(
      operation: operation, method: "POST",
      headers: [("Content-Type", "application/x-amz-json-\(version)"), ("X-Amz-Target", target)], body: body.serialized(),
      deadline: deadline)
  }

  /// The answer as JSON; an object in any case, `{}` for an empty body. Anything else is ``AWSError/Kind/malformed``.
  package static func document(of response: AWSResponse, operation: String = "") throws(AWSError) -> JSONDocument {
    let body = response.http.body.isEmpty ? Array("{}".utf8) : response.http.body
    let document: JSONDocument
    do {
      document = try JSONDocument(parsing: body)
    } catch {
      throw .malformed(response, operation: operation, "the answer is not JSON: \(error)")
    }
    guard document.root.kind == .object else {
      throw .malformed(response, operation: operation, "the answer is JSON but not an object")
    }
    return document
  }
}

extension AWSError {
  /// A successful answer that makes no sense: what was asked for may have been done.
  package static func malformed(_ response: AWSResponse, operation: String, _ message: String) -> AWSError {
    AWSError(
      kind: .malformed, code: "Malformed", message: message, operation: operation, status: response.http.status,
      requestID: response.requestID, attempts: response.attempts)
  }
}
