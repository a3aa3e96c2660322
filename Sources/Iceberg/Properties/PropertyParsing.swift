// SPDX-License-Identifier: Apache-2.0

/// Reads the texts of property values. Numbers follow Java; booleans are stricter. Source: spec/properties.md §0, filesystem contract §1.
package enum PropertyParsing {
  /// `true` or `false` in any case; else nil.
  package static func boolean(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true": true
    case "false": false
    default: nil
    }
  }

  /// PyIceberg's wider rule: also y yes t on 1, n no f off 0. Source: spec/properties.md §7.1 (8).
  package static func pythonBoolean(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true", "y", "yes", "t", "on", "1": true
    case "false", "n", "no", "f", "off", "0": false
    default: nil
    }
  }

  /// Java's `Long.parseLong`, ASCII digits only: optional sign, no spaces, no suffix.
  package static func int64(_ text: String) -> Int64? { Int64(text) }

  /// Java's `Integer.parseInt`, ASCII digits only.
  package static func int32(_ text: String) -> Int32? { Int32(text) }

  /// Java's `Double.parseDouble`, decimal forms: surrounding blanks and a suffix `d` or `f` are accepted, NaN and Infinity case-sensitively.
  package static func double(_ text: String) -> Double? {
    let isBlank: (Character) -> Bool = { $0.unicodeScalars.allSatisfy { $0.value <= 0x20 } }
    guard let first = text.firstIndex(where: { !isBlank($0) }), let last = text.lastIndex(where: { !isBlank($0) }) else { return nil }
    var body = String(text[first...last])
    let unsigned = body.hasPrefix("-") || body.hasPrefix("+") ? String(body.dropFirst()) : body
    if unsigned == "NaN" { return .nan }
    if unsigned == "Infinity" { return body.hasPrefix("-") ? -.infinity : .infinity }
    if let end = body.last, "dDfF".contains(end) { body.removeLast() }
    guard body.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }),
      body.utf8.contains(where: { (48...57).contains($0) })
    else { return nil }
    if body.hasSuffix(".") { body.append("0") }
    body = body.replacing(".e", with: ".0e").replacing(".E", with: ".0E")
    return Double(body)
  }

  /// Scheme `http` or `https`, a host, no blanks.
  package static func isEndpoint(_ text: String) -> Bool {
    guard let separator = text.firstRange(of: "://"), ["http", "https"].contains(text[..<separator.lowerBound].lowercased()) else {
      return false
    }
    guard !text.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F }) else { return false }
    return !host(ofEndpoint: text).isEmpty
  }

  /// The host of an `http(s)://` address, IPv6 without brackets; empty if there is none.
  package static func host(ofEndpoint text: String) -> String {
    guard let separator = text.firstRange(of: "://") else { return "" }
    var authority = text[separator.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { return "" }
      return String(authority[authority.index(after: authority.startIndex)..<end])
    }
    return String(authority.prefix { $0 != ":" })
  }

  /// Why a value is not one the definition allows; nil if it is.
  package static func refusal(of value: String, by definition: PropertyDefinition) -> String? {
    switch definition.type {
    case .boolean: return boolean(value) == nil ? "true or false is expected" : nil
    case .int32:
      guard let number = int32(value) else { return "a whole number from -2147483648 to 2147483647 is expected" }
      return rangeRefusal(of: Double(number), by: definition)
    case .int64:
      guard let number = int64(value) else { return "a whole number is expected" }
      return rangeRefusal(of: Double(number), by: definition)
    case .double:
      guard let number = double(value) else { return "a number is expected" }
      return rangeRefusal(of: number, by: definition)
    case .endpoint: return isEndpoint(value) ? nil : "an address as http://host:port or https://host is expected"
    case .string: return nil
    case .choice(let allowed, let ignoringCase):
      let known = ignoringCase ? allowed.contains { $0.lowercased() == value.lowercased() } : allowed.contains(value)
      return known ? nil : choiceRefusal(value, allowed, definition)
    case .className(let allowed): return allowed.contains(value) ? nil : choiceRefusal(value, allowed, definition)
    }
  }

  private static func rangeRefusal(of number: Double, by definition: PropertyDefinition) -> String? {
    guard let range = definition.range, !range.contains(number) else { return nil }
    return range.sentence
  }

  private static func choiceRefusal(_ value: String, _ allowed: [String], _ definition: PropertyDefinition) -> String {
    let choices = allowed.filter { !$0.isEmpty }.joined(separator: ", ")
    guard let refusal = definition.refusal else { return "one of \(choices) is expected" }
    let shown = PropertyTable.displayValue(value, of: definition.key)
    return refusal.replacing("%s", with: shown) + " (known: \(choices))"
  }
}
