// SPDX-License-Identifier: Apache-2.0

import HTTP
import TestSupport
import Testing

@Suite("Requests that ask before they send their body", .timeLimit(.minutes(1)))
struct ExpectContinueTests {
  private static let body = pattern(256 << 10)
  private static let asking = [(name: "Expect", value: "100-continue")]

  /// Sends one request with a body to a server that speaks before the body, or does not; gives answer, time, and what the server got.
  private func send(
    asks: Bool, early: @escaping @Sendable (LoopbackServer.Request) -> LoopbackServer.Reply?
  ) async throws -> (answer: HTTPResponse, time: Duration, got: [LoopbackServer.Request]) {
    let server = try LoopbackServer({ _ in .answer(body: Array("taken".utf8)) }, early: early)
    defer { server.stop() }
    let transport = try CurlTransport(CurlTransportConfiguration(proxy: .none))
    defer { transport.shutdown() }
    let start = ContinuousClock.now
    let answer = try await transport.send(server.request("PUT", headers: asks ? Self.asking : [], body: Self.body), sink: nil)
    let time = ContinuousClock.now - start
    transport.shutdown()
    server.stop()
    return (answer, time, server.requests)
  }

  @Test(
    "A request that is refused before its body keeps the body to itself, one that does not ask has begun with it", arguments: [403, 503])
  func refused(status: Int) async throws {
    let refusal = LoopbackServer.answer(status: status, body: Array("<Error/>".utf8))
    for asks in [true, false] {
      let (answer, _, got) = try await send(asks: asks) { _ in .bytesThenClose(refusal) }
      #expect(answer.status == status && answer.body == Array("<Error/>".utf8))
      #expect(got.count == 1)
      #expect(got.first?.header("expect") == (asks ? "100-continue" : nil))
      #expect((got.first?.body.isEmpty == true) == asks)
    }
  }

  @Test("The body goes out after the server's word, or after a second without one, and the last answer counts", arguments: [true, false])
  func accepted(isAnswered: Bool) async throws {
    let word = LoopbackServer.Reply.bytes(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    let (answer, time, got) = try await send(asks: true) { _ in isAnswered ? word : nil }
    #expect(answer.status == 200 && answer.body == Array("taken".utf8))
    #expect(got.count == 1 && got.first?.body == Self.body)
    if !isAnswered { #expect(time >= .milliseconds(900)) }
  }
}
