// SPDX-License-Identifier: Apache-2.0

/// A property's value is refused: names key, value (masked where secret), where it came from, and why.
package struct PropertyValueError: Error, Sendable, Hashable, CustomStringConvertible {
  package var key: String
  /// As shown to people: `****` for secrets.
  package var displayValue: String
  /// Where the value came from, as `--property` or `/etc/lake.properties:3`; nil if unknown.
  package var source: String?
  /// Why, without a full stop.
  package var reason: String

  package init(key: String, value: String, source: String?, reason: String) {
    self.key = key
    self.displayValue = PropertyTable.displayValue(value, of: key)
    self.source = source
    self.reason = reason
  }

  package var description: String {
    "\(key)=\(displayValue)" + (source.map { " (\($0))" } ?? "") + ": \(reason)"
  }
}
