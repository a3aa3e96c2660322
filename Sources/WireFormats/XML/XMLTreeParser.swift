// SPDX-License-Identifier: Apache-2.0

import CExpat

/// Builds the tree of an XML document from expat's events. Lives for one parse, on one thread.
final class XMLTreeParser {
  /// Answers of S3 and STS nest less than ten levels.
  private static let maximumDepth = 100
  /// expat takes lengths as 32-bit integers.
  private static let chunkSize = 1 << 30

  private let parser: XML_Parser
  private var open: [XMLElement] = []
  private var root: XMLElement?
  /// Why the handlers stopped the parser.
  private var refusal: String?

  static func parse(_ bytes: [UInt8]) throws(XMLError) -> XMLElement {
    guard let parser = XML_ParserCreate(nil) else {
      throw XMLError(message: "no memory for the XML parser", line: 1, column: 1)
    }
    defer { XML_ParserFree(parser) }
    let tree = XMLTreeParser(parser: parser)
    try withExtendedLifetime(tree) { () throws(XMLError) in try tree.run(bytes) }
    guard let root = tree.root else { throw tree.error("the document has no element") }
    return root
  }

  private init(parser: XML_Parser) {
    self.parser = parser
  }

  private func run(_ bytes: [UInt8]) throws(XMLError) {
    // SAFETY: unretained, since `parse` keeps the tree alive until the parser is freed.
    XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
    XML_SetElementHandler(
      parser,
      { user, name, _ in XMLTreeParser.of(user)?.start(name) },
      { user, _ in XMLTreeParser.of(user)?.end() })
    XML_SetCharacterDataHandler(parser) { user, text, count in XMLTreeParser.of(user)?.characters(text, Int(count)) }
    XML_SetStartDoctypeDeclHandler(parser) { user, _, _, _, _ in
      XMLTreeParser.of(user)?.refuse("a document type declaration is not allowed")
    }
    var start = 0
    repeat {
      let end = min(start + Self.chunkSize, bytes.count)
      let status = bytes.withUnsafeBytes { buffer in
        // SAFETY: expat reads `end - start` bytes inside the buffer, during the call only; an empty array gives a null base and length 0.
        let chunk = buffer.baseAddress.map { ($0 + start).assumingMemoryBound(to: CChar.self) }
        return XML_Parse(parser, chunk, Int32(end - start), end == bytes.count ? 1 : 0)
      }
      guard status == XML_STATUS_OK else { throw error(refusal ?? Self.message(of: XML_GetErrorCode(parser))) }
      start = end
    } while start < bytes.count
  }

  // MARK: Events

  private static func of(_ user: UnsafeMutableRawPointer?) -> XMLTreeParser? {
    // SAFETY: the pointer is the one `run` set; the object outlives the parser.
    user.map { Unmanaged<XMLTreeParser>.fromOpaque($0).takeUnretainedValue() }
  }

  private func start(_ name: UnsafePointer<CChar>?) {
    guard refusal == nil, let name else { return }
    guard open.count < Self.maximumDepth else { return refuse("elements nested deeper than \(Self.maximumDepth) levels") }
    // SAFETY: expat gives a NUL-terminated UTF-8 name, valid during the call.
    let qualified = String(cString: name)
    let local = qualified.utf8.lastIndex(of: UInt8(ascii: ":")).map { String(qualified[qualified.utf8.index(after: $0)...]) }
    open.append(XMLElement(name: local ?? qualified))
  }

  private func end() {
    guard refusal == nil, let element = open.popLast() else { return }
    if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
  }

  private func characters(_ text: UnsafePointer<CChar>?, _ count: Int) {
    guard refusal == nil, let text, !open.isEmpty else { return }
    // SAFETY: expat gives `count` bytes of UTF-8, valid during the call, never splitting a character.
    let bytes = UnsafeRawBufferPointer(start: text, count: count)
    open[open.count - 1].text.append(String(decoding: bytes, as: UTF8.self))
  }

  private func refuse(_ message: String) {
    guard refusal == nil else { return }
    refusal = message
    _ = XML_StopParser(parser, 0)
  }

  // MARK: Errors

  private func error(_ message: String) -> XMLError {
    XMLError(
      message: message,
      line: max(1, Int(clamping: XML_GetCurrentLineNumber(parser))),
      column: Int(clamping: XML_GetCurrentColumnNumber(parser)) + 1)
  }

  private static func message(of code: XML_Error) -> String {
    // SAFETY: expat gives a static C string or null.
    XML_ErrorString(code).map { String(cString: $0) } ?? "XML error \(code.rawValue)"
  }
}
