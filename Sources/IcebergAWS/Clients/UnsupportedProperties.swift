// SPDX-License-Identifier: Apache-2.0

/// Properties that would change who signs or with which keys, and have no implementation yet: setting one is an error, since ignoring it
/// would use other rights than were asked for.
enum UnsupportedProperties {
  /// Keys that count when true.
  private static let whenTrue: [(key: String, what: String)] = [
    (S3FileIOProperties.remoteSigningKey, "remote signing")
  ]

  static func check(_ properties: [String: String]) throws(PropertyError) {
    let map = PropertyMap(properties)
    for (key, what) in whenTrue where map.bool(key, default: false) {
      throw unsupported("\(key)=true", what)
    }
    if map.bool("client.refresh-credentials-enabled", default: true), map.nonEmpty("client.refresh-credentials-endpoint") != nil {
      throw unsupported("client.refresh-credentials-endpoint", "vended credentials")
    }
  }

  private static func unsupported(_ key: String, _ what: String) -> PropertyError {
    PropertyError(key: String(key.prefix { $0 != "=" }), message: "\(key) is set: \(what) is not supported yet")
  }
}
