// SPDX-License-Identifier: Apache-2.0

/// Percent-encoding as AWS counts it: upper-case hex, `A-Za-z0-9-_.~` kept (spec: clients.md §8, s3fileio.md §11).
package enum PercentEncoding {
  /// Encodes an object key or path: `/` is kept as well. Once; what looks encoded is encoded again.
  package static func path(_ text: String) -> String {
    encode(text, keepingSlash: true)
  }

  /// Encodes a name or value of a query, space as `%20`.
  package static func query(_ text: String) -> String {
    encode(text, keepingSlash: false)
  }

  /// Decodes `%XX`; a `%` without two hex digits stays. Bytes that are not UTF-8 become U+FFFD.
  ///
  /// - Parameter plusIsSpace: whether `+` is a space, as some servers write keys with `encoding-type=url`.
  package static func decode(_ text: String, plusIsSpace: Bool = false) -> String {
    let bytes = Array(text.utf8)
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "%"), index + 2 < bytes.count, let high = nibble(bytes[index + 1]), let low = nibble(bytes[index + 2]) {
        decoded.append(high << 4 | low)
        index += 3
        continue
      }
      decoded.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      index += 1
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  /// Appends the encoded form of `bytes`.
  static func append(_ bytes: some Sequence<UInt8>, keepingSlash: Bool, to output: inout [UInt8]) {
    for byte in bytes {
      if isUnreserved(byte) || (keepingSlash && byte == UInt8(ascii: "/")) {
        output.append(byte)
      } else {
        output.append(UInt8(ascii: "%"))
        output.append(digit(byte >> 4))
        output.append(digit(byte & 15))
      }
    }
  }

  private static func encode(_ text: String, keepingSlash: Bool) -> String {
    if text.utf8.allSatisfy({ isUnreserved($0) || (keepingSlash && $0 == UInt8(ascii: "/")) }) { return text }
    var encoded: [UInt8] = []
    encoded.reserveCapacity(text.utf8.count + 16)
    append(text.utf8, keepingSlash: keepingSlash, to: &encoded)
    return String(decoding: encoded, as: UTF8.self)
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  private static func digit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") + nibble - 10
  }

  private static func nibble(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
