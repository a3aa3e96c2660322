// SPDX-License-Identifier: Apache-2.0

package import HTTP

/// A configured `scheme://host[:port][/base/path]`.
package struct EndpointURL: Sendable, Hashable {
  package var endpoint: HTTPEndpoint
  /// Empty or `/…` without a trailing slash.
  package var basePath: String

  /// - Parameter source: the key or variable, for the error's sentence.
  package init(_ text: String, source: String) throws(AWSError) {
    guard let schemeEnd = text.firstRange(of: "://") else {
      throw .configuration("\(source) `\(text)` has no scheme; write http://… or https://…")
    }
    let isSecure: Bool
    switch text[..<schemeEnd.lowerBound].lowercased() {
    case "https": isSecure = true
    case "http": isSecure = false
    case let scheme: throw .configuration("\(source) `\(text)` has scheme `\(scheme)`; only http and https are spoken")
    }
    let rest = text[schemeEnd.upperBound...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let path = rest.dropFirst(authority.count)
    if authority.contains("@") {
      throw .configuration("\(source) carries a user or password before `@`; an endpoint has none")
    }
    if path.contains("?") || path.contains("#") {
      throw .configuration("\(source) `\(text)` has a query or fragment; an endpoint has none")
    }
    guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw .configuration("\(source) `\(text)` has a space or another character that must be percent-encoded in its path")
    }
    let (host, port) = try Self.hostAndPort(authority, text: text, source: source)
    endpoint = HTTPEndpoint(isSecure: isSecure, host: host, port: port)
    basePath = String(path.reversed().drop { $0 == "/" }.reversed())
  }

  /// Whether the host is an IPv4 or bracketed IPv6 address.
  package var hasAddressHost: Bool {
    if endpoint.host.hasPrefix("[") { return true }
    let pieces = endpoint.host.split(separator: ".", omittingEmptySubsequences: false)
    return pieces.count == 4 && pieces.allSatisfy { UInt8($0) != nil }
  }

  private static func hostAndPort(_ authority: Substring, text: String, source: String) throws(AWSError) -> (String, Int?) {
    let host: Substring
    let tail: Substring
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      host = authority[...end]
      tail = authority[authority.index(after: end)...]
    } else {
      host = authority.prefix { $0 != ":" }
      tail = authority.dropFirst(host.count)
    }
    let isPlain = host.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
      case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"): host.hasPrefix("[")
      default: false
      }
    }
    guard !host.isEmpty, isPlain else {
      throw .configuration("\(source) `\(text)` has no usable host")
    }
    if tail.isEmpty { return (host.lowercased(), nil) }
    guard tail.hasPrefix(":"), let port = UInt16(tail.dropFirst()), port > 0 else {
      throw .configuration("\(source) `\(text)` has no usable port after its host")
    }
    return (host.lowercased(), Int(port))
  }
}

extension AWSError {
  /// A setting that cannot work: found before anything is sent.
  package static func configuration(_ message: String, operation: String = "Configuration") -> AWSError {
    AWSError(kind: .configuration, code: "Configuration", message: message, operation: operation, attempts: 0)
  }
}
