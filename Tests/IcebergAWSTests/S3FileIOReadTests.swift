// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Iceberg
import IcebergAWS
import Synchronization
import Testing

@Suite("S3FileIO range reads against scripted answers")
struct S3FileIOReadTests {
  private let location = ObjectLocation(bucket: "b", key: "k")

  @Test("A 206 of the whole range is handed on")
  func wholeRange() async throws {
    let (sender, sink) = (ScriptedSender([part(2..<5, of: 10, ["cd", "e"])]), CollectingRange())
    #expect(try await read(sender, 2..<5, etag: "\"e\"", sink) == 3)
    #expect(sink.text == "cde")
    #expect(sender.requests.map { $0.header("Range") } == ["bytes=2-4"])
    #expect(sender.requests.map { $0.header("If-Match") } == ["\"e\""])
  }

  @Test("An empty range sends no request")
  func empty() async throws {
    let sender = ScriptedSender([])
    #expect(try await read(sender, 5..<5, CollectingRange()) == 0)
    #expect(sender.requests.isEmpty)
  }

  @Test("A 200 is accepted: what lies before the range is skipped, and the transfer ended after it")
  func serverWithoutRanges() async throws {
    let (sender, sink) = (ScriptedSender([whole(["abcd", "efgh", "ij"], length: 10)]), CollectingRange())
    #expect(try await read(sender, 2..<6, sink) == 4)
    #expect(sink.text == "cdef")
    #expect(sender.requests.count == 1)
  }

  @Test("A 200 of an object that ends before the range gives nothing")
  func serverWithoutRangesShortObject() async throws {
    let sink = CollectingRange()
    #expect(try await read(ScriptedSender([whole(["abc"], length: 3)]), 5..<9, sink) == 0)
    #expect(sink.text == "")
  }

  @Test("A range past the end gives what there is, or nothing")
  func pastEnd() async throws {
    let sink = CollectingRange()
    #expect(try await read(ScriptedSender([part(8..<10, of: 10, ["ij"])]), 8..<100, sink) == 2)
    #expect(sink.text == "ij")
    #expect(try await read(ScriptedSender([.failure(.badRequest, code: "InvalidRange", status: 416)]), 10..<20, CollectingRange()) == 0)
  }

  @Test("After a broken body only the missing bytes are asked for, of the version that began")
  func resumed() async throws {
    let sender = ScriptedSender([
      .broken(after: [Array("ab".utf8)], status: 206, headers: headers(0..<6, of: 6)),
      .broken(after: [Array("cd".utf8)], status: 206, headers: headers(2..<6, of: 6)), part(4..<6, of: 6, ["ef"]),
    ])
    let sink = CollectingRange()
    #expect(try await read(sender, 0..<6, sink) == 6)
    #expect(sink.text == "abcdef")
    #expect(sender.requests.map { $0.header("Range") } == ["bytes=0-5", "bytes=2-5", "bytes=4-5"])
    #expect(sender.requests.map { $0.header("If-Match") } == [nil, "\"e\"", "\"e\""])
  }

  @Test("A body that breaks a fourth time is the caller's error")
  func brokenTooOften() async {
    let sender = ScriptedSender { request, number in
      .broken(after: [[UInt8(ascii: "x")]], status: 206, headers: headers(Int64(number)..<9, of: 9))
    }
    let error = await #expect(throws: FileIOError.self) { _ = try await read(sender, 0..<9, CollectingRange()) }
    #expect(error?.code == .timedOut)
    #expect(sender.requests.count == 4)
  }

  @Test("A connection that breaks before the body is left to the request's own retries")
  func brokenBeforeBody() async {
    let sender = ScriptedSender([.broken(status: 503)])
    await #expect(throws: FileIOError.self) { _ = try await read(sender, 0..<9, CollectingRange()) }
    #expect(sender.requests.count == 1)
  }

  @Test("A body that ends early without an error is not taken for success")
  func truncated() async throws {
    let sink = CollectingRange()
    let sender = ScriptedSender([part(0..<6, of: 6, ["ab"]), part(2..<6, of: 6, ["cdef"])])
    #expect(try await read(sender, 0..<6, sink) == 6)
    #expect(sink.text == "abcdef")
    let always = ScriptedSender { request, _ in
      request.header("Range") == "bytes=0-5" ? part(0..<6, of: 6, ["ab"]) : part(2..<6, of: 6, [])
    }
    let error = await #expect(throws: FileIOError.self) { _ = try await read(always, 0..<6, CollectingRange()) }
    #expect(error?.code == .failed)
    #expect(always.requests.count == 4)
  }

