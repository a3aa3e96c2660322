// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WireFormats

@Suite struct JSONDocumentTests {
  private func root(_ text: String) throws -> JSONNode { try JSONDocument(parsing: Array(text.utf8)).root }

  @Test("Members and elements come in the order of the text, nested ones stay below")
  func order() throws {
    let node = try root(#" {"b": [1, [2, 3], {"x": 4}], "a": {"c": {}, "d": []}, "e": "f"} "#)
    #expect(node.kind == .object)
    #expect(node.members.map(\.key) == ["b", "a", "e"])
    #expect(node["b"]?.elements.map(\.kind) == [.number, .array, .object])
    #expect(node["b"]?.elements.compactMap { $0["x"]?.int64 } == [4])
    #expect(node["a"]?.members.map(\.key) == ["c", "d"])
    #expect(node["a"]?["d"]?.elements.map(\.kind) == [])
    #expect(node["e"]?.string == "f")
    #expect(node["c"] == nil)
  }

  @Test("Of a name that stands twice the last member wins, and both are listed")
  func duplicates() throws {
    let node = try root(#"{"a": 1, "b": 2, "\u0061": 3}"#)
    #expect(node["a"]?.int64 == 3)
    #expect(node.members.map(\.key) == ["a", "b", "a"])
  }

  @Test("Names that differ only in Unicode normalisation are different names")
  func normalisation() throws {
    let node = try root("{\"\u{E9}\": 1, \"e\u{301}\": 2}")
    #expect(node["\u{E9}"]?.int64 == 1)
    #expect(node["e\u{301}"]?.int64 == 2)
  }

  @Test("A byte range is exactly the raw text of the value")
  func byteRanges() throws {
    let document = try JSONDocument(parsing: Array(#"{ "k\n" : [ 1.50 , {"z":"é\u0041"} ] , "s":"" }"#.utf8))
    func raw(_ node: JSONNode?) -> String? { node.map { String(decoding: document.bytes[$0.byteRange], as: UTF8.self) } }
    #expect(raw(document.root) == #"{ "k\n" : [ 1.50 , {"z":"é\u0041"} ] , "s":"" }"#)
    #expect(raw(document.root["k\n"]) == #"[ 1.50 , {"z":"é\u0041"} ]"#)
    #expect(document.root["k\n"].map { $0.elements.map { raw($0) } } == ["1.50", #"{"z":"é\u0041"}"#])
    #expect(raw(document.root["s"]) == "\"\"")
  }

  @Test("Accessors of another kind give nil and empty sequences")
  func wrongKinds() throws {
    let nodes = try root(#"[null, true, 1, "1", [1], {"a": 1}]"#).elements.map { $0 }
    #expect(nodes.map(\.isNull) == [true, false, false, false, false, false])
    #expect(nodes.map(\.bool) == [nil, true, nil, nil, nil, nil])
    #expect(nodes.map(\.int64) == [nil, nil, 1, nil, nil, nil])
    #expect(nodes.map(\.double) == [nil, nil, 1, nil, nil, nil])
    #expect(nodes.map(\.string) == [nil, nil, nil, "1", nil, nil])
    #expect(nodes.map { $0.elements.map { _ in 1 }.count } == [0, 0, 0, 0, 1, 0])
    #expect(nodes.map { $0.members.map { _ in 1 }.count } == [0, 0, 0, 0, 0, 1])
    #expect(nodes.map { $0["a"]?.int64 } == [nil, nil, nil, nil, nil, 1])
  }

  @Test(
    "Integers are exact to the ends of 64 bits and nil beyond",
    arguments: [
      ("0", 0), ("-0", 0), ("9223372036854775807", .max), ("-9223372036854775808", .min), ("9223372036854775808", nil),
      ("-9223372036854775809", nil), ("3055729675574597004", 3_055_729_675_574_597_004), ("99999999999999999999999999", nil), ("1.0", nil),
      ("1e3", nil), ("-1E+2", nil),
    ] as [(String, Int64?)])
  func integers(text: String, value: Int64?) throws {
    #expect(try root(text).int64 == value)
    #expect(try root(text).numberText == text)
  }

  @Test(
    "Doubles are the nearest, and nil where none is finite",
    arguments: [("1e3", 1000), ("-0.0", -0.0), ("1e400", nil), ("-1E400", nil), ("1e-400", 0), ("0.1", 0.1), ("17", 17)]
      as [(String, Double?)])
  func doubles(text: String, value: Double?) throws {
    #expect(try root(text).double == value)
  }

  @Test("Escapes decode to what they stand for, also in names")
  func escapes() throws {
    #expect(try root(#""\"\\\/\b\f\n\r\t""#).string == "\"\\/\u{8}\u{C}\n\r\t")
    #expect(try root(#""\u00e9\u20AC\uD83D\ude00\u0000x""#).string == "é€😀\u{0}x")
    #expect(try root(#"{"\u0061\u00e9": 1}"#)["aé"]?.int64 == 1)
    #expect(try root("\"é€😀 plain text longer than eight bytes é\"").string == "é€😀 plain text longer than eight bytes é")
  }

  @Test("Every place of an eight byte word is looked at for the end of a string")
  func stringLengths() throws {
    for length in 0..<40 {
      let plain = String(repeating: "x", count: length)
      #expect(try root("[\"\(plain)\"]").elements.map(\.string) == [plain])
      #expect(try root("[\"\(plain)\\n\(plain)\"]").elements.map(\.string) == [plain + "\n" + plain])
      #expect(try root("[\"\(plain)é\(plain)\"]").elements.map(\.string) == [plain + "é" + plain])
      #expect(throws: JSONError.self) { try root("[\"\(plain)\u{1F}\(plain)\"]") }
    }
  }

  @Test("A fault names its line, its column in characters, its byte, and what is wrong")
  func places() throws {
    let text = "{\n  \"é\": 1,\n  \"ü\" 2\n}"
    let error = #expect(throws: JSONError.self) { try root(text) }
    #expect(error == JSONError(message: "expected `:` after a member name, found `2`", line: 3, column: 7, offset: 20))
    #expect(error?.description == "line 3, column 7: expected `:` after a member name, found `2`")
  }

  @Test(
    "Each kind of fault has its sentence",
    arguments: [
      ("", "the document is empty"),
      ("  ", "the document ends too early"),
      ("{\"a\":1", "the document ends too early"),
      ("[\"abc", "the document ends inside a string"),
      ("<html>", "expected a value, found `<`"),
      ("[1,]", "expected a value, found `]`"),
      ("{\"a\":1,}", "expected a member name in quotes, found `}`"),
      ("{a:1}", "expected a member name in quotes, found `a`"),
      ("{\"a\":1]", "expected `,` or `}` after a member, found `]`"),
      ("[1 2]", "expected `,` or `]` after an element, found `2`"),
      ("{} x", "expected the end of the document, found `x`"),
      ("nul ", "expected a value, found a word that is not `true`, `false` or `null`"),
      ("-x", "expected a digit, found `x`"),
      ("1.\n", "expected a digit, found the end of the line"),
      ("012", "a number has a leading zero"),
      ("[\"\t\"]", "a string holds control character 0x09 without an escape"),
      ("[\"\\x\"]", "a string holds an unknown escape, `\\` and `x`"),
      ("[\"\\u12g4\"]", "expected four hexadecimal digits after `\\u`, found `g`"),
      ("[\"\\uD800\"]", "an escape names half of a surrogate pair"),
      ("[\"\\uD800\\u0041\"]", "an escape names half of a surrogate pair"),
      ("[\"\\uDC00\"]", "an escape names half of a surrogate pair"),
      ("\u{FEFF}{}", "the document begins with a byte order mark"),
    ])
  func sentences(text: String, message: String) {
    #expect(#expect(throws: JSONError.self) { try root(text) }?.message == message)
  }

  @Test("Depth is bounded at the number given, however deep the text is")
  func depth() throws {
    let deep = { (levels: Int) in
      [UInt8](repeating: UInt8(ascii: "["), count: levels) + [UInt8](repeating: UInt8(ascii: "]"), count: levels)
    }
    _ = try JSONDocument(parsing: deep(200))
    let error = #expect(throws: JSONError.self) { try JSONDocument(parsing: deep(201)) }
    #expect(error?.message == "nested deeper than 200 levels")
    #expect(throws: JSONError.self) { try JSONDocument(parsing: [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)) }
    _ = try JSONDocument(parsing: deep(100_000), maximumDepth: 100_000)
  }
}
