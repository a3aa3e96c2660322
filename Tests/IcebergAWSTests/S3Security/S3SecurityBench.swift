// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Iceberg
import IcebergAWS
import Logging
import Synchronization
import Telemetry
import TestSupport
import WireFormats

/// Real clients on a stand-in that checks each signature by botocore's signers, with a clock that only the test moves.
struct S3SecurityBench: Sendable {
  /// What the stand-in says of a request.
  struct Entry: Sendable {
    var operation: String
    var path: String
    var query: [String: String]
    /// By lower-case name.
    var headers: [String: String]
    /// `own`, `session` or `grant`; empty if the signature was refused.
    var keys: String
    var refused: String?
  }

  let clock = ManualAWSClock()
  private let pool = TransportPool()
  private let server: PythonServer

  static func with(_ body: (S3SecurityBench) async throws -> Void) async throws {
    try await PythonServer.with("IcebergAWSTests/S3Security/Support/s3_stand_in.py", ready: "/.log") { server in
      let bench = S3SecurityBench(server: server)
      try await body(bench)
      bench.pool.shutdown()
    }
  }

  private init(server: PythonServer) {
    self.server = server
  }

  func files(_ properties: [String: String] = [:], variables: [String: String] = [:]) throws -> S3FileIO {
    let pool = pool
    let all = [
      "client.region": "eu-west-1", "s3.access-key-id": "OWNKEY", "s3.secret-access-key": "own/secret", "s3.session-token": "own//token==",
      "s3.retry.num-retries": "0", "s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1.0",
    ].merging(properties) { $1 }
    let factory = try DefaultAwsClientFactory(
      properties: all, variables: ["AWS_ENDPOINT_URL": "http://127.0.0.1:\(server.port)"].merging(variables) { $1 },
      transport: { (settings) throws(HTTPError) in try pool.transport(settings) }, metrics: Metrics(), logger: Logger(label: "test"),
      clock: clock, readFile: { _ throws(AWSError) in nil })
    return S3FileIO(client: try factory.s3(), properties: try S3FileIOProperties(all))
  }

  /// The requests so far.
  func log() async throws -> [Entry] {
    let answer = try await tell("GET", "/.log")
    return try JSONDocument(parsing: answer).root.elements.map { entry in
      let headers = entry["headers"]?.members.map { ($0.key.lowercased(), $0.value.string ?? "") } ?? []
      let query = entry["query"]?.members.map { ($0.key, $0.value.string ?? "") } ?? []
      let (method, path) = (entry["method"]?.string ?? "", entry["path"]?.string ?? "")
      let flags = query.map(\.0).filter { ["session", "uploads", "uploadId", "delete", "tagging"].contains($0) }
      return Entry(
        operation: ([method] + flags).joined(separator: " "), path: path, query: Dictionary(query) { $1 },
        headers: Dictionary(headers) { $1 }, keys: entry["key"]?.string ?? "", refused: entry["refused"]?.string)
    }
  }

  /// Ends every session and every grant's keys at once.
  func endKeys() async throws { _ = try await tell("POST", "/.end") }

  /// Who may what: scopes as `s3://bucket/prefix*` with READ, WRITE or READWRITE.
  ///
  /// - Parameter ownRights: whether the caller's own keys may do anything; for directory buckets, whether they must make sessions.
  func grant(_ grants: [(scope: String, permission: String)], ownRights: Bool) async throws {
    let document: JSONValue = [
      "grants": .array(grants.map { .array([.string($0.scope), .string($0.permission)]) }), "iam": .bool(ownRights),
    ]
    _ = try await tell("POST", "/.grants", document.serialized())
  }

  private func tell(_ method: String, _ target: String, _ body: [UInt8] = []) async throws -> [UInt8] {
    let endpoint = HTTPEndpoint(isSecure: false, host: "127.0.0.1", port: Int(server.port))
    let request = HTTPRequest(method: method, endpoint: endpoint, target: target, body: body)
    return try await pool.transport(CurlTransportConfiguration()).send(request, sink: nil).body
  }
}

/// Stands still until it is moved.
final class ManualAWSClock: AWSClock {
  private let passed = Mutex(Duration.zero)
  private let jumped = Mutex(0.0)

  func advance(_ duration: Duration) { passed.withLock { $0 += duration } }

  /// Moves the time of day alone: keys grow old, and no request that is under way meets its deadline.
  func jump(seconds: Double) { jumped.withLock { $0 += seconds } }

  func wallSeconds() -> Double { 1_795_000_000 + Double(elapsed().components.seconds) + jumped.withLock { $0 } }
  func elapsed() -> Duration { passed.withLock { $0 } }
  func random() -> Double { 0.5 }
  func sleep(for duration: Duration) async throws(CancellationError) { advance(duration) }
}

/// Collects what is read.
final class CollectedBytes: RangeSink {
  private let collected = Mutex([UInt8]())

  var bytes: [UInt8] { collected.withLock { $0 } }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    collected.withLock { $0 += bytes }
    return true
  }
}

extension S3FileIO {
  /// All bytes of a range.
  func bytes(_ location: ObjectLocation, _ range: Range<Int64>, etag: String? = nil) async throws -> [UInt8] {
    let sink = CollectedBytes()
    _ = try await read(location, etag: etag, range: range, into: sink)
    return sink.bytes
  }
}
