// SPDX-License-Identifier: Apache-2.0

import CZstd

/// Zstandard frames. Source: RFC 8878; a window above 128 MiB is refused, as libzstd does by default.
enum Zstandard {
  /// What one step has done.
  private struct Step {
    /// An error, or 0 at the end of a frame.
    var status: Int
    /// Bytes read from the input.
    var consumed: Int
  }

  /// Bytes taken from libzstd at a time: two of its blocks.
  private static let windowSize = 256 << 10

  /// Decompresses all frames, one after the other.
  ///
  /// - Parameter limit: the most bytes that may come out.
  static func decompress(_ bytes: Span<UInt8>, limit: Int) throws(AvroError) -> [UInt8] {
    guard let context = ZSTD_createDCtx() else { throw AvroError(code: .overLimit, message: "no memory for decompression") }
    defer { ZSTD_freeDCtx(context) }
    var output: [UInt8] = []
    var position = 0
    while true {
      let before = output.count
      let step = step(context, over: bytes, from: position, appendingTo: &output)
      position += step.consumed
      guard output.count <= limit else {
        throw AvroError(code: .overLimit, message: "a block decompresses to more than \(limit) bytes")
      }
      guard ZSTD_isError(step.status) == 0 else { throw AvroError.corrupt("a compressed block") }
      if step.status == 0, position == bytes.count { return output }
      guard step.consumed > 0 || output.count > before else { throw AvroError.corrupt("a compressed block that ends too early") }
    }
  }

  /// Runs libzstd once over the input from `position` on and appends what comes out, at most 256 KiB.
  private static func step(
    _ context: OpaquePointer, over bytes: Span<UInt8>, from position: Int, appendingTo output: inout [UInt8]
  ) -> Step {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: windowSize) { window in
      bytes.withUnsafeBufferPointer { buffer in
        // SAFETY: libzstd reads `size` bytes of the one and writes `size` bytes of the other, during the call only.
        var input = ZSTD_inBuffer(src: buffer.baseAddress, size: buffer.count, pos: position)
        var result = ZSTD_outBuffer(dst: window.baseAddress, size: window.count, pos: 0)
        let status = ZSTD_decompressStream(context, &result, &input)
        output.append(contentsOf: UnsafeBufferPointer(rebasing: window[..<result.pos]))
        return Step(status: status, consumed: input.pos - position)
      }
    }
  }
}
