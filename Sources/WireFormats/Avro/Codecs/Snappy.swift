// SPDX-License-Identifier: Apache-2.0

import CSnappy

/// A raw snappy block with the checksum that Avro puts after it. Source: Avro 1.12, "snappy"; google/snappy `format_description.txt`.
enum Snappy {
  /// A copy of three bytes makes 64, which is the most that the format has; a larger claim is false and costs no memory then.
  private static let mostGrowth = 64 / 3 + 1

  /// - Parameters:
  ///   - bytes: the compressed bytes, then the big-endian CRC-32 of the plain ones.
  ///   - limit: the most bytes that may come out.
  static func decompress(_ bytes: Span<UInt8>, limit: Int) throws(AvroError) -> [UInt8] {
    let size = bytes.count - 4
    guard size > 0 else { throw AvroError.corrupt("a snappy block without a checksum") }
    var expected: UInt32 = 0
    for index in size..<bytes.count { expected = expected << 8 | UInt32(bytes[index]) }
    let plain = try unpack(bytes.extracting(..<size), limit: limit)
    guard CRC32Checksum.checksum(plain) == expected else { throw AvroError.corrupt("a snappy block with a wrong checksum") }
    return plain
  }

  private static func unpack(_ bytes: Span<UInt8>, limit: Int) throws(AvroError) -> [UInt8] {
    var count = 0
    let claim = bytes.withUnsafeBufferPointer { input in
      // SAFETY: snappy reads `count` bytes and writes the length, during the call only.
      snappy_uncompressed_length(UnsafeRawPointer(input.baseAddress)?.assumingMemoryBound(to: CChar.self), input.count, &count)
    }
    guard claim == SNAPPY_OK else { throw AvroError.corrupt("a compressed block") }
    guard count >= 0, count <= limit else {
      throw AvroError(code: .overLimit, message: "a block decompresses to more than \(limit) bytes")
    }
    guard count <= bytes.count * mostGrowth else { throw AvroError.corrupt("a compressed block") }
    var status = SNAPPY_INVALID_INPUT
    let plain = [UInt8](unsafeUninitializedCapacity: count) { output, written in
      bytes.withUnsafeBufferPointer { input in
        written = count
        // SAFETY: snappy reads `count` input bytes and writes at most `written` bytes, all of them if it succeeds; else nothing is used.
        status = snappy_uncompress(
          UnsafeRawPointer(input.baseAddress)?.assumingMemoryBound(to: CChar.self), input.count,
          UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(to: CChar.self), &written)
      }
      if status != SNAPPY_OK { written = 0 }
    }
    guard status == SNAPPY_OK, plain.count == count else { throw AvroError.corrupt("a compressed block") }
    return plain
  }
}
