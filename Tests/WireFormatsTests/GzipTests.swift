// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import WireFormats

@Suite struct GzipTests {
  /// Two members written by Python's gzip: "hello, " and "glacier".
  private static let twoMembers = bytes(
    "1f8b0800000000000203cb48cdc9c9d75100009956ea11070000001f8b080000f1536502ff4bcf494cce4c2d0200791b0dc007000000")
  /// Written by `gzip -9` from a pipe.
  private static let fromTool = bytes("1f8b0800000000000203ab564acb2fca4d2cd12d4b2d2acecccf53b232aae502006811da5415000000")
  /// Written by Python's gzip with a file name and a time in the header.
  private static let named = bytes("1f8b08080500000002ff76312e6d657461646174612e6a736f6e00cb4bcc4d4d010087cce07105000000")
  private static let empty = bytes("1f8b080000000000020303000000000000000000")

  private func text(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> String {
    String(decoding: try Gzip.decompress(bytes, limit: limit), as: UTF8.self)
  }

  @Test("What other tools wrote is read: several members, names in the header, nothing at all, padding")
  func foreign() throws {
    #expect(try text(Self.twoMembers) == "hello, glacier")
    #expect(try text(Self.fromTool) == "{\"format-version\":2}\n")
    #expect(try text(Self.named) == "named")
    #expect(try text(Self.empty) == "")
    #expect(try text(Self.named + [0, 0, 0]) == "named")
  }

  @Test("Bytes compressed and decompressed are the same, and equal bytes compress equally")
  func roundTrip() throws {
    var random = SeededGenerator(seed: 7)
    for count in [0, 1, 100, 65_536, 262_144, 262_145, 1_500_000] {
      let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let packed = try Gzip.compress(noise)
      #expect(try Gzip.decompress(packed, limit: count) == noise)
      #expect(try Gzip.compress(noise) == packed)
    }
    let zeros = [UInt8](repeating: 0, count: 3_000_000)
    let packed = try Gzip.compress(zeros, level: 9)
    #expect(packed.count < 4_000)
    #expect(try Gzip.decompress(packed, limit: zeros.count) == zeros)
  }

  @Test("One byte over the limit is refused, the limit itself is not")
  func limit() throws {
    #expect(try text(Self.twoMembers, limit: 14) == "hello, glacier")
    #expect(#expect(throws: GzipError.self) { try text(Self.twoMembers, limit: 13) }?.code == .overLimit)
    let bomb = try Gzip.compress([UInt8](repeating: 0, count: 50_000_000))
    #expect(#expect(throws: GzipError.self) { try text(bomb, limit: 1_000) }?.code == .overLimit)
  }

  @Test("Data cut at any byte is truncated, from the header to the trailer")
  func truncation() throws {
    for end in 2..<Self.named.count {
      #expect(#expect(throws: GzipError.self) { try text(Array(Self.named[..<end])) }?.code == .truncated)
    }
    let large = try Gzip.compress((0..<600_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) })
    for end in stride(from: 2, to: large.count, by: 997) {
      #expect(#expect(throws: GzipError.self) { try text(Array(large[..<end])) }?.code == .truncated)
    }
  }

  @Test("A changed checksum, length or block is corrupt, and so is what follows the last member")
  func corruption() throws {
    var checksum = Self.fromTool
    checksum[checksum.count - 8] ^= 1
    #expect(#expect(throws: GzipError.self) { try text(checksum) }?.code == .corrupt)
    var length = Self.fromTool
    length[length.count - 4] ^= 1
    #expect(#expect(throws: GzipError.self) { try text(length) }?.code == .corrupt)
    var method = Self.fromTool
    method[2] = 7
    #expect(#expect(throws: GzipError.self) { try text(method) }?.code == .corrupt)
    #expect(#expect(throws: GzipError.self) { try text(Self.fromTool + [0x7B]) }?.code == .corrupt)
    #expect(#expect(throws: GzipError.self) { try text(Self.fromTool + [0, 0x7B]) }?.code == .corrupt)
    #expect(#expect(throws: GzipError.self) { try text(Self.fromTool + [0x1F, 0x8B]) }?.code == .truncated)
  }

  @Test("Anything else is not gzip", arguments: [[], [0x1F], Array("{}".utf8), [0x1F, 0x8A, 8]] as [[UInt8]])
  func notGzip(bytes: [UInt8]) {
    #expect(!Gzip.isGzip(bytes))
    #expect(#expect(throws: GzipError.self) { try text(bytes) }?.code == .notGzip)
  }

  @Test("Any changed byte gives a value or an error, never a crash")
  func mutations() {
    for index in Self.twoMembers.indices {
      for bit in 0..<8 {
        var changed = Self.twoMembers
        changed[index] ^= 1 << bit
        _ = try? Gzip.decompress(changed, limit: 1_000)
      }
    }
  }
}
