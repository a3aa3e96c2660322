// SPDX-License-Identifier: Apache-2.0

/// The random UUIDs that mark each write of a lock.
enum LockVersion {
  /// A UUID of version 4, as Java writes it.
  @Sendable static func random() -> String {
    var generator = SystemRandomNumberGenerator()
    let high = generator.next() & 0xffff_ffff_ffff_0fff | 0x4000
    let low = generator.next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
    let text = hex(high) + hex(low)
    let ends = [8, 12, 16, 20, 32]
    return zip([0] + ends, ends).map { String(text.dropFirst($0).prefix($1 - $0)) }.joined(separator: "-")
  }

  private static func hex(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
