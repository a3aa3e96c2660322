// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Iceberg
import IcebergAWS
import Logging
import Synchronization
import Telemetry
import Testing

/// Properties of S3's client that show in how many requests go at a time, and when they go again.
@Suite("Concurrency and retries of the S3 client")
struct S3ClientPropertyTests {
  @Test("s3.multipart.num-threads is the number of parts of an object in flight", arguments: [1, 3])
  func parts(limit: Int) async throws {
    let sender = FullHouseSender(limit, of: "S3.UploadPart")
    let files = try files(sender, ["s3.multipart.num-threads": "\(limit)", "s3.multipart.part-size-bytes": "5242880"])
    let content = BytesContent([UInt8](repeating: 0, count: 7 * 5_242_880))
    _ = try await files.create(ObjectLocation(bucket: "b", key: "k"), from: content, options: WriteOptions())
    #expect(sender.most == limit)
  }

  @Test("s3.delete.num-threads is the number of deletes in flight, s3.delete.batch-size the keys of each", arguments: [1, 3])
  func deletes(limit: Int) async throws {
    let sender = FullHouseSender(limit, of: "S3.DeleteObjects")
    let files = try files(sender, ["s3.delete.num-threads": "\(limit)", "s3.delete.batch-size": "2"])
    let places = (0..<14).map { ObjectLocation(bucket: "b", key: "k\($0)") }
    #expect(await files.deleteAll(places).allSatisfy { $0 == nil })
    #expect(sender.most == limit && sender.count == 7)
  }

  @Test("s3.retry.num-retries, min-wait-ms and max-wait-ms decide how often a throttled request is sent again, and after how long")
  func retries() async throws {
    let (transport, clock) = (ThrottlingTransport(), ManualAWSClock())
    let factory = try DefaultAwsClientFactory(
      properties: [
        "client.region": "eu-west-1", "s3.access-key-id": "AK", "s3.secret-access-key": "SK", "s3.retry.num-retries": "3",
        "s3.retry.min-wait-ms": "100", "s3.retry.max-wait-ms": "150",
      ],
      variables: [:], transport: { _ throws(HTTPError) in transport }, metrics: Metrics(), logger: Logger(label: "test"), clock: clock,
      readFile: { _ throws(AWSError) in nil })
    let error = await #expect(throws: AWSError.self) { _ = try await factory.s3().getObjectTagging(bucket: "b", key: "k") }
    #expect(error?.kind == .throttled && error?.attempts == 4 && transport.count == 4)
    // Half of the wait and, by this clock's chance, a quarter more: of 100, 150 and 150 ms.
    #expect(clock.elapsed() == .milliseconds(75) + .microseconds(112_500) + .microseconds(112_500))
  }

  private func files(_ sender: FullHouseSender, _ properties: [String: String]) throws -> S3FileIO {
    S3FileIO(client: S3Client(sender: sender), properties: try S3FileIOProperties(properties))
  }
}

/// Holds requests of one kind until so many are in flight at once, and counts.
private final class FullHouseSender: AWSRequestSender {
  private struct State {
    var inFlight = 0
    var most = 0
    var count = 0
  }

  private let state = Mutex(State())
  private let expected: Int
  private let operation: String

  init(_ expected: Int, of operation: String) {
    self.expected = expected
    self.operation = operation
  }

  var most: Int { state.withLock { $0.most } }
  var count: Int { state.withLock { $0.count } }

  func send(_ request: AWSRequest, sink: (any HTTPBodySink)?) async throws(AWSError) -> AWSResponse {
    if request.operation == operation {
      state.withLock { state in
        state.inFlight += 1
        state.count += 1
        state.most = max(state.most, state.inFlight)
      }
      let end = ContinuousClock.now + .seconds(5)
      while most < expected, ContinuousClock.now < end { await Task.yield() }
      state.withLock { $0.inFlight -= 1 }
    }
    let body = "<R><UploadId>u</UploadId><ETag>\"e\"</ETag></R>"
    return AWSResponse(
      http: HTTPResponse(status: 200, headers: [("ETag", "\"e\"")], body: Array(body.utf8)), requestID: nil, attempts: 1)
  }
}

/// Asks for patience, always.
private final class ThrottlingTransport: HTTPTransport {
  private let sent = Mutex(0)

  var count: Int { sent.withLock { $0 } }

  func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse {
    sent.withLock { $0 += 1 }
    return HTTPResponse(status: 503, headers: [], body: Array("<Error><Code>SlowDown</Code></Error>".utf8))
  }
}
