// SPDX-License-Identifier: Apache-2.0

import CZlib

/// Gzip data, whole in memory. Source: RFC 1952.
package enum Gzip {
  /// True if the bytes begin like gzip data.
  package static func isGzip(_ bytes: [UInt8]) -> Bool {
    hasHeader(bytes, at: 0)
  }

  /// Decompresses all members, one after the other. Zero bytes after the last member are padding.
  /// - Parameter limit: the most bytes that may come out; the work stops soon after more would.
  package static func decompress(_ bytes: [UInt8], limit: Int) throws(GzipError) -> [UInt8] {
    guard isGzip(bytes) else { throw GzipError(code: .notGzip, message: "the data is not gzip") }
    guard let stream = ZlibStream(.inflate) else { throw outOfMemory }
    var output: [UInt8] = []
    // Metadata shrinks by about ten; the array may grow further, and a false claim of the trailer costs nothing.
    output.reserveCapacity(min(max(limit, 0), bytes.count * 8))
    var position = 0
    while true {
      position = try inflateMember(of: bytes, from: position, stream, into: &output, limit: limit)
      if bytes[position...].allSatisfy({ $0 == 0 }) { return output }
      guard hasHeader(bytes, at: position) else {
        throw GzipError(code: .corrupt, message: "the gzip data is followed by something else")
      }
      guard stream.reset() else { throw outOfMemory }
    }
  }

  /// Compresses into one member without name and time, so that equal bytes give equal bytes.
  /// - Parameter level: 1 (fast) to 9 (small).
  package static func compress(_ bytes: [UInt8], level: Int = 6) throws(GzipError) -> [UInt8] {
    guard let stream = ZlibStream(.deflate(level: Int32(min(max(level, 1), 9)))) else { throw outOfMemory }
    var output: [UInt8] = []
    var position = 0
    while true {
      let step = stream.step(over: bytes.span, from: position, appendingTo: &output)
      position += step.consumed
      switch step.status {
      case Z_STREAM_END: return output
      case Z_OK, Z_BUF_ERROR: continue
      default: throw outOfMemory
      }
    }
  }

  /// - Returns: the position after the member.
  private static func inflateMember(
    of bytes: [UInt8], from start: Int, _ stream: borrowing ZlibStream, into output: inout [UInt8], limit: Int
  ) throws(GzipError) -> Int {
    var position = start
    while true {
      let before = output.count
      let step = stream.step(over: bytes.span, from: position, appendingTo: &output)
      position += step.consumed
      guard output.count <= limit else {
        throw GzipError(code: .overLimit, message: "the data decompresses to more than \(limit) bytes")
      }
      switch step.status {
      case Z_STREAM_END: return position
      case Z_OK where position < bytes.count || output.count > before: continue
      case Z_OK, Z_BUF_ERROR: throw GzipError(code: .truncated, message: "the gzip data ends too early")
      case Z_MEM_ERROR: throw outOfMemory
      default: throw GzipError(code: .corrupt, message: "the gzip data is corrupt")
      }
    }
  }

  private static func hasHeader(_ bytes: [UInt8], at position: Int) -> Bool {
    bytes.count - position >= 2 && bytes[position] == 0x1F && bytes[position + 1] == 0x8B
  }

  private static let outOfMemory = GzipError(code: .outOfMemory, message: "no memory for compression")
}
