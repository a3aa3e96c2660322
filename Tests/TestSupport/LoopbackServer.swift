// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// A scripted HTTP/1.1 server on 127.0.0.1: threads, plain sockets, and full control of when bytes and connections end.
// SAFETY: all mutable state is in the mutex; descriptors and thread handles are written before their users start.
package final class LoopbackServer: @unchecked Sendable {
  /// A request as it came.
  package struct Request: Sendable {
    package var method: String
    /// Exactly as on the wire.
    package var target: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// Number of the connection, from 1.
    package var connection: Int
    /// Number of the request on the server, from 1.
    package var number: Int

    package func header(_ name: String) -> String? {
      headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
  }

  /// What happens after a request was read.
  package enum Reply: Sendable {
    /// These bytes; the connection stays open.
    case bytes([UInt8])
    case bytesThenClose([UInt8])
    /// These bytes, then an RST.
    case bytesThenReset([UInt8])
    /// These bytes, then nothing until the client or the server ends.
    case bytesThenStall([UInt8])

    /// A complete answer with its `Content-Length`.
    package static func answer(status: Int = 200, headers: [(String, String)] = [], body: [UInt8] = []) -> Reply {
      .bytes(LoopbackServer.answer(status: status, headers: headers, body: body))
    }
  }

  private struct State {
    var requests: [Request] = []
    var connections: [Int: Int32] = [:]
    var connectionCount = 0
    var threads: [pthread_t] = []
    var isStopping = false
  }

  package let port: Int
  private let listener: Int32
  private let handler: @Sendable (Request) -> Reply
  private let early: (@Sendable (Request) -> Reply?)?
  private let state = Mutex(State())

  /// Starts listening on a free port.
  ///
  /// - Parameter early: is given a request before its body, and may answer then. `bytes` go before the handler's; any other reply ends the
  ///   request, whose body is then what the client sends nevertheless.
  package init(_ handler: @escaping @Sendable (Request) -> Reply, early: (@Sendable (Request) -> Reply?)? = nil) throws {
    self.handler = handler
    self.early = early
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    self.listener = listener
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(listener, generic, length) == 0 && listen(listener, 128) == 0 && getsockname(listener, generic, &length) == 0
      }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    guard bound else { throw LoopbackServerError(number: errno) }
    spawn { $0.acceptConnections() }
  }

  deinit { close(listener) }

  package static func answer(status: Int = 200, headers: [(String, String)] = [], body: [UInt8] = []) -> [UInt8] {
    var head = "HTTP/1.1 \(status) X\r\nContent-Length: \(body.count)\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    return Array("\(head)\r\n".utf8) + body
  }

  package var requests: [Request] { state.withLock { $0.requests } }
  package var connectionCount: Int { state.withLock { $0.connectionCount } }

  /// Ends all connections and joins all threads.
  package func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    let threads = state.withLock { state in
      state.isStopping = true
      // Under the lock: a descriptor that its thread closes meanwhile may be another's a moment later.
      for descriptor in state.connections.values { shutdown(descriptor, Int32(SHUT_RDWR)) }
      defer { state.threads = [] }
      return state.threads
    }
    for thread in threads { pthread_join(thread, nil) }
  }

  private final class Work: Sendable {
    let server: LoopbackServer
    let body: @Sendable (LoopbackServer) -> Void

    init(_ server: LoopbackServer, _ body: @escaping @Sendable (LoopbackServer) -> Void) {
      self.server = server
      self.body = body
    }
  }

  private func spawn(_ body: @escaping @Sendable (LoopbackServer) -> Void) {
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(self, body))
    let code = pthread_create(
      &thread, nil,
      { argument in
        // SAFETY: the pointer is the reference retained above, given to this thread alone.
        if let argument {
          let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
          work.body(work.server)
        }
        return nil
      }, work.toOpaque())
    precondition(code == 0, "no thread for the test server")
    let handle = thread
    state.withLock { $0.threads.append(handle) }
  }

  private func acceptConnections() {
    while true {
      let descriptor = accept(listener, nil, nil)
      guard descriptor >= 0 else { return }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      let number = state.withLock { state -> Int? in
        if state.isStopping { return nil }
        state.connectionCount += 1
        state.connections[state.connectionCount] = descriptor
        return state.connectionCount
      }
      guard let number else {
        close(descriptor)
        return
      }
      spawn { $0.serve(descriptor, connection: number) }
    }
  }

  private func serve(_ descriptor: Int32, connection: Int) {
    var isReset = false
    defer {
      state.withLock { $0.connections[connection] = nil }
      // A program spawned at the wrong moment may hold a copy of the descriptor; the peer must see the end all the same.
      if !isReset { _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }
      close(descriptor)
    }
    var pending: [UInt8] = []
    while let request = readRequest(descriptor, connection: connection, pending: &pending) {
      switch handler(request) {
      case .bytes(let bytes):
        guard write(bytes, to: descriptor) else { return }
      case .bytesThenClose(let bytes):
        _ = write(bytes, to: descriptor)
        return
      case .bytesThenReset(let bytes):
        _ = write(bytes, to: descriptor)
        isReset = true
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        return
      case .bytesThenStall(let bytes):
        _ = write(bytes, to: descriptor)
        while !receive(descriptor).isEmpty {}
        return
      }
    }
  }

  private func readRequest(_ descriptor: Int32, connection: Int, pending: inout [UInt8]) -> Request? {
    let separator = Array("\r\n\r\n".utf8)
    var end = pending.firstRange(of: separator)
    while end == nil {
      let more = receive(descriptor)
      if more.isEmpty { return nil }
      pending += more
      end = pending.firstRange(of: separator)
    }
    guard let end else { return nil }
    let lines = String(decoding: pending[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
    let words = (lines.first ?? "").split(separator: " ").map(String.init)
    guard words.count == 3 else { return nil }
    let headers = lines.dropFirst().map { line -> (name: String, value: String) in
      let pieces = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(pieces[0]), pieces.count > 1 ? String(pieces[1].drop { $0 == " " }) : "")
    }
    pending.removeFirst(end.upperBound)
    var request = Request(method: words[0], target: words[1], headers: headers, body: [], connection: connection, number: 0)
    switch early?(request) {
    case nil: break
    case .bytes(let bytes): guard write(bytes, to: descriptor) else { return nil }
    case .bytesThenClose(let bytes), .bytesThenReset(let bytes), .bytesThenStall(let bytes):
      _ = write(bytes, to: descriptor)
      request.body = pending
      while case let more = receive(descriptor), !more.isEmpty { request.body += more }
      _ = record(request)
      return nil
    }
    let length = headers.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
    while pending.count < length {
      let more = receive(descriptor)
      if more.isEmpty { return nil }
      pending += more
    }
    request.body = Array(pending.prefix(length))
    pending.removeFirst(length)
    return record(request)
  }

  /// Gives the request its number.
  private func record(_ request: Request) -> Request {
    state.withLock { state in
      var numbered = request
      numbered.number = state.requests.count + 1
      state.requests.append(numbered)
      return numbered
    }
  }

  /// The next bytes; none at the end of the connection.
  private func receive(_ descriptor: Int32) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
      count = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
    }
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var offset = 0
    while offset < bytes.count {
      let sent = bytes.withUnsafeBytes { buffer in
        send(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset, Int32(MSG_NOSIGNAL))
      }
      if sent <= 0 { return false }
      offset += sent
    }
    return true
  }
}

/// The system refused a socket.
package struct LoopbackServerError: Error, CustomStringConvertible {
  package var number: Int32

  package init(number: Int32) {
    self.number = number
  }

  package var description: String { "no loopback server: \(String(cString: strerror(number)))" }
}
