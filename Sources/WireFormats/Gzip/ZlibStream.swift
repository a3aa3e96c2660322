// SPDX-License-Identifier: Apache-2.0

import CZlib

/// One running zlib (de)compression. zlib keeps the address of its stream, so the stream stands on the heap.
struct ZlibStream: ~Copyable {
  enum Direction {
    case inflate
    /// Without any wrapper. Source: RFC 1951.
    case inflateRaw
    case deflate(level: Int32)
  }

  /// What one step has done.
  struct Step {
    var status: Int32
    /// Bytes read from the input.
    var consumed: Int
  }

  /// 15 bits of window, the most there is; 16 more select the gzip wrapper.
  private static let windowBits: Int32 = 15 + 16
  /// Bytes taken from zlib at a time: inside the second-level cache.
  private static let windowSize = 256 << 10
  /// zlib counts in 32 bits.
  private static let chunkSize = 1 << 30

  // SAFETY: owned: allocated in init, ended and freed in deinit.
  private let stream: UnsafeMutablePointer<z_stream>
  private let isInflating: Bool

  /// Nil if zlib has no memory.
  init?(_ direction: Direction) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let size = Int32(MemoryLayout<z_stream>.size)
    let status: Int32
    switch direction {
    case .inflate:
      isInflating = true
      status = inflateInit2_(stream, Self.windowBits, ZLIB_VERSION, size)
    case .inflateRaw:
      isInflating = true
      // Below zero, the window bits select data without a wrapper.
      status = inflateInit2_(stream, -15, ZLIB_VERSION, size)
    case .deflate(let level):
      isInflating = false
      status = deflateInit2_(stream, level, Z_DEFLATED, Self.windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    }
    guard status == Z_OK else { return nil }
  }

  deinit {
    // Ending a stream whose init failed is an error code, not a fault.
    if isInflating { inflateEnd(stream) } else { deflateEnd(stream) }
    stream.deallocate()
  }

  /// Runs zlib once over the input from `position` on and appends what comes out, at most 256 KiB.
  func step(over bytes: Span<UInt8>, from position: Int, appendingTo output: inout [UInt8]) -> Step {
    let end = min(position + Self.chunkSize, bytes.count)
    let flush = end == bytes.count ? Z_FINISH : Z_NO_FLUSH
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.windowSize) { window in
      bytes.withUnsafeBufferPointer { input in
        // SAFETY: zlib reads `avail_in` bytes and writes `avail_out` bytes, during the call only; it never writes through next_in.
        stream.pointee.next_in = input.baseAddress.map { UnsafeMutablePointer(mutating: $0 + position) }
        stream.pointee.avail_in = UInt32(truncatingIfNeeded: end - position)
        stream.pointee.next_out = window.baseAddress
        stream.pointee.avail_out = UInt32(truncatingIfNeeded: window.count)
        let status = isInflating ? inflate(stream, Z_NO_FLUSH) : deflate(stream, flush)
        output.append(contentsOf: UnsafeBufferPointer(rebasing: window[..<(window.count - Int(stream.pointee.avail_out))]))
        return Step(status: status, consumed: end - position - Int(stream.pointee.avail_in))
      }
    }
  }

  /// Makes an inflating stream ready for the next member.
  func reset() -> Bool {
    inflateReset(stream) == Z_OK
  }
}
