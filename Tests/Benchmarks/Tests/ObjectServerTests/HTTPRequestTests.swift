// SPDX-License-Identifier: Apache-2.0

import ObjectServer
import Testing

@Suite struct HTTPRequestTests {
  private func parse(_ text: String) -> HTTPRequest? {
    HTTPRequest(head: Array(text.utf8)[...])
  }

  @Test("A request's key is decoded once, its query by name, its headers whatever their case")
  func parts() throws {
    let head = "GET /b/a%2520+%C3%A9?prefix=x+y%2F&delete HTTP/1.1\r\nHOST: h\r\nrAnGe:  bytes=0-1 \r\nIf-None-Match: \"e\""
    let request = try #require(parse(head))
    #expect(request.method == "GET")
    #expect(request.path == Array("/b/a%20+é".utf8))
    #expect(request.queryValue("prefix") == Array("x y/".utf8))
    #expect(request.queryValue("delete") == [])
    #expect(request.queryValue("absent") == nil)
    #expect(request.range == "bytes=0-1")
    #expect(request.ifNoneMatch == "\"e\"")
    #expect(!request.closesConnection)
  }

  @Test("HTTP/1.0 and Connection: close end the connection")
  func closes() throws {
    #expect(try #require(parse("GET / HTTP/1.0\r\nHost: h")).closesConnection)
    #expect(try #require(parse("GET / HTTP/1.1\r\nConnection: Close")).closesConnection)
  }

  @Test(
    "What is not a request is refused",
    arguments: ["", "GET /", "GET x HTTP/1.1", "GET / FTP/1", "GET / HTTP/1.1\r\nno colon", "POST / HTTP/1.1\r\nContent-Length: -1"])
  func refused(text: String) {
    #expect(parse(text) == nil)
  }
}
