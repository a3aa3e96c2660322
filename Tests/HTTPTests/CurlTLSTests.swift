// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTP
import TestSupport
import Testing

@Suite("TLS with authorities of one's own", .timeLimit(.minutes(1)), .serialized)
struct CurlTLSTests {
  @Test("A server is trusted through the given bundle, and through nothing else")
  func customAuthority() async throws {
    let server = try await TLSServer()
    defer { server.stop() }
    let request = HTTPRequest(
      method: "GET", endpoint: HTTPEndpoint(isSecure: true, host: "localhost", port: server.port), target: "/hello.txt",
      deadline: .seconds(20))

    let trusting = try CurlTransport(CurlTransportConfiguration(proxy: .none, caBundle: server.authority))
    defer { trusting.shutdown() }
    let response = try await trusting.send(request, sink: nil)
    #expect(response.status == 200)
    #expect(response.body == Array("hello over TLS".utf8))

    let systemOnly = try CurlTransport(CurlTransportConfiguration(proxy: .none))
    defer { systemOnly.shutdown() }
    let untrusted = await failure(of: systemOnly, request)
    #expect(untrusted?.code == .tls)
    #expect(untrusted?.isRetryable == false)
    #expect(untrusted?.message.contains("not trusted") == true)

    let unchecked = try CurlTransport(CurlTransportConfiguration(proxy: .none, verifiesCertificates: false))
    defer { unchecked.shutdown() }
    #expect(try await unchecked.send(request, sink: nil).status == 200)
  }

  @Test("A certificate for another name is refused")
  func otherName() async throws {
    let server = try await TLSServer()
    defer { server.stop() }
    let transport = try CurlTransport(CurlTransportConfiguration(proxy: .none, caBundle: server.authority))
    defer { transport.shutdown() }
    let endpoint = HTTPEndpoint(isSecure: true, host: "127.0.0.1", port: server.port)
    let error = await failure(of: transport, HTTPRequest(method: "GET", endpoint: endpoint, target: "/"))
    #expect(error?.code == .tls)
  }

  @Test("A bundle that does not exist is a sentence, not a fallback to the system's authorities")
  func missingBundle() async throws {
    let server = try await TLSServer()
    defer { server.stop() }
    let transport = try CurlTransport(CurlTransportConfiguration(proxy: .none, caBundle: "/nonexistent/ca.pem"))
    defer { transport.shutdown() }
    let endpoint = HTTPEndpoint(isSecure: true, host: "localhost", port: server.port)
    let error = await failure(of: transport, HTTPRequest(method: "GET", endpoint: endpoint, target: "/"))
    #expect(error?.code == .tls)
    #expect(error?.isRetryable == false)
    #expect(error?.message.contains("/nonexistent/ca.pem") == true)
  }

  @Test("Plain HTTP spoken to a TLS port, and TLS to a plain port, are errors")
  func mixedUp() async throws {
    try await withServer { _ in
      .bytesThenClose(Array("HTTP/1.1 400 Bad\r\n\r\n".utf8))
    } body: { server, transport in
      let endpoint = HTTPEndpoint(isSecure: true, host: "127.0.0.1", port: server.port)
      let error = await failure(of: transport, HTTPRequest(method: "GET", endpoint: endpoint, target: "/", deadline: .milliseconds(1500)))
      #expect(error?.code == .tls || error?.code == .timedOut)
    }
  }
}

/// `openssl s_server` with a certificate for `localhost` from an authority made on the spot; serves its folder.
final class TLSServer {
  let port: Int
  let authority: String
  private let folder: URL
  private let process: Process

  init() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bergfs-tls-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    self.folder = folder
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    authority = path("ca.pem")
    try Data("hello over TLS".utf8).write(to: folder.appendingPathComponent("hello.txt"))
    try Data("subjectAltName=DNS:localhost\n".utf8).write(to: folder.appendingPathComponent("san.txt"))
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for arguments in [
      ["req", "-x509"] + key + ["-subj", "/CN=BergFS test authority", "-days", "2", "-keyout", path("ca.key"), "-out", authority],
      ["req"] + key + ["-subj", "/CN=localhost", "-keyout", path("server.key"), "-out", path("server.csr")],
      [
        "x509", "-req", "-in", path("server.csr"), "-CA", authority, "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "2",
        "-extfile", path("san.txt"), "-out", path("server.pem"),
      ],
    ] {
      let output = try await ChildProcess.run("/usr/bin/openssl", arguments)
      try #require(output.status == 0, "\(output.standardError)")
    }
    let log = folder.appendingPathComponent("log.txt")
    try Data().write(to: log)
    process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.currentDirectoryURL = folder
    process.arguments = ["s_server", "-accept", "127.0.0.1:0", "-cert", path("server.pem"), "-key", path("server.key"), "-WWW"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: log)
    process.standardError = FileHandle.nullDevice
    try process.run()
    port = try await Self.port(in: log)
  }

  func stop() {
    // The child inherits the pool's signal mask, under which SIGTERM never arrives.
    kill(process.processIdentifier, SIGKILL)
    try? FileManager.default.removeItem(at: folder)
  }

  /// The port that the server writes when it is ready.
  private static func port(in log: URL) async throws -> Int {
    let end = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < end {
      let text = String(decoding: try Data(contentsOf: log), as: UTF8.self)
      if let line = text.split(separator: "\n").first(where: { $0.hasPrefix("ACCEPT ") }), text.hasSuffix("\n"),
        let port = line.split(separator: ":").last.flatMap({ Int($0) })
      {
        return port
      }
      await Task.yield()
    }
    throw LoopbackServerError(number: ETIMEDOUT)
  }
}
