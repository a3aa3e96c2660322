// SPDX-License-Identifier: Apache-2.0

import Iceberg

extension CatalogConfiguration {
  /// What `bergfs config` prints: a line a property with its source, secrets masked.
  /// - Parameter includingDefaults: also the properties that nobody set and that have an exact default.
  package func listing(includingDefaults: Bool) -> String {
    var rows = configured
    if includingDefaults {
      rows += defaults
      rows.sort { $0.key < $1.key }
    }
    let lines = rows.map { (setting: "\($0.key) = \($0.displayValue)", origin: $0.origin) }
    let width = min(72, lines.map(\.setting.count).max() ?? 0)
    return lines.map { line in
      line.setting + String(repeating: " ", count: max(0, width - line.setting.count)) + "  # " + line.origin
    }.joined(separator: "\n")
  }

  /// The exact defaults of what is not set, as far as this version honours them.
  package var defaults: [ConfiguredProperty] {
    PropertyTable.all.compactMap { definition in
      guard let text = definition.defaultText, !properties.isSet(definition.key), !isAlias(definition.key) else { return nil }
      switch definition.status {
      case .notApplicable: return nil
      case .honoured, .mapped: return ConfiguredProperty(key: definition.key, value: text, source: .defaultValue)
      }
    }
  }

  private func isAlias(_ key: String) -> Bool {
    [PyIcebergKeys.s3ResolveRegion, PyIcebergKeys.s3ForceVirtualAddressing].contains(key)
  }
}
