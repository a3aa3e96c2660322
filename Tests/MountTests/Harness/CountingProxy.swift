// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Synchronization

/// One request that went through a ``CountingProxy``.
struct ProxiedRequest: Sendable {
  let method: String
  /// Path and query as sent.
  let target: String
  /// The operation of a JSON service (`GetTables`), or nil for S3.
  let operation: String?
  /// Lowercased names.
  let headers: [String: String]
  let body: [UInt8]

  /// What it asks for: `LIST`, a JSON operation, or the method.
  var kind: String {
    if let operation { return operation }
    return method == "GET" && target.contains("list-type=2") ? "LIST" : method
  }
}

/// A proxy between a client and the emulator that forwards bytes as they are, the Host header among them, and counts requests.
///
/// Listens on 127.0.0.1. Runs on threads of its own.
final class CountingProxy: Sendable {
  /// What becomes of a request.
  enum Verdict: Sendable {
    case forward
    /// These bytes come back in its place; the connection is closed after them.
    case answer([UInt8])
    /// The connection is reset without an answer.
    case reset
    /// The server does it; then these bytes come back in place of its answer.
    case answerAfterwards([UInt8])
    /// The server does it; then the connection is reset.
    case resetAfterwards
    /// The server does it; half of its answer comes back.
    case truncate
    /// Nothing happens until the client gives up.
    case stall
  }

  /// `http://127.0.0.1:PORT`
  let endpoint: String
  private let listener: Int32
  private let upstream: UInt16
  private let recorded = Mutex<[ProxiedRequest]>([])
  private let judge: @Sendable (ProxiedRequest) -> Verdict

  /// Starts to listen.
  ///
  /// - Parameters:
  ///   - judge: called for each request on a thread that may wait.
  init(to emulator: EmulatorWithSeed, judge: @escaping @Sendable (ProxiedRequest) -> Verdict = { _ in .forward }) throws {
    upstream = emulator.port
    self.judge = judge
    let (listener, port) = try LoopbackSocket.listen()
    self.listener = listener
    endpoint = "http://127.0.0.1:\(port)"
    let acceptAll = { @Sendable [weak self] in
      while true {
        let client = Glibc.accept(listener, nil, nil)
        if client < 0, errno == EINTR || errno == ECONNABORTED { continue }
        guard client >= 0 else {
          close(listener)
          return
        }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        guard let self else {
          close(client)
          close(listener)
          return
        }
        Thread.detachNewThread { self.serve(client) }
      }
    }
    Thread.detachNewThread(acceptAll)
  }

  deinit { stop() }

