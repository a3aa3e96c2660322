// SPDX-License-Identifier: Apache-2.0

import ObjectServer
import Testing

@Suite struct S3ServiceTests {
  private func answer(_ head: String) throws -> HTTPResponse {
    let options = try ServerOptions(["--synthetic", "b/k=1000", "--synthetic-many", "b/m=20"])
    let service = S3Service(buckets: try Buckets(options, born: 0))
    return service.answer(try #require(HTTPRequest(head: Array(head.utf8)[...])))
  }

  private func etag() throws -> String {
    try #require(try answer("HEAD /b/k HTTP/1.1").fields.first { $0.name == "ETag" }?.value)
  }

  private func text(_ response: HTTPResponse) throws -> String {
    guard case .bytes(let bytes) = response.body else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test("HEAD tells the length and sends nothing")
  func head() throws {
    let response = try answer("HEAD /b/k HTTP/1.1")
    #expect(response.status == 200 && response.bodyLength == 0)
    #expect(String(decoding: response.head(closing: false), as: UTF8.self).contains("Content-Length: 1000\r\n"))
  }

  @Test("A range gives 206 and exactly those bytes of the generated content")
  func range() throws {
    let response = try answer("GET /b/m/d000/f000001.parquet HTTP/1.1\r\nRange: bytes=2-5")
    #expect(response.status == 206)
    guard case .content(.memory(let bytes), let offset, let count) = response.body else {
      Issue.record("no content")
      return
    }
    #expect(Array(bytes[offset..<(offset + count)]) == Array("d000".utf8))
    #expect(response.fields.contains { $0.name == "Content-Range" && $0.value == "bytes 2-5/23" })
  }

  @Test("Conditions are compared with the tag")
  func conditions() throws {
    let tag = try etag()
    #expect(try answer("GET /b/k HTTP/1.1\r\nIf-Match: \(tag)").status == 200)
    #expect(try answer("GET /b/k HTTP/1.1\r\nIf-Match: \"other\"").status == 412)
    #expect(try answer("GET /b/k HTTP/1.1\r\nIf-None-Match: \(tag)").status == 304)
    #expect(try answer("GET /b/k HTTP/1.1\r\nIf-None-Match: \"other\"").status == 200)
  }

  @Test("Errors carry S3's codes")
  func errors() throws {
    #expect(try text(answer("GET /b/none HTTP/1.1")).contains("<Code>NoSuchKey</Code>"))
    #expect(try text(answer("GET /none/k HTTP/1.1")).contains("<Code>NoSuchBucket</Code>"))
    #expect(try text(answer("GET /b/k HTTP/1.1\r\nRange: bytes=1000-")).contains("<Code>InvalidRange</Code>"))
    #expect(try answer("PUT /b/k HTTP/1.1").status == 405)
    #expect(try answer("DELETE /b/k HTTP/1.1").status == 405)
    #expect(try answer("POST /b/k?uploads HTTP/1.1").status == 501)
  }

  @Test("A listing carries its token over pages, and a foreign token is refused")
  func token() throws {
    let first = try text(answer("GET /b?list-type=2&prefix=m/&max-keys=15 HTTP/1.1"))
    let token = try #require(first.split(separator: "NextContinuationToken>").dropFirst().first?.split(separator: "<").first)
    let second = try text(answer("GET /b?list-type=2&prefix=m/&max-keys=15&continuation-token=\(token) HTTP/1.1"))
    #expect(first.split(separator: "<Contents>").count == 16)
    #expect(second.split(separator: "<Contents>").count == 6)
    #expect(second.contains("<IsTruncated>false</IsTruncated>"))
    #expect(try answer("GET /b?list-type=2&continuation-token=xyz HTTP/1.1").status == 400)
  }
}

@Suite("Many objects")
struct ManyObjectsTests {
  @Test("Many objects lie in ten directories, or in as many as are told")
  func directories() throws {
    for (text, wanted) in [("b/m=20", 10), ("b/m=20/4", 4), ("b/m=20/1", 1)] {
      #expect(try ServerOptions(["--synthetic-many", text]).syntheticMany.map(\.directories) == [wanted])
    }
    #expect(throws: UsageError.self) { try ServerOptions(["--synthetic-many", "b/m=20/0"]) }
  }
}
