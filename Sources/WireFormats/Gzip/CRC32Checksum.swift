// SPDX-License-Identifier: Apache-2.0

import CZlib

/// CRC-32 as zlib counts it: the checksum of gzip and of S3's `x-amz-checksum-crc32`.
package enum CRC32Checksum {
  /// zlib counts in 32 bits.
  private static let chunkSize = 1 << 30

  /// The checksum of all bytes.
  package static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBufferPointer { buffer in
      var crc: UInt = 0
      var rest = buffer[...]
      while !rest.isEmpty {
        let chunk = UnsafeBufferPointer(rebasing: rest.prefix(chunkSize))
        // SAFETY: zlib reads `count` bytes during the call only.
        crc = crc32(crc, chunk.baseAddress, UInt32(clamping: chunk.count))
        rest = rest.dropFirst(chunk.count)
      }
      return UInt32(truncatingIfNeeded: crc)
    }
  }
}
