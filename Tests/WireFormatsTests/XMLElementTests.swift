// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WireFormats

@Suite struct XMLElementTests {
  private func parse(_ text: String) throws -> XMLElement { try XMLElement(parsing: Array(text.utf8)) }

  @Test("A listing of S3 is read with its namespace left out")
  func listing() throws {
    let root = try parse(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>lake</Name><IsTruncated>true</IsTruncated>
        <Contents><Key>a+b%20c</Key><Size>12</Size><ETag>&quot;0a&quot;</ETag></Contents>
        <Contents><Key>ä &amp; &lt;é&gt;&#x20;&#10;</Key><Owner xmlns:x="u"><x:ID>7</x:ID></Owner></Contents>
        <CommonPrefixes/>
      </ListBucketResult>
      """)
    #expect(root.name == "ListBucketResult")
    #expect(root["Name"]?.text == "lake")
    #expect(root.all("Contents").map { $0["Key"]?.text } == ["a+b%20c", "ä & <é> \n"])
    #expect(root.all("Contents").first?["ETag"]?.text == "\"0a\"")
    #expect(root.all("Contents").last?["Owner"]?["ID"]?.text == "7")
    #expect(root["CommonPrefixes"] == XMLElement(name: "CommonPrefixes"))
    #expect(root["Absent"] == nil)
  }

  @Test("Text is that of the element alone: CDATA and pieces are joined, comments left out, white space kept")
  func text() throws {
    let root = try parse("<a> x<![CDATA[<&>]]><!-- c -->y<b>z</b>&apos;\r\n</a>")
    #expect(root.text == " x<&>y'\n")
    #expect(root.children == [XMLElement(name: "b", text: "z")])
  }

  @Test("Other encodings arrive as UTF-8")
  func encodings() throws {
    let latin = try XMLElement(parsing: Array("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>".utf8) + [0xE9] + Array("</a>".utf8))
    #expect(latin.text == "é")
    #expect(try XMLElement(parsing: [0xEF, 0xBB, 0xBF] + Array("<a>é</a>".utf8)).text == "é")
  }

  @Test(
    "What is no XML is an error with a sentence",
    arguments: [
      ("", "no element found"), ("  ", "no element found"), ("not xml", "syntax error"), ("<a>", "no element found"),
      ("<a></b>", "mismatched tag"), ("<a/><b/>", "junk after document element"), ("<a>&nbsp;</a>", "undefined entity"),
      ("<a>&#0;</a>", "reference to invalid character number"), ("<a>&#xFFFF;</a>", "reference to invalid character number"),
      ("<a>&#xD800;</a>", "reference to invalid character number"), ("<a>\u{1}</a>", "not well-formed (invalid token)"),
      ("<a>\u{0}</a>", "not well-formed (invalid token)"), ("<a x=1/>", "not well-formed (invalid token)"),
      ("<a x='1' x='2'/>", "duplicate attribute"), ("<?xml version='1.0' encoding='EBCDIC-XX'?><a/>", "unknown encoding"),
    ])
  func faults(text: String, message: String) {
    #expect(#expect(throws: XMLError.self) { try parse(text) }?.message == message)
  }

  @Test("A fault names its line and column")
  func places() {
    let error = #expect(throws: XMLError.self) { try parse("<a>\n  <b></c>\n</a>") }
    #expect(error?.description == "line 2, column 8: mismatched tag")
  }

  @Test(
    "A document type is refused, with every expansion and every outside file",
    arguments: [
      "<!DOCTYPE html><html/>",
      "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
      "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
      "<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'><!ENTITY c '&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;'>]><a>&d;&d;&d;</a>",
    ])
  func documentTypes(text: String) {
    #expect(#expect(throws: XMLError.self) { try parse(text) }?.message == "a document type declaration is not allowed")
  }

  @Test("Depth is bounded")
  func depth() throws {
    let deep = { (levels: Int) in String(repeating: "<a>", count: levels) + String(repeating: "</a>", count: levels) }
    _ = try parse(deep(100))
    #expect(#expect(throws: XMLError.self) { try parse(deep(101)) }?.message == "elements nested deeper than 100 levels")
    #expect(throws: XMLError.self) { try parse(String(repeating: "<a>", count: 200_000)) }
  }

  @Test("A document cut at any byte or with any byte changed is a value or an error, never a crash")
  func mutations() throws {
    let bytes = Array("<?xml version=\"1.0\"?><a xmlns:p='u'><p:b c=\"d\">é&amp;<![CDATA[x]]></p:b><!-- y --></a>".utf8)
    _ = try XMLElement(parsing: bytes)
    for end in 0..<bytes.count {
      #expect(throws: XMLError.self) { try XMLElement(parsing: Array(bytes[..<end])) }
      for byte: UInt8 in [0, 0x20, 0x3C, 0x3E, 0x26, 0x3A, 0x80, 0xFF] {
        var changed = bytes
        changed[end] = byte
        _ = try? XMLElement(parsing: changed)
      }
    }
  }
}
