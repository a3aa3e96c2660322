// SPDX-License-Identifier: Apache-2.0

/// ETags in a buffer of bytes: one that is a quoted digest in hexadecimal, as S3's mostly are, takes 16 bytes instead of 34.
enum PackedETag {
  /// Stands in place of a length for the packed form.
  private static let packed: UInt16 = 1 << 14
  private static let quotedDigest = 34
  private static let quote = UInt8(ascii: "\"")

  /// Bytes that an etag will take.
  static func length(_ etag: String) -> Int {
    let count = etag.utf8.count
    return count == quotedDigest ? 16 : count
  }

  /// Appends an etag.
  ///
  /// - Returns: what ``text(_:in:at:)`` needs to read it, below 2^15.
  static func append(_ etag: String, to bytes: inout [UInt8]) -> UInt16 {
    let start = bytes.count
    if etag.utf8.count == quotedDigest, etag.utf8.first == quote, etag.utf8.last == quote {
      var high: UInt8?
      for byte in etag.utf8.dropFirst().dropLast() {
        guard let digit = digit(byte) else { break }
        if let first = high {
          bytes.append(first << 4 | digit)
          high = nil
        } else {
          high = digit
        }
      }
      if bytes.count == start + 16 { return packed }
      bytes.removeSubrange(start...)
    }
    bytes.append(contentsOf: etag.utf8.prefix(Int(packed) - 1))
    return UInt16(bytes.count - start)
  }

  /// Bytes that an appended etag takes.
  static func stored(_ length: UInt16) -> Int { length == packed ? 16 : Int(length) }

  /// The etag that was appended at a place.
  static func text(_ length: UInt16, in bytes: [UInt8], at start: Int) -> String {
    guard length == packed else { return String(decoding: bytes[start..<start + Int(length)], as: UTF8.self) }
    return String(unsafeUninitializedCapacity: quotedDigest) { buffer in
      buffer[0] = quote
      for index in 0..<16 {
        buffer[2 * index + 1] = character(bytes[start + index] >> 4)
        buffer[2 * index + 2] = character(bytes[start + index] & 15)
      }
      buffer[quotedDigest - 1] = quote
      return quotedDigest
    }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  private static func character(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
  }
}
