// SPDX-License-Identifier: Apache-2.0

import HTTP
import TestSupport
import Testing

@Suite("Failures over loopback", .timeLimit(.minutes(1)))
struct CurlFailureTests {
  private static let short = Array("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".utf8)

  @Test("A body shorter than its Content-Length is truncated, with and without a sink", arguments: [true, false])
  func truncated(hasSink: Bool) async throws {
    try await withServer { _ in
      .bytesThenClose(Self.short)
    } body: { server, transport in
      let sink = CollectingSink()
      let error = await failure(of: transport, server.request(), sink: hasSink ? sink : nil)
      #expect(error?.code == .truncated)
      #expect(error?.isRetryable == true)
      #expect(error?.mayHaveBeenSent == true)
      #expect(error?.message.contains("127.0.0.1:\(server.port)") == true)
      #expect(sink.state.bytes == (hasSink ? Array("abc".utf8) : []))
    }
  }

  @Test("A chunked body without its end is truncated")
  func truncatedChunks() async throws {
    let half = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab".utf8)
    try await withServer { _ in
      .bytesThenClose(half)
    } body: { server, transport in
      #expect(await failure(of: transport, server.request())?.code == .truncated)
    }
  }

  @Test("A connection reset in the middle of a body is an error that may be retried")
  func resetMidway() async throws {
    try await withServer { _ in
      .bytesThenReset(Self.short)
    } body: { server, transport in
      let error = await failure(of: transport, server.request())
      #expect(error?.code == .reset || error?.code == .truncated)
      #expect(error?.isRetryable == true)
    }
  }

  @Test("A stalled answer ends after the socket timeout")
  func stall() async throws {
    let configuration = CurlTransportConfiguration(socketTimeout: .seconds(1), proxy: .none)
    try await withServer(configuration) { _ in
      .bytesThenStall(Self.short)
    } body: { server, transport in
      let error = await failure(of: transport, server.request(deadline: .seconds(3600)))
      #expect(error?.code == .timedOut)
      #expect(error?.mayHaveBeenSent == true)
    }
  }

  @Test("The deadline ends a request that is being answered too slowly")
  func deadline() async throws {
    try await withServer(CurlTransportConfiguration(socketTimeout: .zero, proxy: .none)) { _ in
      .bytesThenStall([])
    } body: { server, transport in
      let error = await failure(of: transport, server.request(deadline: .milliseconds(200)))
      #expect(error?.code == .timedOut)
      #expect(error?.isRetryable == true)
    }
  }

  @Test("The deadline also holds for a request that waits for a connection")
  func deadlineInQueue() async throws {
    try await withServer(CurlTransportConfiguration(maxConnections: 1, proxy: .none)) { _ in
      .bytesThenStall([])
    } body: { server, transport in
      let busy = Task { await failure(of: transport, server.request()) }
      try await waitUntil { server.requests.count == 1 }
      let error = await failure(of: transport, server.request(deadline: .milliseconds(100)))
      #expect(error?.code == .timedOut)
      #expect(error?.mayHaveBeenSent == false)
      busy.cancel()
      #expect(await busy.value?.code == .cancelled)
    }
  }

