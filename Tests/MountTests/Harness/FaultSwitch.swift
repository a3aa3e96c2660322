// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What goes wrong with one request on its way.
enum Fault: String, Sendable, CaseIterable {
  case unavailable, throttled, expiredToken, failsAfterwards, resetBefore, resetAfterwards, stalled, truncated

  func verdict(for request: ProxiedRequest) -> CountingProxy.Verdict {
    switch self {
    case .unavailable: .answer(Self.answer(503, "ServiceUnavailable", request))
    case .throttled: .answer(Self.answer(request.operation == nil ? 503 : 400, Self.throttling(request), request))
    case .expiredToken: .answer(Self.answer(request.operation == nil ? 403 : 400, Self.expired(request), request))
    case .failsAfterwards:
      .answerAfterwards(Self.answer(500, request.operation == nil ? "InternalError" : "InternalServiceException", request))
    case .resetBefore: .reset
    case .resetAfterwards: .resetAfterwards
    case .stalled: .stall
    case .truncated: .truncate
    }
  }

  private static func throttling(_ request: ProxiedRequest) -> String {
    switch request.service {
    case "s3": "SlowDown"
    case "dynamodb": "ProvisionedThroughputExceededException"
    default: "ThrottlingException"
    }
  }

  private static func expired(_ request: ProxiedRequest) -> String {
    request.operation == nil ? "ExpiredToken" : "ExpiredTokenException"
  }

  /// An error as the service of the request shapes it.
  static func answer(_ status: Int, _ code: String, _ request: ProxiedRequest) -> [UInt8] {
    let body =
      request.operation == nil
      ? "<Error><Code>\(code)</Code><Message>pretended</Message></Error>" : #"{"__type":"\#(code)","message":"pretended"}"#
    let type = request.operation == nil ? "application/xml" : "application/x-amz-json-1.1"
    let text = "HTTP/1.1 \(status) \(code)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
    return Array((request.method == "HEAD" ? text : text + body).utf8)
  }
}

extension ProxiedRequest {
  /// `s3`, `glue` or `dynamodb`.
  var service: String {
    guard operation != nil else { return "s3" }
    return headers["x-amz-target"]?.hasPrefix("DynamoDB") == true ? "dynamodb" : "glue"
  }
}

/// Lets a request of a proxy's choice go wrong.
final class FaultSwitch: Sendable {
  private struct State {
    var fault: Fault?
    /// Requests still to pass before the fault.
    var left = 0
    /// Whether all of its kind go wrong from then on.
    var isSticky = false
    var kind: String?
    var hits = 0
  }

  private let state = Mutex(State())

  /// The request that comes after this many others goes wrong.
  func arm(_ fault: Fault, after count: Int, isSticky: Bool = false) {
    state.withLock { $0 = State(fault: fault, left: count, isSticky: isSticky) }
  }

  /// - Returns: how many requests went wrong.
  @discardableResult
  func disarm() -> Int {
    state.withLock { state in
      defer { state = State() }
      return state.hits
    }
  }

  func verdict(_ request: ProxiedRequest) -> CountingProxy.Verdict {
    let fault = state.withLock { state -> Fault? in
      guard let fault = state.fault else { return nil }
      if state.hits > 0 {
        guard state.isSticky, state.kind == request.kind else { return nil }
      } else if state.left > 0 {
        state.left -= 1
        return nil
      }
      state.hits += 1
      state.kind = request.kind
      return fault
    }
    return fault?.verdict(for: request) ?? .forward
  }
}
