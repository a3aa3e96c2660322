// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Iceberg
import Logging
import Synchronization
import Telemetry
import TestSupport
import WireFormats

@testable import IcebergAWS

/// Stands still until a test moves it.
final class ManualClock: AWSClock {
  static let start = 1_800_000_000.0
  private let clock = VirtualLockClock()

  func wallSeconds() -> Double { Self.start + clock.elapsed().inSeconds }
  func elapsed() -> Duration { clock.elapsed() }
  func random() -> Double { 0 }
  func sleep(for duration: Duration) async throws(CancellationError) { try await clock.sleep(for: duration) }

  var sleeps: [Duration] { clock.sleeps }
  var sleeperCount: Int { clock.sleeperCount }
  func advance(_ seconds: Double) { clock.advance(by: .seconds(seconds)) }
  func waitForSleepers(_ count: Int = 1) async { await clock.waitForSleepers(count) }
}

/// A clock on which every wait is over at once, and counts.
final class HurriedClock: AWSClock {
  private let state = Mutex((now: Duration.zero, sleeps: [Duration]()))

  func wallSeconds() -> Double { ManualClock.start + elapsed().inSeconds }
  func elapsed() -> Duration { state.withLock { $0.now } }
  func random() -> Double { 0 }
  var sleeps: [Duration] { state.withLock { $0.sleeps } }

  func sleep(for duration: Duration) async throws(CancellationError) {
    if Task.isCancelled { throw CancellationError() }
    state.withLock { state in
      state.now += duration
      state.sleeps.append(duration)
    }
  }
}

/// All servers of a test behind one transport: what they answer is the test's own function of the request.
final class Web: HTTPTransport {
  typealias Answer = @Sendable (HTTPRequest, _ number: Int) async -> Result<HTTPResponse, HTTPError>

  private let recorded = Mutex([HTTPRequest]())
  private let answer: Answer

  init(_ answer: @escaping Answer) {
    self.answer = answer
  }

  var requests: [HTTPRequest] { recorded.withLock { $0 } }
  func requests(to host: String) -> [HTTPRequest] { requests.filter { $0.endpoint.host == host } }

  func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse {
    let number = recorded.withLock { recorded in
      recorded.append(request)
      return recorded.count
    }
    return try await answer(request, number).get()
  }
}

extension HTTPRequest {
  func value(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
  func values(_ name: String) -> [String] { headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value) }
  var text: String { String(decoding: body, as: UTF8.self) }
  var document: JSONNode? { try? JSONDocument(parsing: body).root }

  /// The fields of a form.
  var form: [String: String] {
    text.split(separator: "&").reduce(into: [:]) { fields, pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      fields[String(parts[0])] = PercentEncoding.decode(String(parts.last ?? ""), plusIsSpace: true)
    }
  }
}

extension HTTPResponse {
  static func json(_ value: JSONValue, status: Int = 200, headers: [(name: String, value: String)] = []) -> HTTPResponse {
    HTTPResponse(status: status, headers: headers, body: value.serialized())
  }

  static func token(_ token: String, expiresIn seconds: Int64? = 3600) -> HTTPResponse {
    var members = JSONMembers([("access_token", .string(token)), ("token_type", "bearer")])
    if let seconds { members.members.append(("expires_in", .integer(seconds))) }
    return .json(.object(members))
  }

  /// What a signer answers: the address as it was, and a header that names the request's number.
  static func signature(
    of request: HTTPRequest, _ number: Int, cacheControl: String? = nil, further: [(String, JSONValue)] = [], uri: String? = nil,
    authorization: String? = nil
  ) -> HTTPResponse {
    let ask = request.document
    let cache = cacheControl ?? (["GET", "HEAD"].contains(ask?["method"]?.string ?? "") ? "private" : "no-cache")
    let headers = [("Authorization", JSONValue.array([.string(authorization ?? "signature \(number)")]))] + further
    return .json(
      ["uri": .string(uri ?? ask?["uri"]?.string ?? ""), "headers": .object(JSONMembers(headers.map { ($0.0, $0.1) }))],
      headers: [("Cache-Control", cache)])
  }

  static func object() -> HTTPResponse { HTTPResponse(status: 200, headers: [("Content-Length", "0"), ("ETag", "\"e\"")], body: []) }

  static func refusal(_ code: String, status: Int = 403) -> HTTPResponse {
    HTTPResponse(status: status, headers: [], body: Array("<Error><Code>\(code)</Code><Message>m</Message></Error>".utf8))
  }
}

/// Takes anything.
final class NoSink: HTTPBodySink {
  func begin(status: Int, headers: [(name: String, value: String)]) -> Bool { true }
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool { true }
}

/// An S3 client whose requests are signed at `signer.example`, made by the factory as for a mount.
struct SignedLake {
  static let properties = [
    "client.region": "eu-west-1", "s3.endpoint": "http://s3.example", "s3.path-style-access": "true", "s3.remote-signing-enabled": "true",
    "signer.uri": "https://signer.example/base/",
  ]

  let web: Web
  let clock: any AWSClock
  let metrics = Metrics()
  let factory: DefaultAwsClientFactory
  let s3: S3Client

  init(
    _ further: [String: String?] = [:], variables: [String: String] = [:], clock: (any AWSClock)? = nil,
    s3 answer: Web.Answer? = nil,
    signer: @escaping Web.Answer = { .success(.signature(of: $0, $1)) }
  ) throws {
    let s3Answer = answer ?? { _, _ in .success(.object()) }
    web = Web { request, number in
      await Self.isS3(request) ? s3Answer(request, number) : signer(request, number)
    }
    // On a hurried clock the renewal of a token would never rest.
    let clock = clock ?? (further["credential"] == nil ? HurriedClock() : ManualClock())
    self.clock = clock
    var properties = Self.properties
    for (key, value) in further { properties[key] = value }
    factory = try Self.factory(properties, variables: variables, web: web, clock: clock, metrics: metrics)
    s3 = try factory.s3()
  }

  static func factory(
    _ properties: [String: String], variables: [String: String] = [:], web: Web, clock: any AWSClock, metrics: Metrics = Metrics()
  ) throws(PropertyError) -> DefaultAwsClientFactory {
    try DefaultAwsClientFactory(
      properties: properties, variables: variables, transport: { _ throws(HTTPError) in web }, metrics: metrics,
      logger: Logger(label: "test"), clock: clock, readFile: { _ throws(AWSError) in nil })
  }

  private static func isS3(_ request: HTTPRequest) -> Bool {
    request.endpoint.host.hasPrefix("s3") || request.endpoint.host.hasSuffix(".amazonaws.com")
  }

  var toSigner: [HTTPRequest] { web.requests.filter { !Self.isS3($0) } }
  var signs: [HTTPRequest] { toSigner.filter { $0.document?["uri"] != nil } }
  var tokens: [HTTPRequest] { toSigner.filter { $0.text.hasPrefix("grant_type") } }
  var toS3: [HTTPRequest] { web.requests(to: "s3.example") }

  /// A read of ten bytes.
  @discardableResult
  func read(_ key: String = "k", from offset: Int64 = 0) async throws(AWSError) -> S3ObjectHead {
    try await s3.getObject(bucket: "b", key: key, range: offset..<offset + 10, ifMatch: nil, deadline: .seconds(120), sink: NoSink())
  }

  func readError(_ key: String = "k") async -> AWSError? {
    do {
      try await read(key)
      return nil
    } catch {
      return error
    }
  }
}
