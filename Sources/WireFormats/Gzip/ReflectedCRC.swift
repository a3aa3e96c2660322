// SPDX-License-Identifier: Apache-2.0

/// A cyclic redundancy check of 32 or 64 bits with reflected bits and all ones before and after: CRC-32C and CRC-64/NVME of S3's checksums.
///
/// Eight tables take eight bytes a step.
package struct ReflectedCRC: Sendable {
  private let tables: [UInt64]
  private let mask: UInt64
  private var register: UInt64

  private static let castagnoliTables = tables(0x82F6_3B78)
  private static let nvmeTables = tables(0x9A6C_9329_AC4B_C9B5)

  /// CRC-32C, the polynomial of Castagnoli.
  package static var castagnoli: ReflectedCRC { ReflectedCRC(tables: castagnoliTables, mask: 0xFFFF_FFFF) }
  /// CRC-64/NVME.
  package static var nvme: ReflectedCRC { ReflectedCRC(tables: nvmeTables, mask: .max) }

  private init(tables: [UInt64], mask: UInt64) {
    self.tables = tables
    self.mask = mask
    register = mask
  }

  package var value: UInt64 { register ^ mask }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var crc = register
    tables.withUnsafeBufferPointer { tables in
      var offset = 0
      while bytes.count - offset >= 8 {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ crc
        var next: UInt64 = 0
        for place in 0..<8 {
          next ^= tables[(7 - place) << 8 | Int(truncatingIfNeeded: word >> UInt64(place << 3)) & 0xFF]
        }
        crc = next
        offset += 8
      }
      while offset < bytes.count {
        crc = tables[Int(truncatingIfNeeded: crc ^ UInt64(bytes[offset])) & 0xFF] ^ (crc >> 8)
        offset += 1
      }
    }
    register = crc
  }

  private static func tables(_ polynomial: UInt64) -> [UInt64] {
    var tables = [UInt64](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      tables[byte] = (0..<8).reduce(UInt64(byte)) { crc, _ in crc & 1 == 1 ? polynomial ^ (crc >> 1) : crc >> 1 }
    }
    for table in 1..<8 {
      for byte in 0..<256 {
        let before = tables[(table - 1) << 8 | byte]
        tables[table << 8 | byte] = tables[Int(truncatingIfNeeded: before) & 0xFF] ^ (before >> 8)
      }
    }
    return tables
  }
}
