// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Configuration

@Suite("Properties files")
struct JavaPropertiesTests {
  private func pairs(_ text: String) throws -> [String] {
    try JavaProperties.parse(Array(text.utf8), path: "p").map { "\($0.key)→\($0.value)" }
  }

  @Test(
    "Keys, separators, comments and blanks follow java.util.Properties",
    arguments: [
      ("a=b\n", ["a→b"]),
      ("a = b \n", ["a→b "]),
      ("a:b\r\nc=d\re=f", ["a→b", "c→d", "e→f"]),
      ("a b c\n", ["a→b c"]),
      ("a\t=\tb\n", ["a→b"]),
      ("a==b\n", ["a→=b"]),
      ("a: =b\n", ["a→=b"]),
      ("# c\n  ! d\n\n   a=1\n", ["a→1"]),
      ("a=1 # no comment\n", ["a→1 # no comment"]),
      ("a=\n", ["a→"]),
      ("s3.endpoint=http://h:1/x?a=b\n", ["s3.endpoint→http://h:1/x?a=b"]),
      ("", []),
    ])
  func syntax(text: String, expected: [String]) throws {
    #expect(try pairs(text) == expected)
  }

  @Test(
    "Escapes and continuation lines follow java.util.Properties",
    arguments: [
      ("a=one,\\\n   two\n", ["a→one,two"]),
      ("a=one\\\\\nb=2\n", ["a→one\\", "b→2"]),
      ("a=1\\\n# still value\n", ["a→1# still value"]),
      ("a=b\\\n\nc=d\n", ["a→b", "c→d"]),
      ("a\\=b\\:c\\ d=e\n", ["a=b:c d→e"]),
      ("a=\\t\\n\\r\\f\\q\n", ["a→\t\n\r\u{0C}q"]),
      ("a=\\u00e4\\uD83D\\uDE00\n", ["a→ä😀"]),
      ("a=x\\", ["a→x"]),
    ])
  func escapes(text: String, expected: [String]) throws {
    #expect(try pairs(text) == expected)
  }

  @Test(
    "A mistake names file, line and reason",
    arguments: [
      ("a=1\nb=\\u12G4\n", "p:2: Malformed \\uxxxx encoding"),
      ("a=\\u12\n", "p:1: Malformed \\uxxxx encoding"),
      ("a=\\uD83D\n", "p:1: a \\u escape is half of a surrogate pair"),
      ("a=1\n\nwarehouse\n", "p:3: key=value is expected, and there is no \"=\""),
      ("=1\n", "p:1: there is no key before the \"=\""),
      ("a=1\\\n2\nb\n", "p:3: key=value is expected, and there is no \"=\""),
    ])
  func mistakes(text: String, message: String) {
    let error = #expect(throws: ConfigurationError.self) { try pairs(text) }
    #expect(error?.message == message)
  }

  @Test("Text that is not UTF-8 names its line")
  func notUTF8() {
    let error = #expect(throws: ConfigurationError.self) { try JavaProperties.parse([0x61, 0x3D, 0x31, 0x0A, 0xFF], path: "p") }
    #expect(error?.message == "p:2: the text is not UTF-8")
  }
}
