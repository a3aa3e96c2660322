// SPDX-License-Identifier: Apache-2.0

import Iceberg

extension ConfigurationWarning {
  /// What a person should know of the properties as the sources write them, sorted by key.
  static func all(of properties: [String: ConfiguredProperty]) -> [ConfigurationWarning] {
    properties.sorted { $0.key < $1.key }.flatMap { key, entry in
      [warning(of: entry), exposure(of: entry), idleRole(entry, properties)].compactMap(\.self)
    }
  }

  /// Java's default factory knows no role: whoever names one without its factory works with rights that he did not mean.
  private static func idleRole(_ entry: ConfiguredProperty, _ properties: [String: ConfiguredProperty]) -> ConfigurationWarning? {
    guard entry.key == AwsKeys.assumeRoleArn, properties[AwsKeys.glueLakeFormationEnabled]?.value.lowercased() != "true",
      [nil, "", AwsKeys.defaultFactoryClass].contains(properties[AwsKeys.clientFactory]?.value)
    else { return nil }
    return ConfigurationWarning(
      kind: .idle, key: entry.key,
      message: "\(entry.key) (\(entry.origin)) has no effect: set \(AwsKeys.clientFactory)=\(AwsKeys.assumeRoleFactoryClass)")
  }

  private static func warning(of entry: ConfiguredProperty) -> ConfigurationWarning? {
    let key = entry.key
    if let replacement = PyIcebergKeys.removed[key] {
      return ConfigurationWarning(kind: .removed, key: key, message: "\(key) (\(entry.origin)) has no effect: write \(replacement)")
    }
    guard let definition = PropertyTable.definition(of: key) else {
      let hint = PropertyTable.nearestKnown(to: key).map { ": did you mean \($0)?" } ?? ""
      return ConfigurationWarning(kind: .unknownKey, key: key, message: "\(key) (\(entry.origin)) is not a known property\(hint)")
    }
    if entry.value.lowercased() == definition.defaultText?.lowercased() { return nil }
    switch definition.status {
    case .notApplicable(let reason):
      return ConfigurationWarning(kind: .notApplicable, key: key, message: "\(key) (\(entry.origin)) has no effect: \(reason)")
    case .honoured, .mapped: return nil
    }
  }

  private static func exposure(of entry: ConfiguredProperty) -> ConfigurationWarning? {
    guard entry.source == .commandLine, entry.isSecret, !entry.value.isEmpty else { return nil }
    return ConfigurationWarning(
      kind: .exposedSecret, key: entry.key,
      message: "\(entry.key) stands on the command line, where ps shows it: use --properties FILE, the environment or .pyiceberg.yaml")
  }
}
