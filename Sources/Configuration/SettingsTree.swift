// SPDX-License-Identifier: Apache-2.0

/// PyIceberg's configuration as it stands in memory: nested mappings whose leaves are texts with their sources.
package indirect enum SettingsTree: Sendable, Hashable {
  case text(String, ConfigurationSource)
  case list(ConfigurationSource)
  case mapping([String: SettingsTree], ConfigurationSource)

  package static let empty = SettingsTree.mapping([:], .defaultValue)

  package var source: ConfigurationSource {
    switch self {
    case .text(_, let source), .list(let source), .mapping(_, let source): source
    }
  }

  package subscript(_ key: String) -> SettingsTree? {
    if case .mapping(let members, _) = self { members[key] } else { nil }
  }

  /// Sets a leaf, as PyIceberg does with environment variables: missing levels are made, a leaf on the way is an error.
  mutating func set(_ path: ArraySlice<String>, to value: String, variable: String) throws(ConfigurationError) {
    guard let first = path.first else {
      self = .text(value, .environment(variable: variable))
      return
    }
    guard case .mapping(var members, let source) = self else {
      throw ConfigurationError(
        .syntax, "environment \(variable): \(self.source) sets a single value where this variable needs a group of settings")
    }
    var child = members[first] ?? .mapping([:], .environment(variable: variable))
    try child.set(path.dropFirst(), to: value, variable: variable)
    members[first] = child
    self = .mapping(members, source)
  }
}

/// PyIceberg's environment variables. Source: spec/properties.md §7.1 (5).
enum PyIcebergEnvironment {
  private static let prefix = "pyiceberg_"

  /// The path a variable speaks of; nil if it is not PyIceberg's.
  static func path(of variable: String) -> [String]? {
    let lowered = variable.lowercased()
    guard lowered.hasPrefix(prefix) else { return nil }
    return splitTwice(lowered.dropFirst(prefix.count)).map { $0.replacing("__", with: ".").replacing("_", with: "-") }
  }

  /// Puts every PyIceberg variable into the tree, over what is there, in the order of their names.
  static func apply(_ environment: [String: String], to tree: inout SettingsTree) throws(ConfigurationError) {
    for (variable, value) in environment.sorted(by: { $0.key < $1.key }) {
      guard let path = path(of: variable) else { continue }
      try tree.set(path[...], to: value, variable: variable)
    }
  }

  /// Python's `split("__", maxsplit=2)`.
  private static func splitTwice(_ text: Substring) -> [String] {
    var parts: [String] = []
    var rest = text
    while parts.count < 2, let separator = rest.firstRange(of: "__") {
      parts.append(String(rest[..<separator.lowerBound]))
      rest = rest[separator.upperBound...]
    }
    return parts + [String(rest)]
  }
}
