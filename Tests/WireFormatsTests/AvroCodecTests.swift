// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import WireFormats

/// Blocks as other tools compress them: pyarrow's snappy, python-zstandard, Python's zlib.
@Suite struct AvroCodecTests {
  private static let record: [UInt8] = [3, 2, 2, 0x6B] + Array(repeating: 0, count: 10) + [0, 2, 4, 0x68, 0x69, 1, 2, 1]
  private static let plain = (0..<40).flatMap { _ in record }
  private static let snappy = bytes(
    "f006100302026b0019011802046869010201fe1600fe1600fe1600fe1600fe1600fe1600fe1600fe1600fe1600fe1600fe1600fe1600fe1600661600a06f5793")
  private static let zstandard = bytes("28b52ffd607002ad0000600302026b00020468690102010200577356b3012d")
  /// A frame that does not say how long its content is: the first 460 bytes.
  private static let unsized = bytes("28b52ffd0058ad0000600302026b00020468690102010200b33995818116")
  private static let deflate = bytes("636662ca66400026968c4c462646e651d151d151511a880200")

  private func code(_ codec: AvroCodec, _ block: [UInt8], limit: Int = 1 << 20) -> AvroError.Code? {
    do throws(AvroError) {
      _ = try codec.decompress(block.span, limit: limit)
      return nil
    } catch {
      return error.code
    }
  }

  @Test("Each codec gives the bytes that another tool compressed")
  func foreign() throws {
    #expect(try AvroCodec.null.decompress(Self.plain.span, limit: 1 << 20) == Self.plain)
    #expect(try AvroCodec.deflate.decompress(Self.deflate.span, limit: 1 << 20) == Self.plain)
    #expect(try AvroCodec.snappy.decompress(Self.snappy.span, limit: 1 << 20) == Self.plain)
    #expect(try AvroCodec.zstandard.decompress(Self.zstandard.span, limit: 1 << 20) == Self.plain)
    #expect(try AvroCodec.zstandard.decompress(Self.unsized.span, limit: 1 << 20) == Array(Self.plain.prefix(460)))
    #expect(try AvroCodec.zstandard.decompress((Self.zstandard + Self.unsized).span, limit: 1 << 20).count == Self.plain.count + 460)
  }

  @Test("One byte over the limit is refused, the limit itself is not", arguments: [AvroCodec.deflate, .snappy, .zstandard])
  func limit(codec: AvroCodec) {
    let block = [AvroCodec.deflate: Self.deflate, .snappy: Self.snappy, .zstandard: Self.zstandard][codec] ?? []
    #expect(code(codec, block, limit: Self.plain.count) == nil)
    #expect(code(codec, block, limit: Self.plain.count - 1) == .overLimit)
  }

  @Test("A snappy block without or with a wrong checksum is corrupt, and so is one whose claim the format cannot make true")
  func snappyFaults() {
    for index in Self.snappy.indices.suffix(4) {
      var block = Self.snappy
      block[index] ^= 1
      #expect(code(.snappy, block) == .corrupt)
    }
    #expect(code(.snappy, Array(Self.snappy.dropLast(4))) == .corrupt)
    #expect(code(.snappy, [0, 0, 0, 0]) == .corrupt)
    // 200 MiB out of nine bytes.
    #expect(code(.snappy, [0x80, 0x80, 0x80, 0x64, 0, 0, 0, 0, 0], limit: 256 << 20) == .corrupt)
  }

  @Test("Blocks cut or changed anywhere are refused or read, and never trap", arguments: [AvroCodec.deflate, .snappy, .zstandard])
  func fuzz(codec: AvroCodec) {
    let block = [AvroCodec.deflate: Self.deflate, .snappy: Self.snappy, .zstandard: Self.zstandard][codec] ?? []
    for end in 0..<block.count { #expect(code(codec, Array(block[..<end])) == .corrupt, "\(end)") }
    var random = SeededGenerator(seed: 11)
    for _ in 0..<4_000 {
      var changed = block
      for _ in 0..<3 { changed[Int.random(in: changed.indices, using: &random)] = .random(in: 0...255, using: &random) }
      _ = code(codec, changed)
    }
  }
}
