// SPDX-License-Identifier: Apache-2.0

import AWSCore
import HTTP
import Logging
import Synchronization
import Telemetry

/// Gives the scripted outcomes in order, the last one for ever, and keeps the requests.
final class FakeTransport: HTTPTransport {
  enum Outcome: Sendable {
    case answer(Int, headers: [(name: String, value: String)] = [], body: String = "")
    case failure(HTTPError)
    /// Some bytes of a 2xx body, then a failure.
    case partial([UInt8], HTTPError)
  }

  private struct State {
    var outcomes: [Outcome]
    var requests: [HTTPRequest] = []
  }

  private let state: Mutex<State>
  private let whileSending: @Sendable () -> Void

  init(_ outcomes: [Outcome], whileSending: @escaping @Sendable () -> Void = {}) {
    state = Mutex(State(outcomes: outcomes))
    self.whileSending = whileSending
  }

  var requests: [HTTPRequest] { state.withLock { $0.requests } }

  func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse {
    whileSending()
    let outcome = state.withLock { state in
      state.requests.append(request)
      return state.outcomes.count > 1 ? state.outcomes.removeFirst() : state.outcomes[0]
    }
    switch outcome {
    case .failure(let error): throw error
    case .partial(let bytes, let error):
      _ = sink?.begin(status: 200, headers: [])
      if !bytes.isEmpty { _ = bytes.withUnsafeBytes { sink?.receive($0) } }
      throw error
    case .answer(let status, let headers, let body):
      guard let sink, (200..<300).contains(status) else {
        return HTTPResponse(status: status, headers: headers, body: Array(body.utf8))
      }
      guard sink.begin(status: status, headers: headers), body.isEmpty || Array(body.utf8).withUnsafeBytes({ sink.receive($0) }) else {
        throw HTTPError(code: .refusedBySink, message: "refused", mayHaveBeenSent: true, isRetryable: false)
      }
      return HTTPResponse(status: status, headers: headers, body: [])
    }
  }
}

/// Time that passes only by sleeping; chance that is always the same.
final class VirtualClock: AWSClock {
  private struct State {
    var elapsed = Duration.zero
    var sleeps: [Duration] = []
  }

  private let state = Mutex(State())
  private let start: Double
  private let chance: Double

  init(start: Double = 1_440_938_160, chance: Double = 0.5) {
    self.start = start
    self.chance = chance
  }

  var sleeps: [Duration] { state.withLock { $0.sleeps } }

  func advance(_ duration: Duration) { state.withLock { $0.elapsed += duration } }

  func wallSeconds() -> Double { start + Double(elapsed().components.seconds) }

  func elapsed() -> Duration { state.withLock { $0.elapsed } }

  func random() -> Double { chance }

  func sleep(for duration: Duration) async throws(CancellationError) {
    if Task.isCancelled { throw CancellationError() }
    state.withLock { state in
      state.elapsed += duration
      state.sleeps.append(duration)
    }
  }
}

/// A provider whose keys change when it is told to forget them.
final class RotatingProvider: AWSCredentialsProvider {
  private let generation = Mutex(1)
  private let rotates: Bool

  init(rotates: Bool = true) {
    self.rotates = rotates
  }

  var name: String { "test keys" }
  var invalidations: Int { generation.withLock { $0 - 1 } }

  func credentials() async throws(AWSError) -> AWSCredentials? {
    let number = rotates ? generation.withLock { $0 } : 1
    return AWSCredentials(
      accessKeyID: "AKIAEXAMPLEKEY000\(number)", secretAccessKey: Secret("topsecret"), sessionToken: Secret("sessiontoken"), source: "test")
  }

  func invalidate(_ refused: AWSCredentials?) { generation.withLock { $0 += 1 } }
}

/// A client on a fake transport.
struct ClientUnderTest {
  let transport: FakeTransport
  let clock: VirtualClock
  let metrics = Metrics()
  let provider: any AWSCredentialsProvider
  let client: AWSClient

  init(
    _ service: AWSService = .s3, _ outcomes: [FakeTransport.Outcome], retry: RetryPolicy = .s3(), clock: VirtualClock = VirtualClock(),
    provider: any AWSCredentialsProvider = RotatingProvider(), settings: EndpointSettings = EndpointSettings(),
    whileSending: @escaping @Sendable () -> Void = {}
  ) throws {
    transport = FakeTransport(outcomes, whileSending: whileSending)
    self.clock = clock
    self.provider = provider
    client = AWSClient(
      service: service, region: "us-east-1", endpoint: try EndpointResolver(service: service, region: "us-east-1", settings: settings),
      credentials: provider, retry: retry, transport: transport, metrics: metrics, logger: Logger(label: "test"), clock: clock)
  }

  func outcome(_ request: AWSRequest, sink: (any HTTPBodySink)? = nil) async -> Result<AWSResponse, AWSError> {
    do throws(AWSError) {
      return .success(try await client.send(request, sink: sink))
    } catch {
      return .failure(error)
    }
  }

  func error(_ request: AWSRequest, sink: (any HTTPBodySink)? = nil) async -> AWSError? {
    if case .failure(let error) = await outcome(request, sink: sink) { return error }
    return nil
  }
}

extension HTTPError {
  static let reset = HTTPError(code: .reset, message: "h broke the connection", mayHaveBeenSent: true, isRetryable: true)
  static let refused = HTTPError(code: .refused, message: "h refused the connection", mayHaveBeenSent: false, isRetryable: true)
  static let untrusted = HTTPError(code: .tls, message: "h is not trusted", mayHaveBeenSent: false, isRetryable: false)
}
