// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WireFormats

@Suite struct JSONEditsTests {
  private func edited(_ text: String, _ edit: (JSONNode, inout JSONEdits) -> Void) throws -> String {
    let document = try JSONDocument(parsing: Array(text.utf8))
    var edits = JSONEdits()
    edit(document.root, &edits)
    return String(decoding: edits.applied(to: document.bytes), as: UTF8.self)
  }

  @Test("Replacing a value keeps all other bytes")
  func replace() throws {
    let text = "{ \"a\" : 1.50,\r\n\t\"b\":[ 9007199254740993 ] , \"a\\u0062\": null}"
    let result = try edited(text) { root, edits in
      if let node = root["ab"] { edits.replace(node, with: ["x": true]) }
      if let node = root["a"] { edits.replace(node, with: 2) }
    }
    #expect(result == "{ \"a\" : 2,\r\n\t\"b\":[ 9007199254740993 ] , \"a\\u0062\": {\"x\":true}}")
  }

  @Test("A member is added after the last one, also to an empty object")
  func append() throws {
    #expect(try edited("{ \"a\":1 }") { $1.append(member: "é\"", Array("2".utf8), to: $0) } == "{ \"a\":1,\"é\\\"\":2 }")
    #expect(try edited("{ }") { $1.append(member: "b", Array("2".utf8), to: $0) } == "{\"b\":2 }")
    #expect(try edited("[1]") { $1.append(member: "b", Array("2".utf8), to: $0) } == "[1]")
  }

  @Test(
    "An array drops its first elements and gets one more, set off as its neighbours are",
    arguments: [
      ("[1,2,3]", 1, "[2,3,9]"), ("[ 1 ,\n 2 ]", 0, "[ 1 ,\n 2 ,\n 9 ]"), ("[\n  1\n]", 0, "[\n  1,\n  9\n]"), ("[]", 0, "[9]"),
      ("[]", 3, "[9]"),
      ("[1, 2]", 2, "[9]"), ("[1, 2]", 7, "[9]"), ("[1, 2]", 1, "[2, 9]"),
    ])
  func rotate(text: String, dropped: Int, result: String) throws {
    #expect(try edited(text) { $1.rotate($0, droppingFirst: dropped, appending: Array("9".utf8)) } == result)
  }

  @Test("Values are the same whatever their layout, and differ by what they say")
  func comparison() throws {
    func node(_ text: String) throws -> JSONNode { try JSONDocument(parsing: Array(text.utf8)).root }
    func same(_ left: String, _ right: String, _ numbers: JSONNode.NumberComparison = .exact) throws -> Bool {
      let (left, right) = (try node(left), try node(right))
      let result = left.isSameValue(as: right, numbers: numbers)
      #expect(result == right.isSameValue(as: left, numbers: numbers))
      if result { #expect(left.roundedFingerprint == right.roundedFingerprint) }
      return result
    }
    #expect(try same("{\"a\":1,\"b\":[true,null]}", "{ \"b\" : [true , null], \"\\u0061\":1 }"))
    #expect(try same("{\"a\":1,\"a\":2}", "{\"a\":2}"))
    #expect(try same("1.50", "1.5"))
    #expect(try same("{\"a\":1}", "{\"a\":1,\"b\":1}") == false)
    #expect(try same("{\"a\":1,\"a\":2}", "{\"a\":2,\"b\":1}") == false)
    #expect(try same("[1]", "[1,2]") == false)
    #expect(try same("9007199254740993", "9007199254740992") == false)
    #expect(try same("9007199254740993", "9007199254740992", .rounded))
    #expect(try same("\"é\"", "\"e\u{301}\"") == false)
    #expect(try same("5e+18", "5000000000000000000", .rounded))
    let many = (0..<200).map { "\"k\($0)\":\($0)" }
    #expect(try same("{\(many.joined(separator: ","))}", "{\(many.reversed().joined(separator: ","))}"))
  }
}
