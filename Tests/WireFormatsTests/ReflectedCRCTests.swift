// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

@Suite("CRC-32C and CRC-64/NVME")
struct ReflectedCRCTests {
  @Test("The published check values come out")
  func checkValues() {
    #expect(value(.castagnoli, Array("123456789".utf8)) == 0xE306_9283)
    #expect(value(.nvme, Array("123456789".utf8)) == 0xAE8B_1486_0A79_9888)
    // RFC 3720, appendix B.4.
    #expect(value(.castagnoli, [UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(value(.castagnoli, [UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(value(.castagnoli, Array(0..<32)) == 0x46DD_794E)
    #expect(value(.nvme, []) == 0)
  }

  @Test("It does not matter in which pieces the bytes come")
  func pieces() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 131) }
    for size in [1, 3, 8, 9, 64, 999] {
      var (c, n) = (ReflectedCRC.castagnoli, ReflectedCRC.nvme)
      for start in stride(from: 0, to: bytes.count, by: size) {
        bytes[start..<min(start + size, bytes.count)].withUnsafeBytes {
          c.update($0)
          n.update($0)
        }
      }
      #expect(c.value == value(.castagnoli, bytes) && n.value == value(.nvme, bytes))
    }
  }

  private func value(_ crc: ReflectedCRC, _ bytes: [UInt8]) -> UInt64 {
    var crc = crc
    bytes.withUnsafeBytes { crc.update($0) }
    return crc.value
  }
}
