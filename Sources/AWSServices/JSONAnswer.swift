// SPDX-License-Identifier: Apache-2.0

import AWSCore
import HTTP
import WireFormats

/// A parsed answer of a JSON service, with what an error about it needs.
struct JSONAnswer: Sendable {
  let operation: String
  let status: Int
  let requestID: String?
  let attempts: Int
  let document: JSONDocument

  /// The error for a member that is missing or of the wrong type.
  func malformed(_ member: String) -> AWSError {
    AWSError(
      kind: .malformed, code: "MalformedAnswer", message: "the answer has no usable member '\(member)'.", operation: operation,
      status: status, requestID: requestID, attempts: attempts)
  }
}

extension AWSRequestSender {
  /// Sends a call of a JSON protocol and parses its answer.
  ///
  /// - Parameters:
  ///   - version: of the protocol: "1.0" or "1.1".
  ///   - deadline: for the whole call with its retries.
  func call(
    target: String, version: String, operation: String, members: [(key: String, value: JSONValue)], deadline: Duration = .seconds(120)
  ) async throws(AWSError) -> JSONAnswer {
    let request = JSONProtocol.request(
      target: target, version: version, body: .object(JSONMembers(members)), operation: operation, deadline: deadline)
    let response = try await send(request)
    return JSONAnswer(
      operation: operation, status: response.http.status, requestID: response.requestID, attempts: response.attempts,
      document: try JSONProtocol.document(of: response, operation: operation))
  }
}
