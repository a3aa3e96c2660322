// SPDX-License-Identifier: Apache-2.0

import HTTP
import Iceberg
import IcebergAWS
import Logging
import Telemetry
import TestSupport
import Testing

/// A server that takes requests and never answers, behind the real transport: every write ends within the timeouts that are configured.
///
/// The time limit is what tells: with the timeouts of 30 s that hold otherwise, the two writes would take four minutes.
@Suite("Writing to a server that stalls", .timeLimit(.minutes(5)))
struct StalledServerTests {
  /// Which requests are not answered.
  enum Stall: String, CaseIterable, Sendable {
    case everything, put, begin, part, complete, answerBody
  }

  @Test(
    "Every write ends within the timeouts, as unknown where it may have been done and as timed out where not", arguments: Stall.allCases)
  func ends(_ stall: Stall) async throws {
    let server = try LoopbackServer { request in Self.reply(to: request, stall) }
    defer { server.stop() }
    let transports = TransportPool()
    let files = try files(server, transports)
    let isSmall = stall == .put || stall == .everything
    let content = BytesContent([UInt8](repeating: 1, count: isSmall ? 10 : 5_300_000))
    let place = ObjectLocation(bucket: "b", key: "k")
    let journal = RecordingJournal()
    let created = await #expect(throws: FileIOError.self) {
      _ = try await files.create(place, from: content, options: WriteOptions(journal: journal))
    }
    let streamed = await #expect(throws: FileIOError.self) {
      let writer = try files.writer(place, expectedSize: nil, options: WriteOptions(journal: journal))
      do {
        try await writer.append(try await content.bytes(0..<content.size))
      } catch {
        await writer.abort()
        throw error
      }
      _ = try await writer.finish()
    }
    let expected: FileIOError.Code = stall == .begin || stall == .part ? .timedOut : .unknown
    #expect(created?.code == expected && streamed?.code == expected, "\(String(describing: created)) \(String(describing: streamed))")
    // An upload that was begun and given up is over; what may have been done is not.
    #expect(journal.open.count == (stall == .part ? 0 : 2))
  }

  private func files(_ server: LoopbackServer, _ transports: TransportPool) throws -> S3FileIO {
    let properties = [
      "s3.endpoint": "http://127.0.0.1:\(server.port)", "s3.path-style-access": "true", "client.region": "us-east-1",
      "client.access-key-id": "AK", "client.secret-access-key": "SK", "http-client.apache.socket-timeout-ms": "300",
      "s3.retry.num-retries": "1", "s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1.0",
    ]
    let factory = try CatalogLoader.clientFactory(
      properties: properties, variables: [:],
      transport: { configuration throws(HTTPError) in try transports.transport(configuration) }, metrics: Metrics(),
      logger: Logger(label: "test"))
    return S3FileIO(client: try factory.s3(), properties: try S3FileIOProperties(properties))
  }

  private static func reply(to request: LoopbackServer.Request, _ stall: Stall) -> LoopbackServer.Reply {
    let operation = FaultyTransport.operation(
      of: HTTPRequest(
        method: request.method, endpoint: HTTPEndpoint(isSecure: false, host: "h"), target: String(request.target.dropFirst(3)),
        headers: [], body: [], deadline: .zero))
    switch (operation, stall) {
    case (_, .everything), ("PutObject", .put), ("CreateMultipartUpload", .begin), ("UploadPart", .part),
      ("CompleteMultipartUpload", .complete):
      return .bytesThenStall([])
    case ("CompleteMultipartUpload", .answerBody):
      // As S3 does while it puts the parts together: white space that ends in nothing.
      return .bytesThenStall(Array("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n   ".utf8))
    case ("CreateMultipartUpload", _): return .answer(body: Array("<R><UploadId>u</UploadId></R>".utf8))
    case ("UploadPart", _): return .answer(headers: [("ETag", "\"p\"")])
    case ("HeadObject", _): return .answer(status: 404)
    case ("AbortMultipartUpload", _): return .answer(status: 204)
    default: return .answer(status: 500)
    }
  }
}
