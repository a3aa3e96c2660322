// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import WireFormats

/// The grammar of RFC 8259, case by case, and bytes at random.
@Suite struct JSONConformanceTests {
  @Test(
    "Texts of the grammar are read",
    arguments: [
      "null", "true", "false", "0", "-0", "-1", "10", "1.5", "-0.5", "1e5", "1E5", "1e+5", "1e-5", "1.25E-7", "\"\"", "[]", "{}", " [ ] ",
      "\t{\r\n}\n",
      "[[],{},[{}]]", "{\"\":0}", "\"\u{7F}\"", "\"\\u0000\"", "\"\u{10FFFF}\"", "\"\u{FFFF}\"", "1e400", "123456789012345678901234567890",
      "\"\\ud800\\udc00\"", "\"\\uDBFF\\uDFFF\"",
    ])
  func accepted(text: String) throws {
    _ = try JSONDocument(parsing: Array(text.utf8))
  }

  @Test(
    "Texts outside the grammar are refused",
    arguments: [
      "", " ", "nul", "nulll", "True", "NaN", "Infinity", "-", "+1", ".5", "1.", "1.e5", "1e", "1e+", "01", "-01", "00", "0x10", "1_000",
      "[", "]", "{", "}", "[1",
      "[1,", "[,1]", "[1,,2]", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{1:2}", "{'a':1}", "{\"a\" 1}", "[1}", "{\"a\":1]",
      "[] []", "[1] x", "\"",
      "\"\\\"", "\"\\", "\"\\u", "\"\\u12", "\"\\u123\"", "\"\\a\"", "\"\\U0041\"", "\"\n\"", "\"\u{0}\"", "// c\n1", "/**/1", "\u{A0}1",
      "\u{C}1", "\"\\ud800x\"",
      "\"\\ud800\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud800\\", "\"\\ud800\\u", "--1", "1-", "1 000", "[\"a\" \"b\"]", "\u{2028}",
      "{\"a\":1 \"b\":2}",
    ])
  func refused(text: String) {
    #expect(throws: JSONError.self) { try JSONDocument(parsing: Array(text.utf8)) }
  }

  @Test("Ill-formed UTF-8 in a string is refused as the standard library finds it ill-formed")
  func utf8() {
    var cases: [[UInt8]] = []
    for first in UInt8(0x80)...0xFF {
      cases.append([first])
      for second: UInt8 in [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF] {
        cases.append([first, second])
        for third: UInt8 in [0x41, 0x80, 0xBF, 0xC0] {
          cases.append([first, second, third])
          cases.append([first, second, third, 0x80])
          cases.append([first, second, third, 0xBF])
        }
      }
    }
    for bytes in cases where !bytes.contains(0) {
      let isValid = String(validating: bytes, as: UTF8.self) != nil
      let document = try? JSONDocument(parsing: [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")])
      #expect((document != nil) == isValid, "\(bytes)")
      if isValid { #expect(document?.root.string.map { Array($0.utf8) } == bytes) }
    }
  }

  private static let sample = #"""
    {"format-version": 2, "é\u00e9\uD83D\uDE00": [true, false, null, -0, 1.5e-7, 9223372036854775807],
      "s": "a\n\"b\\", "o": {"x": [[], {}], "y": ""}}
    """#

  @Test("A document cut at any byte is an error, never a crash")
  func truncation() throws {
    let bytes = Array(Self.sample.utf8)
    _ = try JSONDocument(parsing: bytes)
    for end in 0..<bytes.count {
      #expect(throws: JSONError.self) { try JSONDocument(parsing: Array(bytes[..<end])) }
    }
  }

  @Test("A tape of mutated documents can be walked whole, and reads the same after being written again")
  func mutations() async throws {
    let bytes = Array(Self.sample.utf8)
    let alphabet = Array("{}[]\",:\\u0123456789abcdeE+-. \ntrfnl".utf8) + [0x00, 0x1F, 0x80, 0xBF, 0xC3, 0xE2, 0xED, 0xF0, 0xFF]
    var random = SeededGenerator(seed: 2)
    var valid = 0
    for _ in 0..<20_000 {
      // Two threads serve all tests: those beside this one shall not wait for its end.
      await Task.yield()
      let start = Int.random(in: 0..<bytes.count, using: &random)
      var text = Array(bytes[start..<min(bytes.count, start + Int.random(in: 1...60, using: &random))])
      if Bool.random(using: &random) { text = bytes }
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let index = Int.random(in: 0..<text.count, using: &random)
        let byte = alphabet.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<3, using: &random) {
        case 0: text[index] = byte
        case 1: text.insert(byte, at: index)
        default: if text.count > 1 { text.remove(at: index) }
        }
      }
      guard let document = try? JSONDocument(parsing: text) else { continue }
      valid += 1
      #expect(String(validating: text, as: UTF8.self) != nil)
      let value = JSONValue(document.root)
      #expect(JSONValue(try JSONDocument(parsing: value.serialized()).root) == value)
      #expect(JSONValue(try JSONDocument(parsing: value.serialized(pretty: true)).root) == value)
    }
    #expect(valid > 1_000, "the mutations reach valid documents too")
  }
}
