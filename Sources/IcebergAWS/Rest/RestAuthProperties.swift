// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Who calls REST services, as properties say. Source: spec/remote-signer.md §5.1, spec/properties.md §6.
package indirect enum RestAuthProperties: Sendable, Hashable {
  case none
  case basic(user: String, password: Secret)
  case oauth2(OAuth2Properties)
  case sigV4(RestSigV4Properties, delegate: RestAuthProperties)

  static let typeKey = "rest.auth.type"

  /// - Parameters:
  ///   - base: what `oauth2-server-uri` is relative to.
  ///   - scope: of the token where `scope` is not set.
  package init(_ map: PropertyMap, base: String?, scope: String) throws(PropertyError) {
    if map.bool("rest.sigv4-enabled", default: false) {
      self = try Self.sigV4(map, base: base, scope: scope)
    } else if let type = map.nonEmpty(Self.typeKey) {
      self = try Self.named(type, key: Self.typeKey, map, base: base, scope: scope)
    } else if map.nonEmpty("token") != nil || map.nonEmpty("credential") != nil {
      self = .oauth2(try OAuth2Properties(map, base: base, scope: scope))
    } else {
      self = .none
    }
  }

  private static func named(
    _ type: String, key: String, _ map: PropertyMap, base: String?, scope: String
  ) throws(PropertyError) -> RestAuthProperties {
    switch type.lowercased() {
    case "none": return .none
    case "basic":
      return .basic(
        user: try required("rest.auth.basic.username", "username", map),
        password: Secret(try required("rest.auth.basic.password", "password", map)))
    case "oauth2": return .oauth2(try OAuth2Properties(map, base: base, scope: scope))
    case "sigv4":
      guard key == typeKey else {
        throw PropertyError(key: key, message: "Cannot delegate a SigV4 auth manager to another SigV4 auth manager")
      }
      return try sigV4(map, base: base, scope: scope)
    default:
      throw PropertyError(key: key, message: "\(key)=\(type) is not supported here: it must be none, basic, oauth2 or sigv4")
    }
  }

  private static func sigV4(_ map: PropertyMap, base: String?, scope: String) throws(PropertyError) -> RestAuthProperties {
    let key = "rest.auth.sigv4.delegate-auth-type"
    return .sigV4(
      try RestSigV4Properties(map), delegate: try named(map.nonEmpty(key) ?? "oauth2", key: key, map, base: base, scope: scope))
  }

  private static func required(_ key: String, _ what: String, _ map: PropertyMap) throws(PropertyError) -> String {
    guard let value = map.nonEmpty(key) else {
      throw PropertyError(key: key, message: "Invalid \(what): missing required property \(key)")
    }
    return value
  }
}

/// SigV4 on REST calls. Source: spec/properties.md §2.
package struct RestSigV4Properties: Sendable, Hashable {
  package var service: String
  /// Nil for the region chain.
  package var region: String?
  /// Nil for the credentials that other services without keys of their own use.
  package var staticKeys: StaticKeys?

  init(_ map: PropertyMap) throws(PropertyError) {
    service = map.nonEmpty("rest.signing-name") ?? "execute-api"
    region = map.nonEmpty("rest.signing-region")
    staticKeys = StaticKeys(map, prefix: "rest")
    if staticKeys == nil, let key = ["rest.access-key-id", "rest.secret-access-key"].first(where: { map.nonEmpty($0) != nil }) {
      throw PropertyError(key: key, message: "rest.access-key-id and rest.secret-access-key must be set at the same time")
    }
  }
}

/// What a session of OAuth2 starts from. Source: spec/remote-signer.md §5.2 to §5.4.
package struct OAuth2Properties: Sendable, Hashable {
  /// Split at the first colon; without one all of it is the secret.
  package struct Credential: Sendable, Hashable {
    package var id: String?
    package var secret: Secret
  }

  /// Nil where nothing will ever be asked there.
  package var server: RestURL?
  package var token: Secret?
  package var credential: Credential?
  package var scope: String
  package var audience: String?
  package var resource: String?
  /// Life of a configured token that does not say when it ends; nil: for ever.
  package var tokenLifetime: Duration?
  package var isRefreshEnabled: Bool
  package var isExchangeEnabled: Bool
  /// A session that nobody used for so long starts anew.
  package var sessionTimeout: Duration

  init(_ map: PropertyMap, base: String?, scope fallback: String) throws(PropertyError) {
    token = map.nonEmpty("token").map { Secret($0) }
    credential = map.nonEmpty("credential").map(Self.credential)
    scope = map.nonEmpty("scope") ?? fallback
    guard Self.isScope(scope) else {
      throw PropertyError(key: "scope", message: "scope holds a character that OAuth2 does not allow: its words are separated by one space")
    }
    audience = map.nonEmpty("audience")
    resource = map.nonEmpty("resource")
    tokenLifetime = try map.milliseconds("token-expires-in-ms")
    isRefreshEnabled = map.bool("token-refresh-enabled", default: true)
    isExchangeEnabled = map.bool("token-exchange-enabled", default: true)
    sessionTimeout = try map.milliseconds("auth.session-timeout-ms") ?? .seconds(3600)
    let key = "oauth2-server-uri"
    let path = map.nonEmpty(key) ?? "v1/oauth/tokens"
    do throws(RestURL.Fault) {
      server = try RestURL(RestURL.resolve(path, on: path.hasPrefix("http") ? nil : base))
    } catch {
      throw PropertyError(key: key, message: "\(key) names no token service: \(error.reason)")
    }
  }

  private static func credential(_ text: String) -> Credential {
    guard let colon = text.firstIndex(of: ":") else { return Credential(id: nil, secret: Secret(trimmed(text[...]))) }
    return Credential(id: trimmed(text[..<colon]), secret: Secret(trimmed(text[text.index(after: colon)...])))
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  private static func isScope(_ scope: String) -> Bool {
    scope.utf8.split(separator: 0x20, omittingEmptySubsequences: false).allSatisfy { word in
      !word.isEmpty && word.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }
  }
}
