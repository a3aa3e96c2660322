// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Testing

/// Thirty-two bytes that tell test names apart; the tree only asks its digest to be one.
let testDigest: @Sendable ([UInt8]) -> [UInt8] = { bytes in
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  return (0..<32).map { UInt8(truncatingIfNeeded: hash >> (UInt64($0 % 8) * 8)) }
}

@Suite("Entry names")
struct NameCodecTests {
  let codec = NameCodec(digest: testDigest)

  @Test(
    "A name is shown as it is unless it could not be told from an encoded one",
    arguments: [
      ("orders", "orders"), ("year=2024", "year=2024"), ("a b", "a b"), ("100%", "100%25"), ("100%zz", "100%zz"), ("a%41b", "a%2541b"),
      ("50%~x", "50%25~x"), ("%", "%25"), (".", "%2E"), ("..", "%2E%2E"), ("...", "..."), ("", "%"), ("a/b", "a%2Fb"), ("a\0b", "a%00b"),
      ("a/b%c", "a%2Fb%25c"), ("ключ", "ключ"), ("line\nbreak", "line\nbreak"), ("a+b", "a+b"), (".hidden", ".hidden"),
    ])
  func shown(name: String, entry: String) {
    #expect(codec.encode(name) == EntryName(entry))
    #expect(codec.decode(EntryName(entry)) == .name(name, isSecond: false))
  }

  @Test("An entry that lost its plain form has a trailing percent sign and decodes to its name")
  func second() {
    #expect(codec.encode("a", isSecond: true) == EntryName("a%"))
    #expect(codec.decode(EntryName("a%")) == .name("a", isSecond: true))
    #expect(codec.encode("", isSecond: true) == EntryName("%%"))
    #expect(codec.decode(EntryName("%%")) == .name("", isSecond: true))
    #expect(codec.encode("50%", isSecond: true) == EntryName("50%25%"))
    #expect(codec.decode(EntryName("50%25%")) == .name("50%", isSecond: true))
  }

  @Test("A name over 255 bytes is cut at 200 and told by its digest")
  func long() {
    let name = String(repeating: "x", count: 300)
    let shown = codec.encode(name)
    #expect(shown.bytes.count == 218)
    #expect(shown.description.hasPrefix(String(repeating: "x", count: 200) + "%~"))
    #expect(codec.decode(shown) == .digest(isSecond: false))
    #expect(codec.encode(String(repeating: "y", count: 255)).bytes.count == 255)
    #expect(codec.encode(String(repeating: "y", count: 255), isSecond: true).bytes.count == 219)
    #expect(codec.encode(String(repeating: "x", count: 300) + "1") != codec.encode(String(repeating: "x", count: 300) + "2"))
  }

  @Test("What no name encodes to is impossible", arguments: ["a%2Eb", "%41", "%2e", "a%2Fb%", "%2E%2E%2E", "a%%b%41"])
  func impossible(entry: String) {
    let decoded = codec.decode(EntryName(entry))
    if case .name(let name, let isSecond) = decoded {
      #expect(codec.encode(name, isSecond: isSecond) == EntryName(entry))
    } else {
      #expect(decoded == .impossible)
    }
  }

  @Test("A byte sequence that is no UTF-8 is no name")
  func notUnicode() {
    #expect(codec.decode(EntryName([0xff, 0xfe])) == .impossible)
  }

  @Test("Every name decodes to itself, fits in 255 bytes, and never climbs out of its directory")
  func roundTrip() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("%%%~~aAfF019./\0é.%2".unicodeScalars)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...12, using: &generator)
      let name = String(String.UnicodeScalarView((0..<count).compactMap { _ in alphabet.randomElement(using: &generator) }))
      for isSecond in [false, true] {
        let shown = codec.encode(name, isSecond: isSecond)
        #expect(!shown.bytes.isEmpty && shown.bytes.count <= 255)
        #expect(!shown.bytes.contains(UInt8(ascii: "/")) && !shown.bytes.contains(0))
        #expect(shown != EntryName(".") && shown != EntryName(".."))
        let decoded = codec.decode(shown)
        guard case .name(let back, isSecond) = decoded else {
          Issue.record("\(name.debugDescription) came back as \(decoded)")
          continue
        }
        #expect(back.utf8.elementsEqual(name.utf8))
      }
    }
  }
}
