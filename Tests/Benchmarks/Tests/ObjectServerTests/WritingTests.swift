// SPDX-License-Identifier: Apache-2.0

import ObjectServer
import Testing

@Suite struct WritingTests {
  private let service: S3Service

  init() throws {
    service = S3Service(buckets: try Buckets(try ServerOptions(["--synthetic", "b/k=10", "--writable", "b"]), born: 0))
  }

  private func answer(_ head: String, _ body: String = "") throws -> HTTPResponse {
    var request = try #require(HTTPRequest(head: Array(head.utf8)[...]))
    request.body = Array(body.utf8)
    return service.answer(request)
  }

  private func content(_ key: String) throws -> String {
    guard case .content(.written(let body), _, _) = try answer("GET /b/\(key) HTTP/1.1").body else { return "" }
    return String(decoding: body.parts.joined(), as: UTF8.self)
  }

  @Test("What is put is read, listed and deleted, with the headers of its writer")
  func put() throws {
    #expect(try answer("PUT /b/a/one HTTP/1.1\r\nx-amz-meta-mode: 33188", "text").status == 200)
    #expect(try content("a/one") == "text")
    #expect(try answer("HEAD /b/a/one HTTP/1.1").fields.contains { $0.name == "x-amz-meta-mode" && $0.value == "33188" })
    guard case .bytes(let listing) = try answer("GET /b?list-type=2 HTTP/1.1").body else { return }
    #expect(String(decoding: listing, as: UTF8.self).contains("<Key>a/one</Key>"))
    #expect(try answer("DELETE /b/a/one HTTP/1.1").status == 204)
    #expect(try answer("HEAD /b/a/one HTTP/1.1").status == 404)
  }

  @Test("If-None-Match keeps what is there, generated or written")
  func condition() throws {
    for key in ["k", "new"] {
      _ = try answer("PUT /b/new HTTP/1.1", "first")
      #expect(try answer("PUT /b/\(key) HTTP/1.1\r\nIf-None-Match: *", "second").status == 412)
    }
    #expect(try content("new") == "first")
  }

  @Test("Parts become one object in the order of their numbers")
  func parts() throws {
    guard case .bytes(let begun) = try answer("POST /b/big?uploads HTTP/1.1").body else { return }
    let id = try #require(
      String(decoding: begun, as: UTF8.self).split(separator: "UploadId>").dropFirst().first?.split(separator: "<").first)
    #expect(try answer("PUT /b/big?partNumber=2&uploadId=\(id) HTTP/1.1", "two").status == 200)
    #expect(try answer("PUT /b/big?partNumber=1&uploadId=\(id) HTTP/1.1", "one-").status == 200)
    #expect(try answer("HEAD /b/big HTTP/1.1").status == 404)
    #expect(try answer("POST /b/big?uploadId=\(id) HTTP/1.1\r\nIf-None-Match: *").status == 200)
    #expect(try content("big") == "one-two")
    #expect(try answer("POST /b/big?uploadId=\(id) HTTP/1.1").status == 404)
  }
}