  @Test("The wait for a connection has a limit of its own, which a free connection never meets")
  func acquisitionTimeout() async throws {
    let configuration = CurlTransportConfiguration(maxConnections: 1, acquisitionTimeout: .milliseconds(100), proxy: .none)
    try await withServer(configuration) { request in
      request.target == "/stall" ? .bytesThenStall([]) : .answer()
    } body: { server, transport in
      for _ in 0..<20 { _ = try await transport.send(server.request(), sink: nil) }
      let busy = Task { await failure(of: transport, server.request("GET", "/stall")) }
      try await waitUntil { server.requests.count == 21 }
      let error = await failure(of: transport, server.request(deadline: .seconds(3600)))
      #expect(error?.code == .timedOut && error?.isRetryable == true && error?.mayHaveBeenSent == false)
      #expect(
        error?.message
          == "127.0.0.1:\(server.port): no free connection within 100 ms, all 1 were busy "
          + "(http-client.apache.connection-acquisition-timeout-ms, http-client.apache.max-connections)")
      // A shorter limit of the request itself counts as before.
      let late = await failure(of: transport, server.request(deadline: .milliseconds(20)))
      #expect(late?.message.hasSuffix("no free connection in time, all 1 were busy") == true)
      busy.cancel()
      #expect(await busy.value?.code == .cancelled)
    }
  }

  @Test("Cancelling the task ends the transfer and leaves the transport usable")
  func cancellation() async throws {
    try await withServer { request in
      request.target == "/stall" ? .bytesThenStall(Self.short) : .answer()
    } body: { server, transport in
      let sink = CollectingSink()
      let task = Task { await failure(of: transport, server.request("GET", "/stall"), sink: sink) }
      try await waitUntil { sink.state.bytes.count == 3 }
      task.cancel()
      #expect(await task.value?.code == .cancelled)
      let response = try await transport.send(server.request(), sink: nil)
      #expect(response.status == 200)
    }
  }

  @Test("A task cancelled before it sends gets the error at once")
  func cancelledBefore() async throws {
    try await withServer { _ in
      .bytesThenStall([])
    } body: { server, transport in
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return await failure(of: transport, server.request())
      }
      #expect(await task.value?.code == .cancelled)
    }
  }

  @Test("A refused connection says so and names host and port")
  func refused() async throws {
    let server = try LoopbackServer { _ in .answer() }
    let port = server.port
    server.stop()
    try await withServer { _ in
      .answer()
    } body: { _, transport in
      let endpoint = HTTPEndpoint(isSecure: false, host: "127.0.0.1", port: port)
      let error = await failure(of: transport, HTTPRequest(method: "GET", endpoint: endpoint, target: "/"))
      #expect(error?.code == .refused)
      #expect(error?.mayHaveBeenSent == false)
      #expect(error?.isRetryable == true)
      #expect(error?.message.hasPrefix("127.0.0.1:\(port) refused the connection: ") == true)
    }
  }

  @Test("A host that does not resolve says so")
  func notResolved() async throws {
    try await withServer { _ in
      .answer()
    } body: { _, transport in
      let endpoint = HTTPEndpoint(isSecure: true, host: "no-such-host.invalid")
      let error = await failure(of: transport, HTTPRequest(method: "GET", endpoint: endpoint, target: "/"))
      #expect(error?.code == .notResolved)
      #expect(error?.mayHaveBeenSent == false)
      #expect(error?.message.contains("no-such-host.invalid does not resolve") == true)
    }
  }

  @Test("An answer that is not HTTP is malformed")
  func notHTTP() async throws {
    try await withServer { _ in
      .bytesThenClose(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8))
    } body: { server, transport in
      #expect(await failure(of: transport, server.request())?.code == .malformed)
    }
  }

  @Test("A sink that refuses ends the transfer, at its start or in the middle", arguments: [true, false])
  func refusingSink(atStart: Bool) async throws {
    try await withServer { _ in
      .answer(body: pattern(1 << 20))
    } body: { server, transport in
      let sink = CollectingSink(refusesBegin: atStart, limit: 1000)
      let error = await failure(of: transport, server.request(), sink: sink)
      #expect(error?.code == .refusedBySink)
      #expect(error?.isRetryable == false)
    }
  }

  @Test("An answer of more than 64 MiB without a sink is too large")
  func tooLarge() async throws {
    let head = Array("HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\nx".utf8)
    try await withServer { _ in
      .bytesThenStall(head)
    } body: { server, transport in
      #expect(await failure(of: transport, server.request())?.code == .tooLarge)
    }
  }

  @Test("A request with a body is not repeated when a kept connection is closed on it")
  func noSilentRepeat() async throws {
    try await withServer { request in
      request.number == 2 ? .bytesThenClose([]) : .answer()
    } body: { server, transport in
      _ = try await transport.send(server.request(), sink: nil)
      let error = await failure(of: transport, server.request("POST", "/", body: Array("once".utf8)))
      #expect(error?.code == .reset)
      #expect(error?.mayHaveBeenSent == true)
      #expect(server.requests.filter { $0.method == "POST" }.count == 1)
    }
  }

  @Test("Shutdown ends what is running, and later requests fail at once")
  func shutdown() async throws {
    let server = try LoopbackServer { _ in .bytesThenStall([]) }
    defer { server.stop() }
    let transport = try CurlTransport(CurlTransportConfiguration(proxy: .none))
    let request = server.request()
    let running = Task { await failure(of: transport, request) }
    try await waitUntil { server.requests.count == 1 }
    transport.shutdown()
    #expect(await running.value?.code == .cancelled)
    #expect(await failure(of: transport, request)?.code == .cancelled)
  }

  /// Waits for another thread to get somewhere.
  private func waitUntil(_ condition: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while !condition() {
      guard ContinuousClock.now < end else {
        Issue.record("the condition did not come true")
        return
      }
      await Task.yield()
    }
  }
}
