// SPDX-License-Identifier: Apache-2.0

import HTTP
import Testing
import WireFormats

@testable import AWSCore

@Suite("Protocols and error messages")
struct ProtocolTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var service: AWSService
    var status: Int
    var headers: [(name: String, value: String)] = []
    var body = ""
    var kind: AWSError.Kind
    var code: String

    var testDescription: String { "\(service.name) \(status) \(code)" }
  }

  private static func s3(_ code: String) -> String {
    "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>m</Message><RequestId>R</RequestId></Error>"
  }

  static let rows: [Row] = [
    Row(service: .s3, status: 404, body: s3("NoSuchKey"), kind: .notFound, code: "NoSuchKey"),
    Row(service: .s3, status: 404, body: s3("NoSuchBucket"), kind: .notFound, code: "NoSuchBucket"),
    Row(service: .s3, status: 404, kind: .notFound, code: "404"),
    Row(service: .s3, status: 403, body: s3("AccessDenied"), kind: .accessDenied, code: "AccessDenied"),
    Row(service: .s3, status: 403, kind: .accessDenied, code: "403"),
    Row(service: .s3, status: 403, body: s3("InvalidAccessKeyId"), kind: .credentials, code: "InvalidAccessKeyId"),
    Row(service: .s3, status: 412, kind: .conditionFailed, code: "412"),
    Row(service: .s3, status: 304, kind: .conditionFailed, code: "304"),
    Row(service: .s3, status: 416, body: s3("InvalidRange"), kind: .badRequest, code: "InvalidRange"),
    Row(service: .s3, status: 405, headers: [("x-amz-delete-marker", "true")], kind: .notFound, code: "405"),
    Row(service: .s3, status: 503, body: s3("SlowDown"), kind: .throttled, code: "SlowDown"),
    Row(service: .s3, status: 429, kind: .throttled, code: "429"),
    Row(
      service: .s3, status: 400, body: "<ErrorResponse><Error><Code>BadDigest</Code></Error></ErrorResponse>", kind: .badRequest,
      code: "BadDigest"),
    Row(
      service: .glue, status: 400, body: #"{"__type":"EntityNotFoundException","Message":"m"}"#, kind: .notFound,
      code: "EntityNotFoundException"),
    Row(
      service: .dynamodb, status: 400,
      body: #"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException:http://x","message":"m"}"#,
      kind: .notFound, code: "ResourceNotFoundException"),
    Row(
      service: .glue, status: 400, headers: [("x-amzn-ErrorType", "ConcurrentModificationException:http://x/")], body: "{}",
      kind: .conditionFailed, code: "ConcurrentModificationException"),
    Row(
      service: .glue, status: 400, headers: [("x-amzn-query-error", "AccessDenied;Sender")], body: #"{"__type":"Other"}"#,
      kind: .accessDenied, code: "AccessDenied"),
    Row(
      service: .dynamodb, status: 400,
      body: #"{"__type":"TransactionCanceledException","CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed"}]}"#,
      kind: .conditionFailed, code: "TransactionCanceledException"),
    Row(
      service: .glue, status: 400, body: #"{"__type":"UnrecognizedClientException"}"#, kind: .credentials,
      code: "UnrecognizedClientException"),
    Row(service: .glue, status: 400, body: "not json", kind: .badRequest, code: "400"),
    Row(service: .glue, status: 502, body: "<html>bad gateway</html>", kind: .server, code: "502"),
    Row(service: .glue, status: 404, body: "<!DOCTYPE HTML><html></html>", kind: .malformed, code: "404"),
    Row(service: .glue, status: 200, body: "\n<html></html>", kind: .malformed, code: "200"),
    Row(
      service: .sts, status: 403,
      body: "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>m</Message></Error></ErrorResponse>",
      kind: .credentials, code: "InvalidClientTokenId"),
  ]

  @Test("A cancelled transaction says what became of each of its writes")
  func cancellationReasons() async throws {
    let reasons = ["None", "ConditionalCheckFailed", "TransactionConflict"]
    let list = reasons.map { #"{"Code":"\#($0)"}"# }.joined(separator: ",")
    let test = try ClientUnderTest(
      .dynamodb, [.answer(400, body: #"{"__type":"TransactionCanceledException","CancellationReasons":[\#(list)]}"#)],
      retry: .standard(maxAttempts: 1), provider: RotatingProvider(rotates: false))
    let error = try #require(await test.error(AWSRequest(operation: "Op", method: "POST")))
    #expect(error.cancellationReasons == reasons)
  }

  @Test("An answer's code decides what kind of error it is", arguments: rows)
  func kinds(_ row: Row) async throws {
    let test = try ClientUnderTest(
      row.service, [.answer(row.status, headers: row.headers, body: row.body)], retry: .standard(maxAttempts: 1),
      provider: RotatingProvider(rotates: false))
    let error = try #require(await test.error(AWSRequest(operation: "Op", method: "GET", bucket: row.service == .s3 ? "bucket" : nil)))
    #expect(error.kind == row.kind)
    #expect(error.code == row.code)
    #expect(error.status == row.status)
  }

  @Test("A web page is said to be one, with the endpoint that gave it")
  func webPage() async throws {
    let test = try ClientUnderTest(
      .glue, [.answer(200, body: "<!doctype html><title>Hi</title>")], settings: EndpointSettings(customEndpoint: "http://h:1"))
    let error = await test.error(AWSRequest(operation: "Glue.GetTable", method: "POST"))
    #expect(error?.message == "http://h:1 answered HTML, not the AWS API; is this the right endpoint for Glue?")
  }

  @Test("A refusal names the bucket's region and hands over the headers")
  func wrongRegion() async throws {
    let test = try ClientUnderTest(.s3, [.answer(301, headers: [("x-amz-bucket-region", "eu-west-1")])])
    let error = await test.error(AWSRequest(operation: "S3.HeadObject", method: "HEAD", bucket: "bucket"))
    #expect(error?.message == "the bucket is in region eu-west-1, not where it was asked for")
    #expect(error?.headers.first?.value == "eu-west-1")
  }

  @Test("No secret gets into an error's text")
  func secrets() async throws {
    let body = #"{"__type":"ValidationException","message":"bad topsecret and sessiontoken here"}"#
    let test = try ClientUnderTest(.glue, [.answer(400, body: body)])
    let error = await test.error(AWSRequest(operation: "Glue.GetTable", method: "POST"))
    #expect(error?.message == "bad **** and **** here")
  }

  @Test("S3 bodies are hashed over http and not over https; other services hash always")
  func payloadHash() async throws {
    func hash(_ service: AWSService, endpoint: String, body: String) async throws -> String? {
      let test = try ClientUnderTest(service, [.answer(200)], settings: EndpointSettings(customEndpoint: endpoint))
      _ = try await test.outcome(AWSRequest(operation: "Op", method: "PUT", body: Array(body.utf8))).get()
      return test.transport.requests[0].header("x-amz-content-sha256")
    }
    #expect(try await hash(.s3, endpoint: "http://127.0.0.1", body: "hello") == SHA256.hexDigest(Array("hello".utf8)))
    #expect(try await hash(.s3, endpoint: "https://127.0.0.1", body: "hello") == "UNSIGNED-PAYLOAD")
    #expect(try await hash(.s3, endpoint: "https://127.0.0.1", body: "") == SHA256.emptyHexDigest)
    #expect(try await hash(.glue, endpoint: "https://127.0.0.1", body: "{}") == nil)
  }

  @Test("The target joins base path, bucket, key and encoded query")
  func target() async throws {
    let test = try ClientUnderTest(
      .s3, [.answer(200)], settings: EndpointSettings(customEndpoint: "http://h/base", usesPathStyle: true))
    let request = AWSRequest(
      operation: "Op", method: "GET", bucket: "bucket", path: "/a//b/../" + PercentEncoding.path("c d?"),
      query: [("delete", nil), ("prefix", "x y/"), ("e", "")])
    _ = try await test.outcome(request).get()
    #expect(test.transport.requests[0].target == "/base/bucket/a//b/../c%20d%3F?delete&prefix=x%20y%2F&e=")
  }

  @Test("JSON and Query requests have their protocol's form")
  func requests() throws {
    let json = JSONProtocol.request(target: "AWSGlue.GetTable", version: "1.1", body: ["Name": "t"], operation: "Glue.GetTable")
    #expect(json.headers.map { "\($0.name)=\($0.value)" } == ["Content-Type=application/x-amz-json-1.1", "X-Amz-Target=AWSGlue.GetTable"])
    #expect(String(decoding: json.body, as: UTF8.self) == #"{"Name":"t"}"#)
    let form = QueryProtocol.request(
      action: "AssumeRole", version: "2011-06-15", parameters: [("RoleArn", "arn:aws:iam::1:role/r x")], operation: "STS.AssumeRole")
    #expect(
      String(decoding: form.body, as: UTF8.self) == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr%20x")
    let answer = AWSResponse(
      http: HTTPResponse(
        status: 200, headers: [], body: Array("<AResponse xmlns=\"u\"><AResult><K>v</K></AResult></AResponse>".utf8)), requestID: nil,
      attempts: 1)
    #expect(try QueryProtocol.result(of: answer, action: "A")["K"]?.text == "v")
    #expect(throws: AWSError.self) { try QueryProtocol.result(of: answer, action: "B") }
    #expect(throws: AWSError.self) { try JSONProtocol.document(of: answer) }
  }

  @Test(
    "Percent-encoding keeps the unreserved and turns around",
    arguments: [
      ("a/b c", "a/b%20c", "a%2Fb%20c"), ("é+%~", "%C3%A9%2B%25~", "%C3%A9%2B%25~"), ("", "", ""), ("\n\u{0}", "%0A%00", "%0A%00"),
    ])
  func percentEncoding(text: String, path: String, query: String) {
    #expect(PercentEncoding.path(text) == path)
    #expect(PercentEncoding.query(text) == query)
    #expect(PercentEncoding.decode(path) == text)
    #expect(PercentEncoding.decode(query) == text)
  }

  @Test("Decoding leaves stray percent signs, and turns + into a space only when told")
  func decoding() {
    #expect(PercentEncoding.decode("100%") == "100%")
    #expect(PercentEncoding.decode("%4") == "%4")
    #expect(PercentEncoding.decode("%zz%41") == "%zzA")
    #expect(PercentEncoding.decode("a+b") == "a+b")
    #expect(PercentEncoding.decode("a+b", plusIsSpace: true) == "a b")
  }

  @Test("Times are written and read as HTTP and SigV4 write them")
  func timestamps() {
    #expect(AWSTimestamp.basic(1_440_938_160) == "20150830T123600Z")
    #expect(AWSTimestamp.basic(951_782_400) == "20000229T000000Z")
    #expect(AWSTimestamp.basic(-5) == "19700101T000000Z")
    #expect(Timestamp.seconds(httpDate: "Sun, 30 Aug 2015 12:36:00 GMT") == 1_440_938_160)
    #expect(Timestamp.seconds(httpDate: "Tue, 29 Feb 2000 00:00:00 GMT") == 951_782_400)
    #expect(Timestamp.seconds(httpDate: "yesterday") == nil)
  }
}
