// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import IcebergAWS
import Logging
import Synchronization
import Telemetry
import TestSupport
import Testing
import WireFormats

/// The reference implementation's own test of signers, against botocore's signatures and a server that checks them.
/// Source: spec/remote-signer.md §8.
@Suite("Remote signing against a signer of another make")
struct RemoteSigningConformanceTests {
  @Test("Authorization and all headers are those of a local signer that leaves out what the service leaves unsigned")
  func contract() async throws {
    let emulator = try await Emulator.shared()
    let service = try await RestService.start(
      emulator, accessKeyID: emulator.accessKeyID, secretAccessKey: emulator.secretAccessKey)
    let tap = Tap(endpoint: emulator.endpoint)
    let factory = try DefaultAwsClientFactory(
      properties: [
        "client.region": emulator.region, "s3.endpoint": emulator.endpoint, "s3.path-style-access": "true",
        "s3.remote-signing-enabled": "true", "signer.uri": service.endpoint, "credential": "bergfs:client-secret",
      ], variables: [:], transport: { settings throws(HTTPError) in try tap.transport(settings) }, metrics: Metrics(),
      logger: Logger(label: "test"))
    let s3 = try factory.s3()
    let bucket = "signed-\(UInt32.random(in: 0...UInt32.max))"
    try await emulator.run("Tests/ConformanceTests/Support/objects.py", input: (["bucket": .string(bucket)] as JSONValue).serialized())
    let key = "encoded/key=value/a b+c%/fîle"
    let body = Array("some bytes".utf8)
    _ = try await s3.putObject(bucket: bucket, key: key, body: body, condition: .absent, isChecksummed: true)
    _ = try await s3.headObject(bucket: bucket, key: key)
    _ = try await s3.getObject(bucket: bucket, key: key, range: 2..<6, ifMatch: nil, deadline: .seconds(30), sink: Bytes())
    _ = try await s3.listObjectsV2(bucket: bucket, prefix: "encoded/key=value/", delimiter: "/", from: .start)
    let upload = try await s3.createMultipartUpload(bucket: bucket, key: "parts", isChecksummed: true)
    let part = try await s3.uploadPart(upload, number: 1, body: body, isChecksummed: true)
    _ = try await s3.completeMultipartUpload(upload, parts: [part], condition: nil)
    #expect(try await s3.deleteObjects(bucket: bucket, keys: [key, "parts"]).isEmpty)

    #expect(tap.requests.map(\.method) == ["PUT", "HEAD", "GET", "GET", "POST", "PUT", "POST", "POST"])
    for request in tap.requests { try expectContract(request, emulator) }
    #expect(try await service.calls("tokens").count == 1)
    let asks = try await service.calls("sign")
    #expect(asks.map { $0.document?["body"] != nil } == Array(repeating: false, count: 7) + [true])
  }

  private func expectContract(_ request: HTTPRequest, _ emulator: Emulator) throws {
    let unsigned = ["range", "x-amz-date", "amz-sdk-invocation-id", "amz-sdk-retry"]
    let made = ["authorization", "x-amz-date", "x-amz-content-sha256"]
    var local = request
    local.headers.removeAll { (unsigned + made).contains($0.name.lowercased()) }
    let date = try #require(request.headers.first { $0.name.lowercased() == "x-amz-date" }?.value)
    SigV4Signer().sign(
      &local, scope: SigV4Signer.Scope(service: "s3", region: emulator.region),
      credentials: AWSCredentials(
        accessKeyID: emulator.accessKeyID, secretAccessKey: Secret(emulator.secretAccessKey), source: "test"),
      payloadHash: SigV4Signer.unsignedPayload, at: try #require(Self.seconds(date)))
    local.headers += request.headers.filter { unsigned.contains($0.name.lowercased()) && $0.name.lowercased() != "x-amz-date" }
    func sorted(_ headers: [(name: String, value: String)]) -> [String] { headers.map { "\($0.name.lowercased()): \($0.value)" }.sorted() }
    #expect(sorted(request.headers) == sorted(local.headers), "\(request.method) \(request.target)")
  }

  /// Of `20261128T101952Z`.
  private static func seconds(_ text: String) -> Double? {
    let digits = Array(text)
    guard digits.count == 16 else { return nil }
    func piece(_ from: Int, _ count: Int) -> String { String(digits[from..<from + count]) }
    let iso = "\(piece(0, 4))-\(piece(4, 2))-\(piece(6, 2))T\(piece(9, 2)):\(piece(11, 2)):\(piece(13, 2))Z"
    return Timestamp.nanoseconds(iso8601: iso).map { Double($0) / 1e9 }
  }
}

/// Keeps the requests to one server on their way.
private final class Tap: Sendable {
  private struct Recorder: HTTPTransport {
    let transport: any HTTPTransport
    let tap: Tap

    func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse {
      if request.endpoint.description == tap.endpoint { tap.recorded.withLock { $0.append(request) } }
      return try await transport.send(request, sink: sink)
    }
  }

  private let endpoint: String
  private let pool = TransportPool()
  private let recorded = Mutex([HTTPRequest]())

  init(endpoint: String) {
    self.endpoint = endpoint
  }

  var requests: [HTTPRequest] { recorded.withLock { $0 } }

  func transport(_ settings: CurlTransportConfiguration) throws(HTTPError) -> any HTTPTransport {
    Recorder(transport: try pool.transport(settings), tap: self)
  }
}

private final class Bytes: HTTPBodySink {
  func begin(status: Int, headers: [(name: String, value: String)]) -> Bool { true }
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool { true }
}