  @Test("A server that gives less than the range is asked for the rest")
  func shortRange() async throws {
    let sink = CollectingRange()
    #expect(try await read(ScriptedSender([part(0..<2, of: 6, ["ab"]), part(2..<6, of: 6, ["cdef"])]), 0..<6, sink) == 6)
    #expect(sink.text == "abcdef")
  }

  @Test(
    "A 206 that does not fit the request is refused before a byte is handed on",
    arguments: [
      [("Content-Range", "bytes 1-3/10")], [("Content-Range", "bytes 0-9/10")], [("Content-Range", "nonsense")], [],
      [("Content-Range", "bytes 0-3/10"), ("Content-Length", "9")],
    ] as [[(String, String)]])
  func misplaced(headers: [(String, String)]) async {
    let sink = CollectingRange()
    let sender = ScriptedSender([.init(status: 206, headers: headers.map { (name: $0.0, value: $0.1) }, pieces: [Array("abcd".utf8)])])
    let error = await #expect(throws: FileIOError.self) { _ = try await read(sender, 0..<4, sink) }
    #expect(error?.code == .failed)
    #expect(sink.text == "")
  }

  @Test("Another version under the key is a change, also from a server that ignores If-Match")
  func otherVersion() async {
    let refused = ScriptedSender([.failure(.conditionFailed, code: "PreconditionFailed", status: 412)])
    let ignored = ScriptedSender([part(0..<1, of: 1, ["x"])])
    for sender in [refused, ignored] {
      let sink = CollectingRange()
      let error = await #expect(throws: FileIOError.self) { _ = try await read(sender, 0..<1, etag: "\"old\"", sink) }
      #expect(error?.code == .changed)
      #expect(sink.text == "")
    }
  }

  @Test("Etags that differ only in their quotes are one")
  func unquotedETag() async throws {
    #expect(try await read(ScriptedSender([part(0..<1, of: 1, ["x"])]), 0..<1, etag: "e", CollectingRange()) == 1)
  }

  @Test("A sink that wants no more ends the read without an error")
  func refusingSink() async throws {
    let sink = CollectingRange(limit: 2)
    #expect(try await read(ScriptedSender([part(0..<4, of: 4, ["ab", "cd"])]), 0..<4, sink) == 2)
    #expect(sink.text == "ab")
  }

