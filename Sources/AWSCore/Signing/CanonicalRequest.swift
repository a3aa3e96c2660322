// SPDX-License-Identifier: Apache-2.0

package import HTTP

/// The text a SigV4 signature covers (spec: clients.md §8 step 2).
package struct CanonicalRequest: Sendable {
  package private(set) var bytes: [UInt8] = []
  /// Signed header names joined by `;`.
  package private(set) var signedHeaders = ""

  private static let newline = UInt8(ascii: "\n")

  /// Never signed: proxies and libcurl may add or change them.
  private static let unsignedHeaders: Set<String> = [
    "authorization", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id",
  ]

  /// - Parameter keepsPath: S3: the path as sent; others: dot segments and double slashes removed, then encoded once more.
  package init(_ request: HTTPRequest, keepsPath: Bool, payloadHash: String) {
    bytes.reserveCapacity(1024)
    bytes += request.method.utf8
    bytes.append(Self.newline)
    let target = request.target.utf8
    let question = target.firstIndex(of: UInt8(ascii: "?"))
    appendPath(target[..<(question ?? target.endIndex)], isKept: keepsPath)
    bytes.append(Self.newline)
    if let question { appendQuery(target[target.index(after: question)...]) }
    bytes.append(Self.newline)
    appendHeaders(request)
    bytes.append(Self.newline)
    bytes += signedHeaders.utf8
    bytes.append(Self.newline)
    bytes += payloadHash.utf8
  }

  private mutating func appendPath(_ path: Substring.UTF8View, isKept: Bool) {
    if path.isEmpty {
      bytes.append(UInt8(ascii: "/"))
    } else if isKept {
      bytes += path
    } else {
      appendNormalized(path)
    }
  }

  private mutating func appendNormalized(_ path: Substring.UTF8View) {
    let slash = UInt8(ascii: "/")
    var segments: [Substring.UTF8View] = []
    for segment in path.split(separator: slash) {
      if segment.elementsEqual("..".utf8) {
        _ = segments.popLast()
      } else if !segment.elementsEqual(".".utf8) {
        segments.append(segment)
      }
    }
    bytes.append(slash)
    for (index, segment) in segments.enumerated() {
      if index > 0 { bytes.append(slash) }
      PercentEncoding.append(segment, keepingSlash: true, to: &bytes)
    }
    if path.last == slash, !segments.isEmpty { bytes.append(slash) }
  }

  /// The pairs are encoded already; they are sorted as bytes, by name and then by value.
  private mutating func appendQuery(_ query: Substring.UTF8View) {
    let equals = UInt8(ascii: "=")
    let pairs = query.split(separator: UInt8(ascii: "&")).map { pair in
      let end = pair.firstIndex(of: equals) ?? pair.endIndex
      return (name: pair[..<end], value: end == pair.endIndex ? pair[end...] : pair[pair.index(after: end)...])
    }
    let sorted = pairs.sorted { left, right in
      if left.name.elementsEqual(right.name) { return left.value.lexicographicallyPrecedes(right.value) }
      return left.name.lexicographicallyPrecedes(right.name)
    }
    for (index, pair) in sorted.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: "&")) }
      bytes += pair.name
      bytes.append(equals)
      bytes += pair.value
    }
  }

  private mutating func appendHeaders(_ request: HTTPRequest) {
    var headers: [(name: String, value: String, order: Int)] = [("host", request.endpoint.authority, 0)]
    for (index, header) in request.headers.enumerated() {
      let name = header.name.lowercased()
      if name != "host", !Self.unsignedHeaders.contains(name) { headers.append((name, header.value, index + 1)) }
    }
    headers.sort { $0.name == $1.name ? $0.order < $1.order : $0.name < $1.name }
    var previous: String?
    for (name, value, _) in headers {
      if name == previous {
        bytes.append(UInt8(ascii: ","))
      } else {
        if previous != nil { bytes.append(Self.newline) }
        bytes += name.utf8
        bytes.append(UInt8(ascii: ":"))
        signedHeaders += signedHeaders.isEmpty ? name : ";\(name)"
        previous = name
      }
      appendTrimmed(value)
    }
    bytes.append(Self.newline)
  }

  /// White space removed at both ends and made one space inside.
  private mutating func appendTrimmed(_ value: String) {
    var isFirst = true
    for word in value.utf8.split(whereSeparator: { $0 == 0x20 || (0x09...0x0D).contains($0) }) {
      if !isFirst { bytes.append(0x20) }
      bytes += word
      isFirst = false
    }
  }
}
