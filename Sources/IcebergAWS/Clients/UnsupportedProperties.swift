// SPDX-License-Identifier: Apache-2.0

/// Properties that would change who signs or with which keys, and have no implementation yet: setting one is an error, since ignoring it
/// would use other rights than were asked for.
enum UnsupportedProperties {
  /// Keys that count when true.
  private static let whenTrue: [(key: String, what: String)] = [
    (S3FileIOProperties.accessGrantsKey, "S3 Access Grants")
  ]

  static func check(_ properties: [String: String]) throws(PropertyError) {
    let map = PropertyMap(properties)
    for (key, what) in whenTrue where map.bool(key, default: false) {
      throw unsupported("\(key)=true", what)
    }
  }

  private static func unsupported(_ key: String, _ what: String) -> PropertyError {
    PropertyError(key: String(key.prefix { $0 != "=" }), message: "\(key) is set: \(what) is not supported yet")
  }
}
