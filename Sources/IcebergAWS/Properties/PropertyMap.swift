// SPDX-License-Identifier: Apache-2.0

/// Iceberg's reading of property values. Source: spec/properties.md §0.
package struct PropertyMap: Sendable {
  package let values: [String: String]

  package init(_ values: [String: String]) {
    self.values = values
  }

  /// Verbatim; an empty text counts as set.
  package func string(_ key: String) -> String? { values[key] }

  /// As ``string(_:)``, but an empty text counts as not set.
  package func nonEmpty(_ key: String) -> String? {
    values[key].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// True for the letters `true` in any case; every other text is false.
  package func bool(_ key: String, default fallback: Bool) -> Bool {
    values[key].map { $0.lowercased() == "true" } ?? fallback
  }

  /// A decimal number with an optional sign, in a range.
  package func integer(_ key: String, default fallback: Int64, in range: ClosedRange<Int64>) throws(PropertyError) -> Int64 {
    try integer(key, in: range) ?? fallback
  }

  /// As ``integer(_:default:in:)``, nil if the key is absent.
  package func integer(_ key: String, in range: ClosedRange<Int64>) throws(PropertyError) -> Int64? {
    guard let text = values[key] else { return nil }
    guard let number = Int64(text) else {
      throw PropertyError(key: key, message: "\(key): For input string: \"\(text)\"")
    }
    guard range.contains(number) else {
      throw PropertyError(key: key, message: "\(key)=\(number) must be between \(range.lowerBound) and \(range.upperBound)")
    }
    return number
  }

  /// Milliseconds as a duration; nil if the key is absent.
  package func milliseconds(_ key: String) throws(PropertyError) -> Duration? {
    // A thousand days: longer ones are mistakes, and none of them overflows.
    try integer(key, in: 0...86_400_000_000).map { .milliseconds($0) }
  }

  /// Seconds with a fraction, as PyIceberg writes timeouts; nil if the key is absent.
  package func seconds(_ key: String) throws(PropertyError) -> Duration? {
    guard let text = values[key] else { return nil }
    guard let number = Double(text), number.isFinite, (0...86_400_000).contains(number) else {
      throw PropertyError(key: key, message: "\(key): For input string: \"\(text)\"")
    }
    return .seconds(number)
  }

  /// The keys that start with a prefix, without it.
  package func prefixed(_ prefix: String) -> [String: String] {
    var found: [String: String] = [:]
    for (key, value) in values where key.utf8.starts(with: prefix.utf8) {
      found[String(Substring(key.utf8.dropFirst(prefix.utf8.count)))] = value
    }
    return found
  }
}
