// SPDX-License-Identifier: Apache-2.0

import AWSCore
package import HTTP

/// An absolute `http` or `https` address with the path and query exactly as they are to be sent.
package struct RestURL: Sendable, Hashable {
  package var endpoint: HTTPEndpoint
  /// Starts with `/`; percent-encoded.
  package var target: String

  /// Why a text is no such address. It never repeats the text, which may hold a signature or a password.
  package struct Fault: Error, Sendable, Hashable {
    package var reason: String
  }

  package init(_ text: String) throws(Fault) {
    guard let scheme = text.firstRange(of: "://"), ["http", "https"].contains(text[..<scheme.lowerBound].lowercased()) else {
      throw Fault(reason: "it does not start with http:// or https://")
    }
    let rest = text[scheme.upperBound...]
    let authority = rest.utf8.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    if authority.contains(UInt8(ascii: "@")) { throw Fault(reason: "it carries a user or password before `@`") }
    let path = rest[authority.endIndex...]
    guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw Fault(reason: "its path holds a character that must be percent-encoded")
    }
    if path.utf8.contains(UInt8(ascii: "#")) { throw Fault(reason: "it has a fragment") }
    do throws(AWSError) {
      endpoint = try EndpointURL(String(text[..<authority.endIndex]), source: "").endpoint
    } catch {
      throw Fault(reason: "it has no usable host and port")
    }
    target = path.utf8.first == UInt8(ascii: "/") ? String(path) : "/\(path)"
  }

  /// Scheme, host and port, for messages.
  package var place: String { endpoint.description }

  /// A path below a base address; an address of its own stays as it is. Source: spec/remote-signer.md §2.
  ///
  /// - Parameter base: its trailing slashes count for nothing; nil where none is set.
  static func resolve(_ path: String, on base: String?) -> String {
    guard let base, !path.hasPrefix("http://"), !path.hasPrefix("https://") else { return path }
    var trimmed = base[...]
    while trimmed.hasSuffix("/") { trimmed = trimmed.dropLast() }
    return trimmed + (path.hasPrefix("/") ? "" : "/") + path
  }
}
