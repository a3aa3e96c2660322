// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// A property that is in effect: its normalised key, its value, and who set it. Printing it masks secrets.
package struct ConfiguredProperty: Sendable, Hashable {
  /// Iceberg's own key; an alias is already translated.
  package let key: String
  /// Verbatim (booleans in lower case), secrets included: show ``displayValue`` to people.
  package let value: String
  package let source: ConfigurationSource
  /// The key as the source writes it, where it is another one.
  package let writtenAs: String?

  package init(key: String, value: String, source: ConfigurationSource, writtenAs: String? = nil) {
    self.key = key
    self.value = value
    self.source = source
    self.writtenAs = writtenAs
  }

  package var isSecret: Bool { PropertyTable.isSecret(key) }

  /// The value as people may see it.
  package var displayValue: String { PropertyTable.displayValue(value, of: key) }

  /// The source, and the key written there where it differs.
  package var origin: String { source.description + (writtenAs.map { " as \($0)" } ?? "") }
}

extension ConfiguredProperty: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "\(key)=\(displayValue) (\(origin))" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
