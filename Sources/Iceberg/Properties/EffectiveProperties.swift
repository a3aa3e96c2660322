// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// The properties of a catalog by exact key, with typed access. What is not set has the default of ``PropertyTable``.
///
/// Printing it shows secrets as `****`.
package struct EffectiveProperties: Sendable, Hashable {
  /// Every set property, verbatim, secrets included.
  package private(set) var values: [String: String]
  private var sources: [String: String]

  /// Makes a map of values, and of where each came from for messages.
  package init(_ values: [String: String], sources: [String: String] = [:]) {
    self.values = values
    self.sources = sources
  }

  /// Where a value came from, for messages; nil if it is not set or nobody said.
  package func source(of key: String) -> String? { sources[key] }

  /// True if the key was set, even to an empty text.
  package func isSet(_ key: String) -> Bool { values[key] != nil }

  /// The value as it was set, or the table's exact default; nil if there is neither.
  package func string(_ key: String) -> String? {
    values[key] ?? PropertyTable.definition(of: key)?.defaultText
  }

  /// Like ``string(_:)``, with an empty text taken as not set.
  package func nonEmptyString(_ key: String) -> String? {
    guard let text = string(key), !text.isEmpty else { return nil }
    return text
  }

  /// Like ``nonEmptyString(_:)``, wrapped so that it cannot be printed.
  package func secret(_ key: String) -> Secret? { nonEmptyString(key).map(Secret.init) }

  /// The value or default as a boolean; nil if there is neither.
  package func boolean(_ key: String) throws(PropertyValueError) -> Bool? {
    try read(key, "true or false is expected", PropertyParsing.boolean)
  }

  /// The value or default as a 32-bit number; nil if there is neither.
  package func int32(_ key: String) throws(PropertyValueError) -> Int32? {
    try read(key, "a whole number from -2147483648 to 2147483647 is expected", PropertyParsing.int32)
  }

  /// The value or default as a 64-bit number; nil if there is neither.
  package func int64(_ key: String) throws(PropertyValueError) -> Int64? {
    try read(key, "a whole number is expected", PropertyParsing.int64)
  }

  /// The value or default as a floating-point number; nil if there is neither.
  package func double(_ key: String) throws(PropertyValueError) -> Double? {
    try read(key, "a number is expected", PropertyParsing.double)
  }

  /// The value or default as milliseconds; nil if there is neither.
  package func milliseconds(_ key: String) throws(PropertyValueError) -> Duration? {
    try int64(key).map { .milliseconds($0) }
  }

  /// Every property under a prefix, by the rest of its key, case kept.
  package func entries(under prefix: String) -> [String: String] {
    var found: [String: String] = [:]
    for (key, value) in values where key.hasPrefix(prefix) && key.utf8.count > prefix.utf8.count {
      found[String(key.dropFirst(prefix.count))] = value
    }
    return found
  }

  private func read<Value>(_ key: String, _ expectation: String, _ parse: (String) -> Value?) throws(PropertyValueError) -> Value? {
    guard let text = string(key) else { return nil }
    guard let value = parse(text) else {
      throw PropertyValueError(key: key, value: text, source: sources[key], reason: expectation)
    }
    return value
  }
}

extension EffectiveProperties: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String {
    values.sorted { $0.key < $1.key }.map { "\($0)=\(PropertyTable.displayValue($1, of: $0))" }.joined(separator: " ")
  }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
