// SPDX-License-Identifier: Apache-2.0

import HTTP
import TestSupport
import Testing

@Suite("Requests over loopback", .timeLimit(.minutes(1)))
struct CurlTransportTests {
  @Test("Requests one after the other share one connection")
  func keepAlive() async throws {
    try await withServer { _ in
      .answer(body: Array("ok".utf8))
    } body: { server, transport in
      for _ in 0..<20 {
        let response = try await transport.send(server.request(), sink: nil)
        #expect(response.status == 200)
        #expect(response.body == Array("ok".utf8))
      }
      #expect(server.connectionCount == 1)
    }
  }

  @Test("No more connections are opened than allowed, and every request is answered")
  func connectionLimit() async throws {
    try await withServer(CurlTransportConfiguration(maxConnections: 3, proxy: .none)) { request in
      .answer(body: Array(request.target.utf8))
    } body: { server, transport in
      await withTaskGroup(of: Bool.self) { group in
        for number in 0..<60 {
          group.addTask {
            let response = try? await transport.send(server.request("GET", "/\(number)"), sink: nil)
            return response?.body == Array("/\(number)".utf8)
          }
        }
        for await isRight in group { #expect(isRight) }
      }
      #expect(server.connectionCount <= 3)
      #expect(server.requests.count == 60)
    }
  }

  @Test(
    "The target goes on the wire byte for byte",
    arguments: [
      "/", "//a//b", "/a/../b/./c", "/..", "/%2e%2E/%2f", "/a%20b%25%0A%C3%A9", "/k?x", "/k?x=&x=1&y=%20", "/?list-type=2&prefix=a%2Fb",
      "/a+b~c_d-e.f", "/a:b@c;d,e!$'()*", "/k?", "/?delete", "/[x]{y}|\\^`\"<>",
    ], [CurlTransportConfiguration.Proxy.none, .environment])
  func exactTarget(target: String, proxy: CurlTransportConfiguration.Proxy) async throws {
    try await withServer(CurlTransportConfiguration(proxy: proxy)) { _ in
      .answer()
    } body: { server, transport in
      _ = try await transport.send(server.request("GET", target), sink: nil)
      #expect(server.requests.map(\.target) == [target])
    }
  }

  @Test(
    "A plain proxy gets the absolute form with the target byte for byte", arguments: ["/", "//a/../b", "/%2e%2E/a%20b?x&y=%2F", "/?delete"])
  func proxied(target: String) async throws {
    let proxy = try LoopbackServer { _ in .answer(body: Array("by proxy".utf8)) }
    defer { proxy.stop() }
    let transport = try CurlTransport(CurlTransportConfiguration(proxy: .endpoint("http://127.0.0.1:\(proxy.port)")))
    defer { transport.shutdown() }
    let endpoint = HTTPEndpoint(isSecure: false, host: "minio.invalid", port: 9000)
    let response = try await transport.send(HTTPRequest(method: "GET", endpoint: endpoint, target: target), sink: nil)
    #expect(response.body == Array("by proxy".utf8))
    #expect(proxy.requests.map(\.target) == ["http://minio.invalid:9000\(target)"])
  }

  @Test("Only the given headers, Host and Content-Length are sent")
  func exactHeaders() async throws {
    try await withServer { _ in
      .answer()
    } body: { server, transport in
      let headers = [(name: "X-A", value: "1  2"), (name: "x-empty", value: ""), (name: "X-A", value: "3")]
      _ = try await transport.send(server.request("PUT", "/", headers: headers, body: Array("hello".utf8)), sink: nil)
      _ = try await transport.send(server.request("GET", "/", headers: []), sink: nil)
      let sent = server.requests
      #expect(
        sent[0].headers.map { "\($0.name): \($0.value)" }.sorted() == [
          "Content-Length: 5", "Host: 127.0.0.1:\(server.port)", "X-A: 1  2", "X-A: 3", "x-empty: ",
        ])
      #expect(sent[1].headers.map(\.name) == ["Host"])
    }
  }

