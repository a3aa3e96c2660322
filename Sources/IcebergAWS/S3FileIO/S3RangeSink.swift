// SPDX-License-Identifier: Apache-2.0

import AWSServices
import HTTP
import Iceberg
import Synchronization

/// Checks what a GetObject answer says of itself, and hands on exactly the bytes that were asked for.
///
/// A 206 must start where the range starts; of a 200 (the server ignored `Range`) the bytes before it are skipped and the transfer ended
/// after it. Callbacks come one after another on the transport's thread; the sink is called with no lock held.
final class S3RangeSink: HTTPBodySink {
  private struct State {
    var wanted: Range<Int64>
    /// Place in the object of the next byte that comes.
    var position: Int64 = 0
    /// First byte that this answer will not give: end of the range or of the object. Nil while unknown.
    var end: Int64?
    /// Whether the object goes on behind what this answer gives, as far as it says.
    var hasMore = false
    var hasBegun = false
    /// Bytes of this answer handed on.
    var delivered: Int64 = 0
    var etag: String?
    var stop: Stop?
    /// The object's checksum, where the answer names one and all of the object passes here.
    var checksum: S3ObjectChecksum?
  }

  /// Why the transfer was ended from this side.
  enum Stop: Sendable, Hashable {
    /// The range is complete.
    case complete
    /// The caller's sink wants no more.
    case refused
    /// The server sent another version than the one asked for.
    case otherVersion
    /// The answer is not one to this request.
    case malformed(String)
    /// The bytes are not those that the object's checksum, in the header named, was made of.
    case damaged(String)
  }

  private let state: Mutex<State>
  private let sink: any RangeSink
  private let expectedETag: String?

  /// - Parameters:
  ///   - range: bytes of the object still wanted, not empty.
  ///   - etag: an answer for another one, or without one, is refused, also where the server ignores `If-Match`.
  init(range: Range<Int64>, etag: String?, sink: any RangeSink) {
    state = Mutex(State(wanted: range))
    self.sink = sink
    expectedETag = etag
  }

  var delivered: Int64 { state.withLock { $0.delivered } }
  var stop: Stop? { state.withLock { $0.stop } }
  var hasBegun: Bool { state.withLock { $0.hasBegun } }
  /// ETag of the answer, if it had one.
  var etag: String? { state.withLock { $0.etag } }

  /// Whether every byte came that this answer can give; an answer that does not say how long it is counts as complete at its end.
  var isComplete: Bool {
    state.withLock { $0.stop == .complete || ($0.hasBegun && ($0.end.map { [position = $0.position] in position >= $0 } ?? true)) }
  }

  /// Whether a server gave less than the range though the object has more: the rest is to be asked for.
  var hasMore: Bool { state.withLock { $0.hasMore } }

  func begin(status: Int, headers: [(name: String, value: String)]) -> Bool {
    let response = HTTPResponse(status: status, headers: headers, body: [])
    guard accept(response) else { return false }
    sink.begin(etag: response.header("ETag"))
    return true
  }

  private func accept(_ response: HTTPResponse) -> Bool {
    state.withLock { state in
      state.hasBegun = true
      state.etag = response.header("ETag")
      if let expectedETag {
        // Every S3 names the version it sends. What does not is no S3: a proxy's page, say, whose bytes are nobody's data.
        guard let etag = state.etag else {
          state.stop = .malformed("the answer does not say which version it holds (no ETag): is the endpoint an S3 service?")
          return false
        }
        guard Self.isSame(etag, expectedETag) else {
          state.stop = .otherVersion
          return false
        }
      }
      if let problem = Self.place(response, &state) {
        state.stop = .malformed(problem)
        return false
      }
      if Self.isWhole(response, state) { state.checksum = S3ObjectChecksum(response) }
      return true
    }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let part = state.withLock { state -> Range<Int>? in
      guard state.stop == nil else { return nil }
      // Before the last bytes are handed on: whoever has all of them has the right ones.
      state.checksum?.update(bytes)
      if let checksum = state.checksum, state.position + Int64(bytes.count) == state.end, !checksum.isMet() {
        state.stop = .damaged(checksum.header)
        return nil
      }
      // What lies before the range is skipped, what lies behind it cut off.
      let start = min(max(state.wanted.lowerBound - state.position, 0), Int64(bytes.count))
      let end = min(max(state.wanted.upperBound - state.position, start), Int64(bytes.count))
      return Int(start)..<Int(end)
    }
    guard let part else { return false }
    let isTaken = part.isEmpty || sink.receive(UnsafeRawBufferPointer(rebasing: bytes[part]))
    return state.withLock { state in
      guard isTaken else {
        state.stop = .refused
        return false
      }
      state.position += Int64(bytes.count)
      state.delivered += Int64(part.count)
      guard part.upperBound == bytes.count else {
        state.stop = .complete
        return false
      }
      return true
    }
  }

  /// Whether every byte of the object comes and is looked at.
  private static func isWhole(_ response: HTTPResponse, _ state: State) -> Bool {
    guard let end = state.end else { return false }
    if response.status == 206 {
      return response.header("Content-Range").flatMap { S3ContentRange($0) }?.total == end && state.position == 0
    }
    return response.header("Content-Length").flatMap { Int64($0) } == end
  }

  /// Finds out from the headers which bytes come. Returns what is wrong with them.
  private static func place(_ response: HTTPResponse, _ state: inout State) -> String? {
    let length = response.header("Content-Length").flatMap { Int64($0) }
    guard response.status == 206 else {
      state.position = 0
      state.hasMore = false
      state.end = length.map { min($0, state.wanted.upperBound) }
      return nil
    }
    guard let range = response.header("Content-Range").flatMap({ S3ContentRange($0) }) else {
      return "the answer is partial and does not say which bytes it holds"
    }
    guard range.range.lowerBound == state.wanted.lowerBound, range.range.upperBound <= state.wanted.upperBound else {
      return "the answer holds bytes \(range.range) of the object, not \(state.wanted)"
    }
    if let length, length != Int64(range.range.count) {
      return "the answer says it holds \(range.range.count) bytes and is \(length) long"
    }
    state.position = range.range.lowerBound
    state.end = range.range.upperBound
    state.hasMore = range.range.upperBound < min(range.total ?? 0, state.wanted.upperBound)
    return nil
  }

  /// Some servers leave out the quotes in one place or the other.
  private static func isSame(_ left: String, _ right: String) -> Bool {
    func bare(_ etag: String) -> Substring {
      etag.utf8.count >= 2 && etag.hasPrefix("\"") && etag.hasSuffix("\"") ? etag.dropFirst().dropLast() : Substring(etag)
    }
    return bare(left).utf8.elementsEqual(bare(right).utf8)
  }
}
