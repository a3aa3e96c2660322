// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import HTTP
import Synchronization
package import WireFormats

/// A sender that answers from a script and keeps the requests it got.
package final class ScriptedSender: AWSRequestSender {
  /// One answer of the service.
  package struct Answer: Sendable {
    package var status = 200
    package var headers: [(name: String, value: String)] = []
    /// The body in the pieces in which a sink gets it.
    package var pieces: [[UInt8]] = []
    /// Thrown after the body's pieces, or instead of an answer when there are none.
    package var error: AWSError?

    package init(status: Int = 200, headers: [(name: String, value: String)] = [], pieces: [[UInt8]] = [], error: AWSError? = nil) {
      self.status = status
      self.headers = headers
      self.pieces = pieces
      self.error = error
    }

    package static func text(_ body: String, status: Int = 200) -> Answer {
      Answer(status: status, pieces: [Array(body.utf8)])
    }

    /// A definite error of the service.
    package static func failure(
      _ kind: AWSError.Kind, code: String, status: Int, headers: [(name: String, value: String)] = []
    ) -> Answer {
      Answer(
        status: status,
        error: AWSError(
          kind: kind, code: code, message: "said the script", operation: "Scripted", status: status, requestID: "request-7",
          isRetryable: kind == .throttled || kind == .server, headers: headers))
    }

    /// A connection that breaks, after the pieces if there are any.
    package static func broken(
      after pieces: [[UInt8]] = [], status: Int = 200, headers: [(name: String, value: String)] = []
    ) -> Answer {
      Answer(
        status: status, headers: headers, pieces: pieces,
        error: AWSError(
          kind: .network, code: "reset", message: "the connection broke", operation: "Scripted", isRetryable: true, isDefinite: false))
    }
  }

  private let recorded = Mutex([AWSRequest]())
  private let script: @Sendable (AWSRequest, Int) -> Answer

  /// - Parameter script: gives the answer to a request and its number, from 0.
  package init(_ script: @escaping @Sendable (AWSRequest, Int) -> Answer) {
    self.script = script
  }

  /// Gives the answers in turn; further requests get the last one.
  package convenience init(_ answers: [Answer]) {
    self.init { _, number in answers.isEmpty ? Answer(status: 204) : answers[min(number, answers.count - 1)] }
  }

  package var requests: [AWSRequest] { recorded.withLock { $0 } }

  package func send(_ request: AWSRequest, sink: (any HTTPBodySink)?) async throws(AWSError) -> AWSResponse {
    let number = recorded.withLock { recorded in
      recorded.append(request)
      return recorded.count - 1
    }
    let answer = script(request, number)
    if let error = answer.error, answer.pieces.isEmpty, answer.status >= 300 { throw error }
    var body: [UInt8] = []
    if let sink, (200..<300).contains(answer.status) {
      guard sink.begin(status: answer.status, headers: answer.headers) else { throw Self.refused(request) }
      for piece in answer.pieces {
        guard piece.withUnsafeBytes({ sink.receive($0) }) else { throw Self.refused(request) }
      }
    } else {
      body = answer.pieces.flatMap { $0 }
    }
    if let error = answer.error { throw error }
    return AWSResponse(
      http: HTTPResponse(status: answer.status, headers: answer.headers, body: body), requestID: "request-\(number)", attempts: 1)
  }

  private static func refused(_ request: AWSRequest) -> AWSError {
    AWSError(
      kind: .malformed, code: "refusedBySink", message: "the receiver wants no more", operation: request.operation, status: 200)
  }
}

extension AWSRequest {
  /// A header's value, its name compared without case.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// The value of a query item.
  package func queryValue(_ name: String) -> String? {
    query.first { $0.name == name }?.value ?? nil
  }

  /// The body as JSON; nil if it is none.
  package var json: JSONDocument? { try? JSONDocument(parsing: body) }
}
