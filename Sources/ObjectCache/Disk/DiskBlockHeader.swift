// SPDX-License-Identifier: Apache-2.0

import CZlib

/// The first 4 KiB of a file of the disk cache: whose block it is, which chunks of it follow, and their checksums.
///
/// The chunks stand behind it at their places in the block, the others are holes. Checksums are CRC-32: what they are to find is what disks, memory and
/// crashes do, not what an attacker does, who cannot get into a directory of mode 0700; zlib is there already, and its CRC is several times as
/// fast as SHA-256. Each begins with key and place, so that chunks that changed places or files are found too. A chunk is checked each
/// time it is read, so nothing need be synced: what a crash leaves of a file either is right or is not used.
struct DiskBlockHeader: Sendable, Equatable {
  /// Bytes.
  static let length = 4096
  /// Bytes of a key; S3's longest bucket and object names leave two kilobytes for the store's own name.
  static let longestKey = length - keyOffset
  static let magic = Array("BergFS\u{1A}D".utf8)
  static let version: UInt32 = 1

  // Where the fields stand, in bytes; numbers are little-endian. The checksum of the header covers all that is behind it.
  static let versionOffset = 8
  static let checksumOffset = 12
  static let chunksOffset = 16
  static let sizeOffset = 24
  static let keyLengthOffset = 28
  static let checksumsOffset = 32
  static let keyOffset = checksumsOffset + 64 * 4

  /// The chunks that the file holds.
  var chunks: UInt64
  /// Object bytes of the whole block.
  var size: Int
  /// One for each of 64 chunks; 0 for those that are not there.
  var checksums: [UInt32]
  var key: [UInt8]

  init(key: [UInt8], size: Int) {
    self.key = key
    self.size = size
    chunks = 0
    checksums = Array(repeating: 0, count: 64)
  }

  /// Reads a header.
  ///
  /// - Returns: nil unless every bit of it is as it was written, for this key and a block of this size.
  init?(_ bytes: [UInt8], key: [UInt8], size: Int) {
    guard bytes.count == Self.length, bytes.starts(with: Self.magic), Self.number(bytes, Self.versionOffset) == Self.version,
      Self.number(bytes, Self.checksumOffset) == Self.checksum(of: bytes)
    else { return nil }
    let keyLength = Int(Self.number(bytes, Self.keyLengthOffset))
    guard keyLength == key.count, keyLength <= Self.longestKey, bytes[Self.keyOffset...].prefix(keyLength).elementsEqual(key) else {
      return nil
    }
    let chunks = UInt64(Self.number(bytes, Self.chunksOffset)) | UInt64(Self.number(bytes, Self.chunksOffset + 4)) << 32
    guard Int(Self.number(bytes, Self.sizeOffset)) == size, chunks & ~BlockGeometry.mask(0..<size) == 0 else { return nil }
    self.key = key
    self.size = size
    self.chunks = chunks
    checksums = (0..<64).map { Self.number(bytes, Self.checksumsOffset + 4 * $0) }
  }

  /// ``length`` bytes.
  var encoded: [UInt8] {
    var bytes = Self.magic
    bytes.reserveCapacity(Self.length)
    for number in [Self.version, 0, UInt32(truncatingIfNeeded: chunks), UInt32(truncatingIfNeeded: chunks >> 32), UInt32(size)] {
      Self.append(number, to: &bytes)
    }
    for number in [UInt32(key.count)] + checksums { Self.append(number, to: &bytes) }
    bytes += key
    bytes += Array(repeating: 0, count: Self.length - bytes.count)
    var checksum: [UInt8] = []
    Self.append(Self.checksum(of: bytes), to: &checksum)
    bytes.replaceSubrange(Self.checksumOffset..<Self.chunksOffset, with: checksum)
    return bytes
  }

  /// Notes a chunk that the file holds.
  mutating func add(_ chunk: Int, _ bytes: UnsafeRawBufferPointer) {
    checksums[chunk] = checksum(of: chunk, bytes)
    chunks |= 1 << UInt64(chunk)
  }

  /// Whether these are the bytes that were written as this chunk.
  func isSound(_ chunk: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    chunks & (1 << UInt64(chunk)) != 0 && checksums[chunk] == checksum(of: chunk, bytes)
  }

  /// The bytes of a chunk, counted from the start of the block.
  func range(of chunk: Int) -> Range<Int> {
    chunk * BlockGeometry.chunkSize..<min(size, (chunk + 1) * BlockGeometry.chunkSize)
  }

  private func checksum(of chunk: Int, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    let start = (key + [UInt8(chunk)]).withUnsafeBytes { Self.crc(0, $0) }
    return Self.crc(start, bytes)
  }

  private static func checksum(of bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { crc(0, UnsafeRawBufferPointer(rebasing: $0[chunksOffset...])) }
  }

  private static func crc(_ start: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32(UInt(start), bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(bytes.count)))
  }

  private static func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
    for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
  }
}
