// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WireFormats

@Suite struct JSONValueTests {
  private func text(_ value: JSONValue, pretty: Bool = false) -> String {
    String(decoding: value.serialized(pretty: pretty), as: UTF8.self)
  }

  @Test("A literal is written compact, in its own order")
  func compact() {
    let value: JSONValue = ["Name": "x", "Limit": 1, "All": [true, nil, -7, [], [:]], "Ratio": .number("1.50")]
    #expect(text(value) == #"{"Name":"x","Limit":1,"All":[true,null,-7,[],{}],"Ratio":1.50}"#)
  }

  @Test("Pretty text has two spaces a level and keeps empty containers on one line")
  func pretty() {
    let value: JSONValue = ["a": [1, ["b": nil]], "c": [], "d": [:]]
    #expect(text(value, pretty: true) == "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": [],\n  \"d\": {}\n}")
  }

  @Test("Quotes, backslashes and control characters are escaped, all else is written as it is")
  func escaping() {
    #expect(text("\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}é😀") == #""\"\\/\b\f\n\r\t\u0000\u001f"# + "\u{7F}é😀\"")
  }

  @Test("A parsed value keeps number texts that are no 64-bit integers")
  func fromNodes() throws {
    let source = #"{"a":-0,"b":1.0,"c":1e400,"d":18446744073709551616,"e":9223372036854775807,"a":[null,false,"x"]}"#
    let value = JSONValue(try JSONDocument(parsing: Array(source.utf8)).root)
    #expect(text(value) == source)
    guard case .object(let members) = value else {
      Issue.record("not an object")
      return
    }
    #expect(members["e"] == .integer(.max))
    #expect(members["a"] == [nil, false, "x"])
  }

  @Test("Members are replaced in place, appended, and removed by name")
  func members() {
    var members: JSONMembers = ["a": 1, "b": 2, "a": 3]
    members["a"] = 4
    members["c"] = 5
    #expect(members == ["a": 1, "b": 2, "a": 4, "c": 5])
    members["a"] = nil
    #expect(members == ["b": 2, "c": 5])
    #expect(members != ["c": 5, "b": 2])
  }
}
