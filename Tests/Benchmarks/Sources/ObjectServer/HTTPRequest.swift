// SPDX-License-Identifier: Apache-2.0

/// One parsed request: the request line, the few headers that change an answer, and the body.
package struct HTTPRequest: Sendable {
  package var method = ""
  /// The target as sent, still percent-encoded.
  package var target = ""
  /// The decoded path, from its leading slash on; the raw bytes of an object key follow the bucket.
  package var path: [UInt8] = []
  /// The decoded query in the order sent; a key without `=` has an empty value.
  package var query: [(name: String, value: [UInt8])] = []
  package var range: String?
  package var ifMatch: String?
  package var ifNoneMatch: String?
  package var amzTarget: String?
  package var copySource: String?
  /// `x-amz-meta-…`, and the type.
  package var metadata: [(name: String, value: String)] = []
  package var contentLength = 0
  package var expectsContinue = false
  package var isChunked = false
  package var closesConnection = false
  package var body: [UInt8] = []

  package init() {}

  /// The first value of a query key, or nil when the key was not sent.
  package func queryValue(_ name: String) -> [UInt8]? {
    query.first { $0.name == name }?.value
  }

  /// Parses a request head, from the method up to and without the empty line; nil when it is not HTTP/1.x.
  package init?(head: ArraySlice<UInt8>) {
    var lines = head.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).makeIterator()
    guard let line = lines.next() else { return nil }
    let words = HTTPRequest.withoutReturn(line).split(separator: UInt8(ascii: " "))
    guard words.count == 3, words[2].starts(with: Array("HTTP/1.".utf8)), words[1].first == UInt8(ascii: "/") else { return nil }
    method = String(decoding: words[0], as: UTF8.self)
    closesConnection = words[2].last == UInt8(ascii: "0")
    setTarget(words[1])
    while let header = lines.next() {
      guard let colon = header.firstIndex(of: UInt8(ascii: ":")) else { return nil }
      guard setHeader(header[..<colon], value: HTTPRequest.withoutReturn(header[(colon + 1)...])) else { return nil }
    }
  }

  private mutating func setTarget(_ bytes: ArraySlice<UInt8>) {
    target = String(decoding: bytes, as: UTF8.self)
    let mark = bytes.firstIndex(of: UInt8(ascii: "?"))
    path = PercentCoding.decode(bytes[..<(mark ?? bytes.endIndex)])
    guard let mark else { return }
    for pair in bytes[(mark + 1)...].split(separator: UInt8(ascii: "&")) {
      let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
      let value = equals < pair.endIndex ? PercentCoding.decode(pair[(equals + 1)...], plusIsSpace: true) : []
      query.append((String(decoding: PercentCoding.decode(pair[..<equals]), as: UTF8.self), value))
    }
  }

  /// Takes over a header of interest; false when its value makes the request unreadable.
  private mutating func setHeader(_ name: ArraySlice<UInt8>, value: ArraySlice<UInt8>) -> Bool {
    // Lengths are compared first: a signed request has a dozen headers and only these matter.
    switch name.count {
    case 5 where HTTPRequest.matches(name, "range"): range = HTTPRequest.text(value)
    case 6 where HTTPRequest.matches(name, "expect"): expectsContinue = HTTPRequest.text(value).lowercased() == "100-continue"
    case 8 where HTTPRequest.matches(name, "if-match"): ifMatch = HTTPRequest.text(value)
    case 10 where HTTPRequest.matches(name, "connection"):
      closesConnection = HTTPRequest.text(value).lowercased() == "close" || closesConnection
    case 12 where HTTPRequest.matches(name, "x-amz-target"): amzTarget = HTTPRequest.text(value)
    case 13 where HTTPRequest.matches(name, "if-none-match"): ifNoneMatch = HTTPRequest.text(value)
    case 14 where HTTPRequest.matches(name, "content-length"):
      guard let length = Int(HTTPRequest.text(value)), length >= 0 else { return false }
      contentLength = length
    case 17 where HTTPRequest.matches(name, "transfer-encoding"): isChunked = true
    case 17 where HTTPRequest.matches(name, "x-amz-copy-source"):
      let text = HTTPRequest.text(value)
      copySource = text.hasPrefix("/") ? String(text.dropFirst()) : text
    case 12... where HTTPRequest.matches(name.prefix(11), "x-amz-meta-"), 12 where HTTPRequest.matches(name, "content-type"):
      metadata.append((HTTPRequest.text(name), HTTPRequest.text(value)))
    default: break
    }
    return true
  }

  private static func matches(_ name: ArraySlice<UInt8>, _ lowercase: StaticString) -> Bool {
    lowercase.withUTF8Buffer { wanted in zip(name, wanted).allSatisfy { ($0 | 0x20) == $1 } }
  }

  private static func withoutReturn(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    line.last == UInt8(ascii: "\r") ? line.dropLast() : line
  }

  private static func text(_ value: ArraySlice<UInt8>) -> String {
    let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    var trimmed = value.drop(while: isBlank)
    while let last = trimmed.last, isBlank(last) { trimmed = trimmed.dropLast() }
    return String(decoding: trimmed, as: UTF8.self)
  }
}
