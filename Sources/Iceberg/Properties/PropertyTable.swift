// SPDX-License-Identifier: Apache-2.0

/// The table of all configuration keys: the parser, `bergfs config` and `docs/configuration.md` are made from it.
package enum PropertyTable {
  /// One heading of the documents and the keys under it.
  package struct Section: Sendable {
    package var title: String
    package var definitions: [PropertyDefinition]
  }

  package static let sections: [Section] = [
    Section(title: "Catalog", definitions: CatalogKeys.definitions),
    Section(title: "Locks", definitions: LockKeys.definitions),
    Section(title: "Glue, DynamoDB, KMS and assumed roles", definitions: AwsKeys.definitions),
    Section(title: "Region and credentials", definitions: AwsClientKeys.definitions),
    Section(title: "Files in S3", definitions: S3FileIOKeys.definitions),
    Section(title: "HTTP client", definitions: HttpClientKeys.definitions),
    Section(title: "PyIceberg's own keys", definitions: PyIcebergKeys.definitions),
    Section(title: "REST signer and vended credentials", definitions: RESTKeys.definitions),
    Section(title: "Analytics accelerator", definitions: AnalyticsAcceleratorKeys.definitions),
    Section(title: "BergFS's own keys", definitions: MountKeys.definitions),
  ]

  /// Every row, in the order of the sections.
  package static let all: [PropertyDefinition] = sections.flatMap(\.definitions)

  private static let exact = Dictionary(all.filter { $0.prefixOf == nil }.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
  private static let prefixes = all.filter { $0.prefixOf != nil }.sorted { $0.key.utf8.count > $1.key.utf8.count }

  /// The row of a key, exact rows before prefixes and longer prefixes before shorter ones; nil for an unknown key.
  package static func definition(of key: String) -> PropertyDefinition? {
    exact[key] ?? prefixes.first { $0.covers(key) }
  }

  /// True if the value of a key must never be shown. Unknown keys are judged by their words, on the safe side.
  package static func isSecret(_ key: String) -> Bool {
    if let definition = definition(of: key) { return definition.isSecret }
    let lowered = key.lowercased()
    return secretWords.contains { lowered.contains($0) }
  }

  private static let secretWords = [
    "secret", "password", "passwd", "token", "credential", "private-key", "private_key", "access-key", "access_key",
  ]

  /// How a value may be shown: `****` for a secret, and without the password of an address that holds one.
  package static func displayValue(_ value: String, of key: String) -> String {
    if isSecret(key) { return "****" }
    let scheme = value.firstRange(of: "://")
    if isAddress(key), let at = value.lastIndex(of: "@") {
      return value[..<(scheme?.upperBound ?? value.startIndex)] + "****" + value[at...]
    }
    guard let scheme else { return value }
    let authority = value[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard let at = authority.lastIndex(of: "@") else { return value }
    return value[..<scheme.upperBound] + "****" + value[at...]
  }

  private static func isAddress(_ key: String) -> Bool {
    definition(of: key)?.type == .endpoint || key == PyIcebergKeys.s3ProxyURI
  }

  /// The known key that an unknown one was probably meant to be; nil if none is close.
  ///
  /// Compared in lower case by edit distance; at most a quarter of the letters (and two at least) may differ. A key under a
  /// prefix is compared by its leading part, and the answer carries its own last part.
  package static func nearestKnown(to key: String) -> String? {
    let lowered = key.lowercased()
    let limit = max(2, lowered.unicodeScalars.count / 4)
    var best: (key: String, distance: Int)?
    func offer(_ candidate: String, _ distance: Int?) {
      guard let distance, distance < best?.distance ?? Int.max else { return }
      best = (candidate, distance)
    }
    for definition in all {
      guard definition.prefixOf != nil else {
        offer(definition.key, EditDistance.between(lowered, definition.key, limit: limit))
        continue
      }
      let dots = definition.key.count { $0 == "." }
      let parts = key.split(separator: ".", maxSplits: dots, omittingEmptySubsequences: false)
      guard parts.count == dots + 1, let rest = parts.last, !rest.isEmpty else { continue }
      let head = parts.dropLast().map { $0 + "." }.joined()
      offer(definition.key + rest, EditDistance.between(head.lowercased(), definition.key, limit: max(1, head.count / 5)))
    }
    return best?.key
  }
}
