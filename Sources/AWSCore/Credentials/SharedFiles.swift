// SPDX-License-Identifier: Apache-2.0

/// The sections of `~/.aws/config` and `~/.aws/credentials`, merged (spec: clients.md §6.1).
package struct SharedFiles: Sendable, Hashable {
  /// A value, or a block of nested ones.
  package struct Section: Sendable, Hashable {
    /// Keys in lower case.
    package var values: [String: String] = [:]
    /// Blocks such as `s3 =` followed by indented lines; keys in lower case.
    package var blocks: [String: [String: String]] = [:]

    package init() {}

    /// Lays `other` over this section, key by key.
    mutating func merge(_ other: Section) {
      values.merge(other.values) { $1 }
      blocks.merge(other.blocks) { $0.merging($1) { $1 } }
    }
  }

  package private(set) var profiles: [String: Section] = [:]
  package private(set) var ssoSessions: [String: Section] = [:]
  package private(set) var services: [String: Section] = [:]

  package init() {}

  /// - Parameters:
  ///   - config: text of the config file; nil when there is none.
  ///   - credentials: text of the credentials file; its keys win.
  ///   - configPath: for errors, which name file and line.
  package init(config: [UInt8]?, configPath: String, credentials: [UInt8]?, credentialsPath: String) throws(AWSError) {
    if let config {
      try readConfig(SharedFileParser.sections(of: config, path: configPath))
    }
    if let credentials {
      for (header, section) in try SharedFileParser.sections(of: credentials, path: credentialsPath) {
        profiles[header, default: Section()].merge(section)
      }
    }
  }

  private mutating func readConfig(_ sections: [(header: String, section: Section)]) {
    var isDefaultPrefixed = false
    for (header, section) in sections {
      let words = header.split(maxSplits: 1) { $0 == " " || $0 == "\t" }.map(String.init)
      let name = words.count == 2 ? Self.unquoted(words[1].trimmingBlanks()) : ""
      switch (words.first ?? "", words.count) {
      case ("default", 1):
        if !isDefaultPrefixed { profiles["default", default: Section()].merge(section) }
      case ("profile", 2):
        if name == "default", !isDefaultPrefixed {
          profiles["default"] = section
          isDefaultPrefixed = true
        } else {
          profiles[name, default: Section()].merge(section)
        }
      case ("sso-session", 2): ssoSessions[name, default: Section()].merge(section)
      case ("services", 2): services[name, default: Section()].merge(section)
      default: continue
      }
    }
  }

  private static func unquoted(_ text: String) -> String {
    for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
      return String(text.dropFirst().dropLast())
    }
    return text
  }
}

extension StringProtocol {
  /// Without spaces, tabs and carriage returns at both ends.
  func trimmingBlanks() -> String {
    func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\r" || character == "\r\n" }
    guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(self[first...last])
  }
}
