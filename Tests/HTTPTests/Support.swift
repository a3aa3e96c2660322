// SPDX-License-Identifier: Apache-2.0

import HTTP
import Synchronization
import TestSupport

/// Starts a scripted server and a transport, and ends both.
func withServer<Result>(
  _ configuration: CurlTransportConfiguration = CurlTransportConfiguration(proxy: .none),
  handler: @escaping @Sendable (LoopbackServer.Request) -> LoopbackServer.Reply,
  body: (LoopbackServer, CurlTransport) async throws -> Result
) async throws -> Result {
  let server = try LoopbackServer(handler)
  defer { server.stop() }
  let transport = try CurlTransport(configuration)
  defer { transport.shutdown() }
  return try await body(server, transport)
}

extension LoopbackServer {
  var endpoint: HTTPEndpoint { HTTPEndpoint(isSecure: false, host: "127.0.0.1", port: port) }

  func request(
    _ method: String = "GET", _ target: String = "/", headers: [(name: String, value: String)] = [], body: [UInt8] = [],
    deadline: Duration = .seconds(20)
  ) -> HTTPRequest {
    HTTPRequest(method: method, endpoint: endpoint, target: target, headers: headers, body: body, deadline: deadline)
  }
}

/// The error a request ends with; nil when it succeeds.
func failure(of transport: CurlTransport, _ request: HTTPRequest, sink: (any HTTPBodySink)? = nil) async -> HTTPError? {
  do throws(HTTPError) {
    _ = try await transport.send(request, sink: sink)
    return nil
  } catch {
    return error
  }
}

/// Collects a body, and refuses on demand.
final class CollectingSink: HTTPBodySink {
  struct State {
    var begins = 0
    var status = 0
    var bytes: [UInt8] = []
  }

  private let locked = Mutex(State())
  var state: State { locked.withLock { $0 } }
  private let refusesBegin: Bool
  private let limit: Int

  init(refusesBegin: Bool = false, limit: Int = .max) {
    self.refusesBegin = refusesBegin
    self.limit = limit
  }

  func begin(status: Int, headers: [(name: String, value: String)]) -> Bool {
    locked.withLock {
      $0.begins += 1
      $0.status = status
    }
    return !refusesBegin
  }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    locked.withLock { state in
      state.bytes += Array(bytes)
      return state.bytes.count <= limit
    }
  }
}

/// Bytes that differ from place to place.
func pattern(_ count: Int) -> [UInt8] {
  let block = (0..<65521).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + block.count)
  while bytes.count < count { bytes += block }
  return Array(bytes.prefix(count))
}
