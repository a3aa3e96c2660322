// SPDX-License-Identifier: Apache-2.0

import CZlib

/// Deflate data without header and trailer. Source: RFC 1951.
enum RawDeflate {
  /// Decompresses one stream; bytes after it are ignored.
  ///
  /// - Parameter limit: the most bytes that may come out.
  static func inflate(_ bytes: Span<UInt8>, limit: Int) throws(AvroError) -> [UInt8] {
    guard let stream = ZlibStream(.inflateRaw) else { throw AvroError(code: .overLimit, message: "no memory for decompression") }
    var output: [UInt8] = []
    var position = 0
    while true {
      let before = output.count
      let step = stream.step(over: bytes, from: position, appendingTo: &output)
      position += step.consumed
      guard output.count <= limit else {
        throw AvroError(code: .overLimit, message: "a block decompresses to more than \(limit) bytes")
      }
      switch step.status {
      case Z_STREAM_END: return output
      case Z_OK where position < bytes.count || output.count > before: continue
      default: throw AvroError.corrupt("a compressed block")
      }
    }
  }
}
