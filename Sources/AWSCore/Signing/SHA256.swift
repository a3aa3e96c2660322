// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// SHA-256 and HMAC-SHA-256 of libcrypto.
package enum SHA256 {
  static let digestLength = 32

  /// Fetched once: a lookup by name for each digest costs more than the digest of a short request.
  private struct Algorithm: @unchecked Sendable {
    // SAFETY: libcrypto's algorithm objects are immutable and made for use from any thread.
    let pointer: OpaquePointer?
  }

  private static let algorithm = Algorithm(pointer: EVP_MD_fetch(nil, "SHA256", nil))

  package static func digest(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: digestLength) { output, count in
      var length: UInt32 = 0
      let isDone = bytes.withUnsafeBytes { EVP_Digest($0.baseAddress, $0.count, output.baseAddress, &length, algorithm.pointer, nil) == 1 }
      precondition(isDone, "libcrypto has no SHA-256")
      count = Int(length)
    }
  }

  static func hmac(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: digestLength) { output, count in
      var length: UInt32 = 0
      let isDone = message.withUnsafeBufferPointer { text in
        HMAC(algorithm.pointer, key, Int32(clamping: key.count), text.baseAddress, text.count, output.baseAddress, &length) != nil
      }
      precondition(isDone, "libcrypto has no HMAC-SHA-256")
      count = Int(length)
    }
  }

  /// Lower-case hex.
  static func hex(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return text
  }

  /// Lower-case hex, as text.
  package static func hexText(_ bytes: [UInt8]) -> String {
    String(decoding: hex(bytes), as: UTF8.self)
  }

  static func hexDigest(_ bytes: [UInt8]) -> String {
    bytes.isEmpty ? emptyHexDigest : String(decoding: hex(digest(bytes)), as: UTF8.self)
  }

  static let emptyHexDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
}
