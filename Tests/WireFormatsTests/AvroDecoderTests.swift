// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import WireFormats

/// Going over values without decoding them, against decoding each.
@Suite struct AvroDecoderTests {
  private static func number(_ value: Int64) -> [UInt8] { AvroBytes.long(value) }

  private static let pairs = AvroSchema.array(
    .record([AvroSchema.Field(name: "k", schema: .int), AvroSchema.Field(name: "v", schema: .long)]))
  private static let schema = AvroSchema.record([
    AvroSchema.Field(name: "skipped", schema: pairs), AvroSchema.Field(name: "kept", schema: .long),
  ])

  /// What a program that asks for `kept` finds; nil if it stops.
  private func kept(_ block: [UInt8], _ schema: AvroSchema = schema) -> Int64? {
    guard let program = try? AvroProgram(schema, keeping: [[.init(0, "kept")]]) else { return nil }
    var decoder = AvroDecoder(range: block.indices)
    var record = AvroRecord(block: block, schemas: program.schemas)
    guard (try? record.read(&decoder, program, block.span)) != nil, decoder.isAtEnd else { return nil }
    return record.long(0)
  }

  @Test("Arrays of numbers of any length are gone over to the byte, several blocks and sizes of blocks too")
  func numbers() {
    var random = SeededGenerator(seed: 3)
    for round in 0..<2_000 {
      var block: [UInt8] = []
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        let count = Int.random(in: 1...20, using: &random)
        let items = (0..<count * 2).flatMap { _ in
          Self.number(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0...63, using: &random))
        }
        block += round % 3 == 0 ? Self.number(Int64(-count)) + Self.number(Int64(items.count)) : Self.number(Int64(count))
        block += items
      }
      block += [0] + Self.number(Int64(round))
      #expect(kept(block) == Int64(round))
      #expect(kept(Array(block.dropLast())) != Int64(round) || round < 64)
      for end in 0..<block.count { _ = kept(Array(block[..<end])) }
    }
  }

  @Test("A number of more than ten bytes is refused among those that are gone over, wherever it stands")
  func longNumber() {
    for before in 0..<18 {
      let numbers = Array(repeating: UInt8(2), count: before) + Array(repeating: 0xFF, count: 10) + [1]
      let block = Self.number(10) + numbers + Array(repeating: 2, count: 19 - before) + [0, 14]
      #expect(kept(block) == nil, "\(before)")
      var whole = block
      whole.remove(at: 1 + before)
      #expect(kept(whole) == 7, "\(before)")
    }
  }

  @Test("What a block's size leads beyond the end, or backwards, is refused")
  func sizes() {
    #expect(kept(Self.number(-1) + Self.number(2) + [2, 2, 0, 14]) == 7)
    #expect(kept(Self.number(-1) + Self.number(200) + [2, 2, 0, 14]) == nil)
    #expect(kept(Self.number(-1) + Self.number(-2) + [2, 2, 0, 14]) == nil)
    #expect(kept(Self.number(.max) + [2, 2, 0, 14]) == nil)
    #expect(kept(Self.number(.min) + Self.number(2) + [2, 2, 0, 14]) == nil)
  }

  @Test("Values of all types are gone over to the byte, and those kept whole are decoded")
  func types() throws {
    let inner = AvroSchema.record([
      AvroSchema.Field(name: "f", schema: .float), AvroSchema.Field(name: "d", schema: .double),
      AvroSchema.Field(name: "x", schema: .fixed(3)), AvroSchema.Field(name: "e", schema: .enumeration),
      AvroSchema.Field(name: "m", schema: .map(.union([.null, .string, .bytes]))), AvroSchema.Field(name: "b", schema: .boolean),
    ])
    let encoded: [UInt8] =
      [0, 0, 0x80, 0x3F] + [0, 0, 0, 0, 0, 0, 0xF0, 0x3F] + [1, 2, 3] + [4] + [6, 2, 0x61, 2, 2, 0x7A, 2, 0x62, 0, 2, 0x63, 4, 2, 9, 0] + [
        1
      ]
    #expect(kept(encoded + [14], .record([.init(name: "skipped", schema: inner), .init(name: "kept", schema: .long)])) == 7)
    var decoder = AvroDecoder(range: encoded.indices)
    let fields = try #require(try decoder.value(inner, encoded.span).record)
    #expect(decoder.position == encoded.count)
    #expect(
      fields.map(\.value) == [
        .float(1), .double(1), .bytes([1, 2, 3]), .long(2),
        .map([.init(key: "a", value: .string("z")), .init(key: "b", value: .null), .init(key: "c", value: .bytes([9]))]), .boolean(true),
      ])
  }
}
