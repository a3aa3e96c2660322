// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// One request on its way: what libcurl's callbacks read and fill.
// SAFETY: `continuation` is set before the worker's mutex hands the transfer over; the rest is touched by the worker's thread only.
final class CurlTransfer: @unchecked Sendable {
  typealias Outcome = Result<HTTPResponse, HTTPError>

  /// The largest body collected in memory.
  static let collectLimit = 64 << 20

  let request: HTTPRequest
  let sink: (any HTTPBodySink)?
  let deadline: ContinuousClock.Instant
  /// Until when it may wait for a connection.
  let latestStart: ContinuousClock.Instant
  var continuation: CheckedContinuation<Outcome, Never>?

  private let cancelled = Atomic<Bool>(false)
  private var status = 0
  private var headers: [(name: String, value: String)] = []
  private var body: [UInt8] = []
  private var hasAllHeaders = false
  private var bodyOffset = 0
  /// Why a callback ended the transfer.
  private(set) var abort: HTTPError.Code?

  /// - Parameter acquisitionTimeout: of the transport.
  init(request: HTTPRequest, sink: (any HTTPBodySink)?, acquisitionTimeout: Duration?) {
    self.request = request
    self.sink = sink
    let now = ContinuousClock.now
    deadline = now + request.deadline
    latestStart = now + min(request.deadline, acquisitionTimeout ?? request.deadline)
  }

  var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

  func markCancelled() { cancelled.store(true, ordering: .releasing) }

  /// Resumes the caller, once.
  func finish(_ outcome: Outcome) {
    let waiting = continuation
    continuation = nil
    waiting?.resume(returning: outcome)
  }

  /// The answer after a complete transfer.
  var response: HTTPResponse { HTTPResponse(status: status, headers: headers, body: body) }

  private var sinkTakesBody: Bool { sink != nil && (200..<300).contains(status) }

  /// Takes one header line, the status line and the empty last one among them. False ends the transfer.
  func receiveHeader(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    var end = line.count
    while end > 0, line[end - 1] == UInt8(ascii: "\n") || line[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    let content = UnsafeBufferPointer(rebasing: line[..<end])
    if content.isEmpty { return status < 200 || hasAllHeaders || receiveEndOfHeaders() }
    if content.starts(with: "HTTP/".utf8) {
      status = Self.status(in: content)
      headers = []
      return true
    }
    // Trailers of a chunked body carry nothing that is used here.
    if hasAllHeaders { return true }
    guard let colon = content.firstIndex(of: UInt8(ascii: ":")) else { return true }
    headers.append((Self.text(content[..<colon]), Self.text(content[(colon + 1)...])))
    return true
  }

  /// Takes body bytes. False ends the transfer.
  func receiveBody(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    if sinkTakesBody, let sink {
      if sink.receive(UnsafeRawBufferPointer(bytes)) { return true }
      abort = .refusedBySink
      return false
    }
    guard bytes.count <= Self.collectLimit - body.count else {
      abort = .tooLarge
      return false
    }
    body.append(contentsOf: bytes)
    return true
  }

  /// Copies the next bytes of the request's body.
  func sendBody(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, request.body.count - bodyOffset)
    request.body.withUnsafeBytes { source in
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[bodyOffset..<bodyOffset + count]))
    }
    bodyOffset += count
    return count
  }

  /// Whether none of the request's body has gone out, so that starting over repeats nothing.
  var hasNotSentBody: Bool { bodyOffset == 0 }

  private func receiveEndOfHeaders() -> Bool {
    hasAllHeaders = true
    if sinkTakesBody {
      if sink?.begin(status: status, headers: headers) == true { return true }
      abort = .refusedBySink
      return false
    }
    if request.method != "HEAD", let length = contentLength {
      guard length <= Self.collectLimit else {
        abort = .tooLarge
        return false
      }
      body.reserveCapacity(length)
    }
    return true
  }

  private var contentLength: Int? {
    headers.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) }
  }

  private static func status(in line: UnsafeBufferPointer<UInt8>) -> Int {
    let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
    guard words.count >= 2 else { return 0 }
    return Int(String(decoding: words[1], as: UTF8.self)) ?? 0
  }

  private static func text(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String {
    var trimmed = bytes
    while let byte = trimmed.first, byte == 0x20 || byte == 0x09 { trimmed.removeFirst() }
    while let byte = trimmed.last, byte == 0x20 || byte == 0x09 { trimmed.removeLast() }
    return String(decoding: trimmed, as: UTF8.self)
  }
}
