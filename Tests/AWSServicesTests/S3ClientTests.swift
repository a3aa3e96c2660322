// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import HTTP
import Synchronization
import Testing

@Suite("S3 client")
struct S3ClientTests {
  @Test("A GET carries range and version, and its key is percent-encoded once")
  func getRequest() async throws {
    let sender = ScriptedSender([.init(status: 206, headers: [("ETag", "\"e\"")], pieces: [Array("abc".utf8)])])
    let sink = CollectingBody()
    let head = try await S3Client(sender: sender).getObject(
      bucket: "b", key: "a b/ü%2F+//..", range: 5..<8, ifMatch: "\"e\"", headers: [("x-extra", "1")], deadline: .seconds(9), sink: sink)
    let request = try #require(sender.requests.first)
    #expect(request.method == "GET")
    #expect(request.bucket == "b")
    #expect(request.path == "/a%20b/%C3%BC%252F%2B//..")
    #expect(request.header("Range") == "bytes=5-7")
    #expect(request.header("If-Match") == "\"e\"")
    #expect(request.header("x-extra") == "1")
    #expect(request.deadline == .seconds(9))
    #expect(head.etag == "\"e\"")
    #expect(sink.text == "abc")
  }

  @Test("Without a range no Range header is sent")
  func wholeObject() async throws {
    let sender = ScriptedSender([.init()])
    _ = try await S3Client(sender: sender).getObject(
      bucket: "b", key: "k", range: nil, ifMatch: nil, deadline: .seconds(9), sink: CollectingBody())
    #expect(sender.requests.first?.header("Range") == nil)
    #expect(sender.requests.first?.header("If-Match") == nil)
  }