  @Test("Bodies arrive whole, also large ones and empty ones", arguments: ["PUT", "POST"], [0, 1, 3_000_000])
  func uploads(method: String, size: Int) async throws {
    try await withServer { _ in
      .answer()
    } body: { server, transport in
      let body = pattern(size)
      _ = try await transport.send(server.request(method, "/", body: body), sink: nil)
      #expect(server.requests.first?.method == method)
      #expect(server.requests.first?.header("Content-Length") == "\(size)")
      #expect(server.requests.first?.body == body)
      #expect(server.requests.first?.header("Expect") == nil)
    }
  }

  @Test("The method changes from request to request on one connection")
  func methods() async throws {
    try await withServer { request in
      request.method == "HEAD" ? .bytes(Array("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n".utf8)) : .answer()
    } body: { server, transport in
      let methods = ["GET", "HEAD", "DELETE", "PUT", "GET", "POST", "HEAD", "GET"]
      for method in methods {
        let response = try await transport.send(server.request(method, "/"), sink: nil)
        #expect(response.status == 200)
        #expect(response.header("content-length") == (method == "HEAD" ? "77" : "0"))
      }
      #expect(server.requests.map(\.method) == methods)
      #expect(server.connectionCount == 1)
    }
  }

  @Test("A large body goes into the sink whole and in order")
  func largeBody() async throws {
    let body = pattern(40 << 20)
    try await withServer { _ in
      .answer(status: 206, body: body)
    } body: { server, transport in
      let sink = CollectingSink()
      let response = try await transport.send(server.request(), sink: sink)
      let state = sink.state
      #expect(response.status == 206)
      #expect(response.body.isEmpty)
      #expect(state.begins == 1)
      #expect(state.status == 206)
      #expect(state.bytes == body)
    }
  }

  @Test("An error's body comes in the response, not into the sink")
  func errorBody() async throws {
    try await withServer { _ in
      .answer(status: 404, body: Array("<Error/>".utf8))
    } body: { server, transport in
      let sink = CollectingSink()
      let response = try await transport.send(server.request(), sink: sink)
      #expect(response.status == 404)
      #expect(response.body == Array("<Error/>".utf8))
      #expect(sink.state.begins == 0)
    }
  }

  @Test("Chunked bodies are put together, interim answers skipped, trailers ignored")
  func chunked() async throws {
    let answer =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A:  b \r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: t\r\n\r\n"
    try await withServer { _ in
      .bytes(Array(answer.utf8))
    } body: { server, transport in
      let response = try await transport.send(server.request(), sink: nil)
      #expect(response.body == Array("abcde".utf8))
      #expect(response.header("x-a") == "b")
      #expect(response.header("x-t") == nil)
    }
  }

  @Test("Redirects are answers like others, and gzip is not undone")
  func noFollowing() async throws {
    let headers = [("Location", "http://127.0.0.1:1/"), ("Content-Encoding", "gzip")]
    try await withServer { _ in
      .answer(status: 307, headers: headers, body: [1, 2, 3])
    } body: { server, transport in
      let response = try await transport.send(server.request(), sink: nil)
      #expect(response.status == 307)
      #expect(response.body == [1, 2, 3])
      #expect(server.requests.count == 1)
    }
  }

  @Test("A target or header that would break its line is refused unsent")
  func injection() async throws {
    try await withServer { _ in
      .answer()
    } body: { server, transport in
      for request in [
        server.request("GET", "/a b"), server.request("GET", "/a\r\nX: y"), server.request("GET", "a"), server.request("GET", "/a#b"),
        server.request("GET", "/", headers: [("X", "a\r\nY: b")]), server.request("GET", "/", headers: [("X: y", "b")]),
      ] {
        #expect(await failure(of: transport, request)?.code == .unusable)
      }
      #expect(server.requests.isEmpty)
    }
  }

  @Test("Two threads share out the requests")
  func twoThreads() async throws {
    try await withServer(CurlTransportConfiguration(maxConnections: 4, proxy: .none, threads: 2)) { _ in
      .answer()
    } body: { server, transport in
      await withTaskGroup(of: Int?.self) { group in
        for _ in 0..<40 { group.addTask { try? await transport.send(server.request(), sink: nil).status } }
        for await status in group { #expect(status == 200) }
      }
      #expect(server.connectionCount <= 4)
    }
  }
}