  @Test(
    "Errors of S3 become errors of file access",
    arguments: [
      (.failure(.notFound, code: "NoSuchKey", status: 404), .notFound), (.failure(.notFound, code: "404", status: 404), .notFound),
      (.failure(.badRequest, code: "MethodNotAllowed", status: 405), .notFound),
      (.failure(.notFound, code: "NoSuchBucket", status: 404), .failed),
      (.failure(.accessDenied, code: "AccessDenied", status: 403), .denied),
      (.failure(.accessDenied, code: "InvalidObjectState", status: 403), .failed),
      (.failure(.credentials, code: "SignatureDoesNotMatch", status: 403), .denied),
      (.failure(.credentials, code: "ExpiredToken", status: 400), .denied),
      (.failure(.throttled, code: "SlowDown", status: 503), .failed), (.failure(.server, code: "InternalError", status: 500), .failed),
      (.failure(.timedOut, code: "timedOut", status: 999), .timedOut), (.failure(.network, code: "notResolved", status: 999), .timedOut),
      (.failure(.network, code: "tls", status: 999), .failed), (.failure(.cancelled, code: "cancelled", status: 999), .cancelled),
    ] as [(ScriptedSender.Answer, FileIOError.Code)])
  func errors(answer: ScriptedSender.Answer, code: FileIOError.Code) async {
    let files = files(ScriptedSender([answer]))
    let reading = await #expect(throws: FileIOError.self) {
      _ = try await files.read(location, etag: nil, range: 0..<1, into: CollectingRange())
    }
    #expect(reading?.code == code)
    #expect(reading?.requestID == "request-7")
    #expect(reading?.message.contains("s3://b/k") == true)
    let heading = await #expect(throws: FileIOError.self) { _ = try await files.head(location) }
    #expect(heading?.code == code)
  }

  @Test("An object that is gone counts as changed where a version was asked for")
  func goneVersion() async {
    let sender = ScriptedSender([.failure(.notFound, code: "NoSuchKey", status: 404)])
    let error = await #expect(throws: FileIOError.self) { _ = try await read(sender, 0..<1, etag: "e", CollectingRange()) }
    #expect(error?.code == .changed)
  }

  @Test("A negative position and a location without key or bucket are invalid, without a request")
  func invalid() async {
    let sender = ScriptedSender([])
    for (place, range) in [
      (location, Int64(-1)..<5), (ObjectLocation(bucket: "b", key: ""), 0..<5), (ObjectLocation(bucket: "", key: "k"), 0..<5),
    ] {
      let error = await #expect(throws: FileIOError.self) {
        _ = try await files(sender).read(place, etag: nil, range: range, into: CollectingRange())
      }
      #expect(error?.code == .invalid)
    }
    #expect(sender.requests.isEmpty)
  }

  @Test("SSE-C keys go with GET and HEAD, and access points stand in for buckets in requests only")
  func headersAndAccessPoints() async throws {
    let sender = ScriptedSender { request, _ in
      switch request.operation {
      case "S3.HeadObject": .init(headers: [("Content-Length", "1"), ("ETag", "e")])
      case "S3.GetObject": part(0..<1, of: 1, ["x"])
      default: .text("<ListBucketResult><Contents><Key>k</Key><Size>1</Size></Contents></ListBucketResult>")
      }
    }
    let arn = "arn:aws:s3:eu-west-1:1:accesspoint/ap"
    let files = S3FileIO(
      client: S3Client(sender: sender),
      properties: try S3FileIOProperties([
        "s3.sse.type": "custom", "s3.sse.key": "a2V5", "s3.sse.md5": "bWQ1", "s3.access-points.b": arn,
      ]))
    #expect(try await files.head(location).location == location)
    _ = try await files.read(location, etag: nil, range: 0..<1, into: CollectingRange())
    let listing = try await files.list(bucket: "b", prefix: "", isDirectory: true, from: .start)
    #expect(listing.objects.map(\.location) == [location])
    #expect(sender.requests.map(\.bucket) == [arn, arn, arn])
    #expect(sender.requests.map { $0.header("x-amz-server-side-encryption-customer-key") } == ["a2V5", "a2V5", nil])
    #expect(sender.requests.map { $0.header("x-amz-server-side-encryption-customer-key-MD5") } == ["bWQ1", "bWQ1", nil])
    #expect(sender.requests.map { $0.header("x-amz-server-side-encryption-customer-algorithm") } == ["AES256", "AES256", nil])
  }

  private func read(
    _ sender: ScriptedSender, _ range: Range<Int64>, etag: String? = nil, _ sink: CollectingRange
  ) async throws(FileIOError) -> Int64 {
    try await files(sender).read(location, etag: etag, range: range, into: sink)
  }

  private func files(_ sender: ScriptedSender) -> S3FileIO {
    S3FileIO(client: S3Client(sender: sender), properties: .none)
  }
}

private func headers(_ range: Range<Int64>, of total: Int64) -> [(name: String, value: String)] {
  [
    ("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(total)"), ("Content-Length", "\(range.count)"),
    ("ETag", "\"e\""),
  ]
}

private func part(_ range: Range<Int64>, of total: Int64, _ pieces: [String]) -> ScriptedSender.Answer {
  .init(status: 206, headers: headers(range, of: total), pieces: pieces.map { Array($0.utf8) })
}

private func whole(_ pieces: [String], length: Int64) -> ScriptedSender.Answer {
  .init(status: 200, headers: [("Content-Length", "\(length)"), ("ETag", "\"e\"")], pieces: pieces.map { Array($0.utf8) })
}

extension S3FileIOProperties {
  /// No property set.
  static var none: S3FileIOProperties {
    // SAFETY: an empty map has no value that could be wrong.
    try! S3FileIOProperties([:])
  }
}

/// Keeps what it gets, up to a limit.
final class CollectingRange: RangeSink {
  private let bytes = Mutex([UInt8]())
  private let limit: Int

  init(limit: Int = .max) {
    self.limit = limit
  }

  var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

  func receive(_ piece: UnsafeRawBufferPointer) -> Bool {
    bytes.withLock { bytes in
      guard bytes.count + piece.count <= limit else { return false }
      bytes.append(contentsOf: piece)
      return true
    }
  }
}
