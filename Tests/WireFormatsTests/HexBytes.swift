// SPDX-License-Identifier: Apache-2.0

/// The bytes of a text of hexadecimal digits.
func bytes(_ hex: String) -> [UInt8] {
  var digits = hex[...]
  var result: [UInt8] = []
  while let byte = UInt8(digits.prefix(2), radix: 16) {
    result.append(byte)
    digits = digits.dropFirst(2)
  }
  return result
}