  /// Refuses new connections from now on.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
  }

  /// All requests since the start or the last ``reset()``.
  var requests: [ProxiedRequest] { recorded.withLock { $0 } }

  /// How many requests of each ``ProxiedRequest/kind`` there were.
  var counts: [String: Int] { requests.reduce(into: [:]) { $0[$1.kind, default: 0] += 1 } }

  func count(_ kind: String) -> Int { counts[kind] ?? 0 }

  /// Forgets what was counted.
  func reset() {
    recorded.withLock { $0 = [] }
  }

  private func serve(_ client: Int32) {
    defer { close(client) }
    guard let server = LoopbackSocket.connect(to: upstream) else { return }
    let answers = Thread { Self.pump(from: server, to: client) }
    answers.start()
    defer {
      shutdown(server, Int32(SHUT_RDWR))
      while !answers.isFinished { usleep(200) }
      close(server)
    }
    var reader = RequestReader(descriptor: client)
    while let (request, raw) = reader.next() {
      recorded.withLock { $0.append(request) }
      switch judge(request) {
      case .forward:
        guard LoopbackSocket.send(raw, to: server) else { return }
      case .answer(let bytes):
        _ = LoopbackSocket.send(bytes, to: client)
        return
      case .reset:
        LoopbackSocket.willReset(client)
        return
      case .answerAfterwards(let bytes):
        _ = answer(to: raw, request)
        _ = LoopbackSocket.send(bytes, to: client)
        return
      case .resetAfterwards:
        _ = answer(to: raw, request)
        LoopbackSocket.willReset(client)
        return
      case .truncate:
        let whole = answer(to: raw, request)
        _ = LoopbackSocket.send(whole.prefix(whole.count - max(whole.count / 4, 1)), to: client)
        return
      case .stall:
        var byte: UInt8 = 0
        while recv(client, &byte, 1, 0) > 0 {}
        return
      }
    }
  }

  /// The server's whole answer, by a connection of its own.
  private func answer(to raw: [UInt8], _ request: ProxiedRequest) -> [UInt8] {
    guard let server = LoopbackSocket.connect(to: upstream) else { return [] }
    defer { close(server) }
    guard LoopbackSocket.send(raw, to: server) else { return [] }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while !Self.isWhole(bytes, hasBody: request.method != "HEAD") {
      let count = recv(server, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return bytes
  }

  private static func isWhole(_ bytes: [UInt8], hasBody: Bool) -> Bool {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { return false }
    let head = String(decoding: bytes[..<end], as: UTF8.self).lowercased()
    guard hasBody, !head.hasPrefix("http/1.1 204"), !head.hasPrefix("http/1.1 304") else { return true }
    if let line = head.split(separator: "\r\n").first(where: { $0.hasPrefix("content-length:") }),
      let length = Int(line.dropFirst(15).drop { $0 == " " })
    {
      return bytes.count >= end + length
    }
    return head.contains("chunked") && bytes.suffix(5).elementsEqual("0\r\n\r\n".utf8)
  }

  private static func pump(from source: Int32, to sink: Int32) {
    var buffer = [UInt8](repeating: 0, count: 262_144)
    while true {
      let count = recv(source, &buffer, buffer.count, 0)
      guard count > 0, LoopbackSocket.send(buffer[..<count], to: sink) else { break }
    }
    shutdown(sink, Int32(SHUT_RDWR))
  }
}

/// Reads whole HTTP/1.1 requests from a connection.
private struct RequestReader {
  let descriptor: Int32
  private var pending: [UInt8] = []

  init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  /// The next request and its bytes; nil at the end of the connection.
  mutating func next() -> (ProxiedRequest, [UInt8])? {
    while true {
      if let end = pending.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound {
        let lines = String(decoding: pending[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
          guard let colon = line.firstIndex(of: ":") else { continue }
          headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while pending.count < end + length { guard fill() else { return nil } }
        let raw = Array(pending[..<(end + length)])
        pending.removeFirst(end + length)
        let operation = headers["x-amz-target"]?.split(separator: ".").last.map(String.init)
        let request = ProxiedRequest(
          method: String(words[0]), target: String(words[1]), operation: operation, headers: headers, body: Array(raw[end...]))
        return (request, raw)
      }
      guard fill() else { return nil }
    }
  }

  private mutating func fill() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return false }
    pending += buffer[..<count]
    return true
  }
}

/// TCP on 127.0.0.1.
enum LoopbackSocket {
  /// A socket that listens on a free port.
  static func listen() throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(descriptor, generic, length) == 0 && Glibc.listen(descriptor, 128) == 0 && getsockname(descriptor, generic, &length) == 0
      }
    }
    guard isBound else {
      close(descriptor)
      throw HarnessError("no socket to listen on: errno \(errno)")
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  /// Lets the close of a socket be a reset.
  static func willReset(_ descriptor: Int32) {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
  }

  static func connect(to port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = port.bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    if isConnected { return descriptor }
    close(descriptor)
    return nil
  }

  /// Sends all bytes.
  static func send(_ bytes: some Collection<UInt8>, to descriptor: Int32) -> Bool {
    let sent = bytes.withContiguousStorageIfAvailable { buffer in
      var rest = UnsafeRawBufferPointer(buffer)[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
    return sent ?? false
  }
}