  @Test(
    "A 412 or 416 that the sender hands on as an answer is an error", arguments: [(412, AWSError.Kind.conditionFailed), (416, .badRequest)])
  func handedOnStatus(status: Int, kind: AWSError.Kind) async throws {
    let sender = ScriptedSender([.init(status: status)])
    let error = await #expect(throws: AWSError.self) {
      _ = try await S3Client(sender: sender).getObject(
        bucket: "b", key: "k", range: 0..<1, ifMatch: "e", deadline: .seconds(9), sink: CollectingBody())
    }
    #expect(error?.kind == kind)
    #expect(error?.status == status)
    #expect(error?.requestID == "request-0")
  }

  @Test("HEAD reads length, etag and time")
  func headObject() async throws {
    let sender = ScriptedSender([
      .init(headers: [("content-length", "12"), ("etag", "\"e\""), ("last-modified", "Fri, 02 Jan 2026 03:04:05 GMT")])
    ])
    let head = try await S3Client(sender: sender).headObject(bucket: "b", key: "k")
    #expect(head.contentLength == 12)
    #expect(head.etag == "\"e\"")
    #expect(head.lastModified == 1_767_323_045_000_000_000)
    #expect(sender.requests.first?.method == "HEAD")
  }

  @Test("A bucket's region is read from an answer and from a refusal")
  func bucketRegion() async throws {
    let header = [(name: "x-amz-bucket-region", value: "eu-west-3")]
    #expect(await S3Client(sender: ScriptedSender([.init(headers: header)])).region(ofBucket: "b") == "eu-west-3")
    let refusal = ScriptedSender([.failure(.accessDenied, code: "403", status: 403, headers: [("X-Amz-Bucket-Region", "eu-west-3")])])
    #expect(await S3Client(sender: refusal).region(ofBucket: "b") == "eu-west-3")
    #expect(await S3Client(sender: ScriptedSender([.failure(.notFound, code: "404", status: 404)])).region(ofBucket: "b") == nil)
  }

  @Test("A listing asks for url encoding and passes delimiter and token on")
  func listRequest() async throws {
    let sender = ScriptedSender([.text("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")])
    _ = try await S3Client(sender: sender).listObjectsV2(bucket: "b", prefix: "a b+c/", delimiter: "/", from: .continuationToken("t/+="))
    let request = try #require(sender.requests.first)
    #expect(request.path == "/")
    #expect(request.queryValue("list-type") == "2")
    #expect(request.queryValue("encoding-type") == "url")
    #expect(request.queryValue("prefix") == "a b+c/")
    #expect(request.queryValue("delimiter") == "/")
    #expect(request.queryValue("continuation-token") == "t/+=")
  }

  @Test("A flat first page has neither delimiter nor token")
  func flatListRequest() async throws {
    let sender = ScriptedSender([.text("<ListBucketResult/>")])
    let page = try await S3Client(sender: sender).listObjectsV2(bucket: "b", prefix: "", delimiter: nil, from: .start)
    #expect(sender.requests.first?.query.map(\.name) == ["list-type", "encoding-type", "prefix"])
    #expect(page.objects.isEmpty && page.commonPrefixes.isEmpty && page.nextContinuationToken == nil)
  }

  @Test("Encoded keys and prefixes are decoded: + is a space, %2B a plus, %0A a newline")
  func decodedListing() async throws {
    let body = """
      <?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>
      <IsTruncated>true</IsTruncated><NextContinuationToken>a%2Fb</NextContinuationToken>
      <Contents><Key>x%2F..//a+b%2Bc%0A%C3%BC%25</Key><Size>7</Size><ETag>&quot;e&quot;</ETag>
      <LastModified>2026-01-02T03:04:05.678Z</LastModified></Contents>
      <CommonPrefixes><Prefix>p+q%01/</Prefix></CommonPrefixes></ListBucketResult>
      """
    let page = try await list(body)
    let object = try #require(page.objects.first)
    #expect(page.objects.count == 1)
    #expect(object.key == "x/..//a b+c\nü%")
    #expect(object.size == 7)
    #expect(object.etag == "\"e\"")
    #expect(object.lastModified == 1_767_323_045_678_000_000)
    #expect(page.commonPrefixes == ["p q\u{1}/"])
    #expect(page.nextContinuationToken == "a%2Fb")
  }

  @Test("A server that does not know the parameter is taken at its word")
  func plainListing() async throws {
    let page = try await list("<ListBucketResult><Contents><Key>a+b%20c &amp; d</Key><Size>0</Size></Contents></ListBucketResult>")
    #expect(page.objects.map(\.key) == ["a+b%20c & d"])
    #expect(page.objects.count == 1 && page.objects[0].lastModified == nil, "no time is none, not the oldest")
  }

  @Test(
    "A listing that makes no sense is an error",
    arguments: [
      "<html><body>login</body></html>", "not xml", "",
      "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
      "<ListBucketResult><Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>",
      "<ListBucketResult><Contents><Key>k</Key><Size>many</Size></Contents></ListBucketResult>",
      "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken></ListBucketResult>",
    ])
  func malformedListing(body: String) async {
    let error = await #expect(throws: AWSError.self) { _ = try await list(body) }
    #expect(error?.kind == .malformed)
  }

  private func list(_ body: String) async throws -> S3ObjectPage {
    try await S3Client(sender: ScriptedSender([.text(body)])).listObjectsV2(
      bucket: "b", prefix: "", delimiter: nil, from: .continuationToken("same"))
  }
}

@Suite("Content-Range")
struct S3ContentRangeTests {
  @Test("A byte range with and without the total is read")
  func good() {
    #expect(S3ContentRange("bytes 0-9/100")?.range == 0..<10)
    #expect(S3ContentRange("bytes 0-9/100")?.total == 100)
    #expect(S3ContentRange("Bytes 5-5/*")?.range == 5..<6)
    #expect(S3ContentRange("bytes 5-5/*")?.total == nil)
  }

  @Test(
    "Everything else is refused",
    arguments: [
      "", "bytes", "bytes 5-4/10", "bytes 0-9/5", "bytes */10", "lines 0-9/10", "bytes 0-9", "bytes -1-4/9",
      "bytes 0-9223372036854775807/*", "bytes 0-99999999999999999999/*",
    ])
  func bad(text: String) {
    #expect(S3ContentRange(text) == nil)
  }
}

/// Keeps a body.
final class CollectingBody: HTTPBodySink {
  private let bytes = Mutex([UInt8]())

  var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

  func begin(status: Int, headers: [(name: String, value: String)]) -> Bool { true }

  func receive(_ piece: UnsafeRawBufferPointer) -> Bool {
    bytes.withLock { $0.append(contentsOf: piece) }
    return true
  }
}
