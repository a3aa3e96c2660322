// SPDX-License-Identifier: Apache-2.0

import Glibc

/// One client connection, served to its end on the calling thread.
struct Connection {
  private static let largestHead = 64 << 10
  private static let largestBody = 1 << 30
  /// Body bytes between two looks at the clock on a shaped connection: 256 KiB are 3 ms at 90 MB/s.
  private static let shapedStep = 256 << 10
  /// Body bytes a `sendfile` call on a bare connection; 8 MiB cost nothing against 1 GiB in one call.
  private static let bareStep = 8 << 20

  /// What became of an answer: a peer that goes away has still taken part of the body.
  private struct Outcome {
    var bodyBytes: Int
    var isComplete: Bool
  }

  private let socket: OwnedDescriptor
  private let server: ObjectServer
  private var received: [UInt8] = []
  private var epoch: Int?

  init(socket: OwnedDescriptor, server: ObjectServer) {
    self.socket = socket
    self.server = server
  }

  /// Reads and answers requests until the peer closes or sends what cannot be read.
  mutating func serve() {
    while let head = readHead() {
      guard var request = HTTPRequest(head: head[...]) else {
        _ = send(S3Service.error(400, "BadRequest", "The request could not be parsed", []), closing: true, since: Shape.now())
        return
      }
      let since = Shape.now()
      let hasReadableBody = !request.isChunked && request.contentLength <= Connection.largestBody
      if hasReadableBody, request.contentLength > 0 {
        guard let body = readBody(request) else { return }
        request.body = body
      }
      // A body that is not taken in would be read as the next request: such a connection ends with the answer.
      let leavesBody = !hasReadableBody && (request.isChunked || request.contentLength > 0)
      let closing = request.closesConnection || leavesBody
      let outcome = answer(request, closing: closing, since: since)
      if closing || !outcome.isComplete { return }
    }
  }

  /// Answers one request, counted and logged unless it is about the server itself.
  private mutating func answer(_ request: HTTPRequest, closing: Bool, since: UInt64) -> Outcome {
    let response = server.answer(request)
    guard !response.kind.hasPrefix("__") else { return send(response, closing: closing, since: since) }
    epoch = server.statistics.started(response.kind, epoch: epoch)
    let outcome = send(response, closing: closing, since: since)
    server.statistics.finished(bytes: outcome.bodyBytes)
    let microseconds = Int((Shape.now() - since) / 1000)
    server.log?.write(request, status: response.status, bytes: outcome.bodyBytes, microseconds: microseconds)
    return outcome
  }

  /// The next request head without its empty line; nil at the end of the connection.
  private mutating func readHead() -> [UInt8]? {
    var searched = 0
    while true {
      if let end = Connection.endOfHead(received, from: max(0, searched - 3)) {
        let head = Array(received[..<end])
        received.removeFirst(end + 4)
        return head
      }
      searched = received.count
      guard received.count < Connection.largestHead, receive() else { return nil }
    }
  }

  private mutating func readBody(_ request: HTTPRequest) -> [UInt8]? {
    if request.expectsContinue, received.isEmpty, !sendAll(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), more: false) { return nil }
    let known = min(received.count, request.contentLength)
    var isComplete = true
    // Straight into its own memory: a part of an upload has tens of megabytes.
    let body = [UInt8](unsafeUninitializedCapacity: request.contentLength) { buffer, count in
      for index in 0..<known { buffer[index] = received[index] }
      count = known
      while count < request.contentLength {
        let result = recv(socket.raw, buffer.baseAddress.map { $0 + count }, request.contentLength - count, 0)
        if result < 0 && errno == EINTR { continue }
        guard result > 0 else {
          isComplete = false
          return
        }
        count += result
      }
    }
    received.removeFirst(known)
    return isComplete ? body : nil
  }

  private mutating func receive() -> Bool {
    let chunk = [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, count in
      var result = recv(socket.raw, buffer.baseAddress, buffer.count, 0)
      while result < 0 && errno == EINTR { result = recv(socket.raw, buffer.baseAddress, buffer.count, 0) }
      count = max(0, result)
    }
    received += chunk
    return !chunk.isEmpty
  }

  private static func endOfHead(_ bytes: [UInt8], from start: Int) -> Int? {
    var index = start
    while index + 3 < bytes.count {
      if bytes[index] == 13, bytes[index + 1] == 10, bytes[index + 2] == 13, bytes[index + 3] == 10 { return index }
      index += 1
    }
    return nil
  }

  private func send(_ response: HTTPResponse, closing: Bool, since: UInt64) -> Outcome {
    let shape = server.shape
    if shape.latency > 0 { Shape.wait(until: since + shape.latency) }
    let head = response.head(closing: closing)
    switch response.body {
    case .head, .none:
      return Outcome(bodyBytes: 0, isComplete: sendAll(head, more: false))
    case .bytes(let bytes):
      return sendSmall(head, bytes[...])
    case .content(.memory(let bytes), let offset, let count):
      return sendSmall(head, bytes[offset..<(offset + count)])
    case .content(.written(let body), let offset, let count):
      guard sendAll(head, more: count > 0) else { return Outcome(bodyBytes: 0, isComplete: false) }
      return sendParts(body, offset: offset, count: count)
    case .content(.file(let file), let offset, let count):
      guard sendAll(head, more: count > 0) else { return Outcome(bodyBytes: 0, isComplete: false) }
      return sendFile(file, offset: offset, count: count, shape)
    }
  }

  private func sendSmall(_ head: [UInt8], _ body: ArraySlice<UInt8>) -> Outcome {
    let isComplete = sendAll(head + body, more: false)
    return Outcome(bodyBytes: isComplete ? body.count : 0, isComplete: isComplete)
  }

  private func sendParts(_ body: WrittenObjects.Body, offset: Int, count: Int) -> Outcome {
    var start = 0
    var sent = 0
    for part in body.parts {
      let range = max(offset, start)..<max(min(offset + count, start + part.count), max(offset, start))
      if !range.isEmpty {
        guard sendAll(part[(range.lowerBound - start)..<(range.upperBound - start)], more: false) else {
          return Outcome(bodyBytes: sent, isComplete: false)
        }
        sent += range.count
      }
      start += part.count
    }
    return Outcome(bodyBytes: sent, isComplete: sent == count)
  }

  private func sendFile(_ file: OwnedDescriptor, offset: Int, count: Int, _ shape: Shape) -> Outcome {
    var position = off_t(offset)
    var rest = count
    let start = Shape.now()
    // Steps on a bare connection too: what a peer took before it went away is known only between calls.
    let step = shape.bytesPerSecond == nil ? Connection.bareStep : Connection.shapedStep
    while rest > 0 {
      let sent = sendfile(socket.raw, file.raw, &position, min(rest, step))
      if sent < 0 && errno == EINTR { continue }
      // Zero: the file became shorter than its facts; the connection must not go on as if all had come.
      guard sent > 0 else { break }
      rest -= sent
      if shape.bytesPerSecond != nil { Shape.wait(until: shape.due(sent: count - rest, start: start)) }
    }
    return Outcome(bodyBytes: count - rest, isComplete: rest == 0)
  }

  private func sendAll(_ bytes: some RandomAccessCollection<UInt8>, more: Bool) -> Bool {
    var done = 0
    let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
    while done < bytes.count {
      let sent =
        bytes.withContiguousStorageIfAvailable { Glibc.send(socket.raw, $0.baseAddress.map { $0 + done }, $0.count - done, flags) } ?? -1
      if sent < 0 && errno == EINTR { continue }
      guard sent > 0 else { return false }
      done += sent
    }
    return true
  }
}
