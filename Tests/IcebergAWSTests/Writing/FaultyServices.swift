// SPDX-License-Identifier: Apache-2.0

import AWSCore
import HTTP
import Logging
import Synchronization
import Telemetry
import WireFormats

/// What goes wrong with one send of a request.
enum SendFault: Sendable, Hashable, CustomStringConvertible {
  /// Answered with an error, and nothing done.
  case refused(Int, String)
  /// Done, and answered with an error all the same.
  case doneThen(Int, String)
  /// The connection could not be made.
  case notSent
  /// The connection broke before the service had the request.
  case lostBefore
  /// The connection broke after the work was done.
  case lostAfter
  /// The connection broke, and the request reaches the service after all, when the test says so.
  case late
  case timedOutBefore
  case timedOutAfter
  /// Done, and the body of the answer breaks off.
  case truncated
  /// Done, and answered with a proxy's page.
  case webPage
  /// Done, and the answer does not match the checksum that comes with it.
  case badChecksum

  var description: String {
    switch self {
    case .refused(let status, let code): "\(status) \(code)"
    case .doneThen(let status, let code): "done, then \(status) \(code)"
    case .notSent: "not sent"
    case .lostBefore: "lost before"
    case .lostAfter: "lost after"
    case .late: "late"
    case .timedOutBefore: "timed out before"
    case .timedOutAfter: "timed out after"
    case .truncated: "truncated"
    case .webPage: "web page"
    case .badChecksum: "bad checksum"
    }
  }
}

/// A service in memory behind the real client: signing, retries and classification are those of the product, only the wire is not there.
final class FaultyTransport: HTTPTransport {
  typealias Service = @Sendable (_ operation: String, _ request: HTTPRequest) -> HTTPResponse

  private struct State {
    var sends: [String: Int] = [:]
    var late: [HTTPRequest] = []
  }

  private let state = Mutex(State())
  private let service: Service
  private let fault: @Sendable (_ operation: String, _ number: Int) -> SendFault?

  /// - Parameters:
  ///   - service: does the work and gives the answer.
  ///   - fault: for the send of an operation with a number, from 0.
  init(service: @escaping Service, fault: @escaping @Sendable (_ operation: String, _ number: Int) -> SendFault?) {
    self.service = service
    self.fault = fault
  }

  /// Sends of an operation so far.
  func sends(_ operation: String) -> Int { state.withLock { $0.sends[operation] ?? 0 } }

  /// Lets the requests arrive that were on their way.
  func deliverLate() {
    let late = state.withLock { state in
      defer { state.late = [] }
      return state.late
    }
    for request in late { _ = service(Self.operation(of: request), request) }
  }

  func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse {
    let operation = Self.operation(of: request)
    let number = state.withLock { state in
      defer { state.sends[operation, default: 0] += 1 }
      return state.sends[operation] ?? 0
    }
    switch fault(operation, number) {
    case nil: return service(operation, request)
    case .refused(let status, let code): return Self.error(status, code)
    case .doneThen(let status, let code):
      _ = service(operation, request)
      return Self.error(status, code)
    case .notSent: throw Self.failure(.refused, wasSent: false)
    case .lostBefore: throw Self.failure(.reset)
    case .lostAfter:
      _ = service(operation, request)
      throw Self.failure(.reset)
    case .late:
      state.withLock { $0.late.append(request) }
      throw Self.failure(.reset)
    case .timedOutBefore: throw Self.failure(.timedOut)
    case .timedOutAfter:
      _ = service(operation, request)
      throw Self.failure(.timedOut)
    case .truncated:
      _ = service(operation, request)
      throw Self.failure(.truncated)
    case .badChecksum:
      _ = service(operation, request)
      return HTTPResponse(status: 200, headers: [("x-amz-crc32", "1")], body: Array("{}".utf8))
    case .webPage:
      _ = service(operation, request)
      return HTTPResponse(status: 200, headers: [], body: Array("<html>sign in</html>".utf8))
    }
  }

  /// The client of a service on this wire.
  func client(_ service: AWSService, retry: RetryPolicy = .standard(maxAttempts: 4), clock: any AWSClock) throws -> AWSClient {
    AWSClient(
      service: service, region: "us-east-1",
      endpoint: try EndpointResolver(
        service: service, region: "us-east-1", settings: EndpointSettings(customEndpoint: "http://h:9000", usesPathStyle: true)),
      credentials: StaticCredentialsProvider(AWSCredentials(accessKeyID: "AKIAEXAMPLE", secretAccessKey: Secret("secret"), source: "test")),
      retry: retry, transport: self, metrics: Metrics(), logger: Logger(label: "test"), clock: clock)
  }

  /// `GetTable`, `UpdateItem`; S3's by method and query.
  static func operation(of request: HTTPRequest) -> String {
    if let target = request.headers.first(where: { $0.name == "X-Amz-Target" })?.value {
      return String(target.split(separator: ".").last ?? "")
    }
    let query = request.target.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
    let isCopy = request.headers.contains { $0.name == "x-amz-copy-source" }
    switch (request.method, query.contains("uploadId="), query.hasPrefix("uploads")) {
    case ("POST", _, true): return "CreateMultipartUpload"
    case ("POST", true, _): return "CompleteMultipartUpload"
    case ("PUT", true, _): return isCopy ? "UploadPartCopy" : "UploadPart"
    case ("DELETE", true, _): return "AbortMultipartUpload"
    case ("PUT", _, _): return "PutObject"
    case ("HEAD", _, _): return "HeadObject"
    case ("DELETE", _, _): return "DeleteObject"
    default: return request.method
    }
  }

  static func error(_ status: Int, _ code: String) -> HTTPResponse {
    let body = #"{"__type":"\#(code)","Message":"said the script"}"#
    return HTTPResponse(status: status, headers: [("x-amzn-errortype", code)], body: Array(body.utf8))
  }

  private static func failure(_ code: HTTPError.Code, wasSent: Bool = true) -> HTTPError {
    HTTPError(code: code, message: "the connection broke", mayHaveBeenSent: wasSent, isRetryable: true)
  }
}

/// Time that passes only by sleeping.
final class SleepingClock: AWSClock {
  private let now = Mutex(Duration.zero)

  func wallSeconds() -> Double { 1_795_331_879 + Double(elapsed().components.seconds) }
  func elapsed() -> Duration { now.withLock { $0 } }
  func random() -> Double { 0.5 }

  func sleep(for duration: Duration) async throws(CancellationError) {
    if Task.isCancelled { throw CancellationError() }
    now.withLock { $0 += duration }
  }
}
