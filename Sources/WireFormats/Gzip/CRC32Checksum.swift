// SPDX-License-Identifier: Apache-2.0

import CZlib

/// CRC-32 as zlib counts it: the checksum of gzip and of S3's `x-amz-checksum-crc32`.
package enum CRC32Checksum {
  /// zlib counts in 32 bits.
  private static let chunkSize = 1 << 30

  /// The checksum of all bytes.
  package static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { update(0, $0) }
  }

  /// The checksum of what `crc` is the checksum of, and then of these bytes.
  package static func update(_ crc: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var crc = UInt(crc)
    var rest = bytes[...]
    while !rest.isEmpty {
      let chunk = UnsafeRawBufferPointer(rebasing: rest.prefix(chunkSize))
      // SAFETY: zlib reads `count` bytes during the call only.
      crc = crc32(crc, chunk.bindMemory(to: UInt8.self).baseAddress, UInt32(clamping: chunk.count))
      rest = rest.dropFirst(chunk.count)
    }
    return UInt32(truncatingIfNeeded: crc)
  }
}
