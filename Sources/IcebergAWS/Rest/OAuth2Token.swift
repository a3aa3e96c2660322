// SPDX-License-Identifier: Apache-2.0

import AWSCore
import HTTP
package import Telemetry
import WireFormats

/// A bearer token and when it ends.
package struct OAuth2Token: Sendable, Hashable {
  static let accessTokenType = "urn:ietf:params:oauth:token-type:access_token"
  private static let types = ["access_token", "refresh_token", "id_token", "saml1", "saml2", "jwt"]

  package var value: Secret
  /// `urn:ietf:params:oauth:token-type:…`
  package var type: String
  /// Seconds since 1970; nil for one that is not known to end.
  package var expiration: Double?
  /// When it is to be exchanged; nil for never.
  package var renewal: Double?

  /// - Parameters:
  ///   - lifetime: for a token that does not say by itself when it ends.
  ///   - now: seconds since 1970.
  init(_ value: Secret, type: String = Self.accessTokenType, lifetime: Double?, now: Double) {
    self.value = value
    self.type = type
    expiration = Self.expiration(ofJWT: value.reveal()) ?? lifetime.map { now + $0 }
    // A tenth of what remains, but not more than five minutes, before the end. Source: spec/remote-signer.md §5.4.
    renewal = expiration.map { end in max(now + 0.01, end - min(max(end - now, 0) / 10, 300)) }
  }

  /// The token of a token service's answer.
  init(_ response: HTTPResponse, service: String, operation: String, now: Double) throws(AWSError) {
    func malformed(_ reason: String) -> AWSError {
      RestError.malformed(reason, service: service, operation: operation, status: response.status)
    }
    guard let root = try? JSONDocument(parsing: response.body).root, root.kind == .object else {
      throw malformed("it is not a JSON object")
    }
    guard let value = root["access_token"]?.string, !value.isEmpty else { throw malformed("it has no access_token") }
    guard RestClientProperties.isHeader("Authorization", value) else { throw malformed("its access_token cannot stand in a header") }
    guard let kind = root["token_type"]?.string else { throw malformed("it has no token_type") }
    guard ["bearer", "n_a"].contains(kind.lowercased()) else {
      // The word may be anything, a secret that went astray among it.
      let shown = kind.utf8.count <= 20 ? kind : "one of \(kind.utf8.count) characters"
      throw malformed("Unsupported token type: \(shown) (must be \"bearer\" or \"N_A\")")
    }
    let type = root["issued_token_type"]?.string ?? Self.accessTokenType
    guard Self.types.contains(where: { type == "urn:ietf:params:oauth:token-type:\($0)" }) else {
      throw malformed("Invalid token type: \(type.prefix(80))")
    }
    let seconds = root["expires_in"]?.double.flatMap { $0.isFinite && $0 >= 0 && $0 < 1e10 ? $0 : nil }
    self.init(Secret(value), type: type, lifetime: seconds, now: now)
  }

  func isExpired(at seconds: Double) -> Bool {
    expiration.map { $0 <= seconds } ?? false
  }

  /// The claim `exp` of a token in three parts; nil where there is none to be read. Nothing is verified: that is the service's affair.
  static func expiration(ofJWT token: String) -> Double? {
    let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, parts[1].count <= 64 << 10, let claims = decoded(base64URL: parts[1]),
      let root = try? JSONDocument(parsing: claims, maximumDepth: 50).root, root.kind == .object, let seconds = root["exp"]?.double,
      seconds.isFinite, (0..<1e11).contains(seconds)
    else { return nil }
    return seconds
  }

  private static func decoded(base64URL text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for character in text where character != UInt8(ascii: "=") {
      let digit: UInt8
      switch character {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = character - UInt8(ascii: "A")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = character - UInt8(ascii: "a") + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0") + 52
      case UInt8(ascii: "-"), UInt8(ascii: "+"): digit = 62
      case UInt8(ascii: "_"), UInt8(ascii: "/"): digit = 63
      default: return nil
      }
      bits = bits << 6 | UInt32(digit)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return bytes
  }
}
