// SPDX-License-Identifier: Apache-2.0

import Yams

/// Reads `.pyiceberg.yaml` as PyIceberg's strict YAML does: every scalar is a text; flow style, anchors, tags, merge keys and
/// duplicate keys are errors; keys are lowercased. Source: spec/properties.md §7.1.
package enum PyIcebergYAML {
  /// The tree of a file; an empty file gives an empty one.
  /// - Parameter path: named in errors and sources.
  package static func parse(_ bytes: [UInt8], path: String) throws(ConfigurationError) -> SettingsTree {
    let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    guard let text = String(validating: bytes.starts(with: byteOrderMark) ? bytes.dropFirst(3) : bytes[...], as: UTF8.self) else {
      throw ConfigurationError(.syntax, "\(path): the text is not UTF-8")
    }
    guard let root = try compose(text, path) else { return .empty }
    let reader = Reader(path: path, lines: lines(of: text))
    let tree = try reader.tree(root)
    guard case .mapping = tree else {
      throw ConfigurationError(.syntax, "\(path):\(root.mark?.line ?? 1): settings as key: value are expected")
    }
    return tree
  }

  private static func compose(_ text: String, _ path: String) throws(ConfigurationError) -> Node? {
    do {
      return try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
    } catch let error as YamlError {
      throw ConfigurationError(.syntax, sentence(error, path))
    } catch {
      throw ConfigurationError(.syntax, "\(path): the YAML cannot be read")
    }
  }

  /// The lines as YAML counts them.
  private static func lines(of text: String) -> [[Unicode.Scalar]] {
    var lines: [[Unicode.Scalar]] = [[]]
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n" where previous == "\r": break
      case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": lines.append([])
      default: lines[lines.count - 1].append(scalar)
      }
      previous = scalar
    }
    return lines
  }

  private static func sentence(_ error: YamlError, _ path: String) -> String {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      "\(path):\(mark.line): \(problem)" + (context.map { " (\($0.text))" } ?? "")
    case .reader(let problem, let offset, _, let yaml):
      "\(path):\(yaml.prefix(offset ?? 0).count { $0.isNewline } + 1): \(problem)"
    case .duplicatedKeysInMapping(let duplicates, let context):
      "\(path):\(context.mark.line): the key \(duplicates.first ?? "") comes twice"
    default: "\(path): the YAML cannot be read"
    }
  }

  /// Turns nodes into a tree. What a node was written as is seen in the text: the parser's own style flags are not reliable for
  /// mappings, and a mark points at the anchor, tag or bracket that begins the node.
  private struct Reader {
    var path: String
    var lines: [[Unicode.Scalar]]

    func tree(_ node: Node) throws(ConfigurationError) -> SettingsTree {
      let source = ConfigurationSource.yamlFile(path: path, line: node.mark?.line)
      switch node {
      case .scalar(let scalar):
        if scalar.style == .plain { try refuseUnstrict(node) } else { try refuseUnstrict(node, "&!*") }
        return .text(scalar.string, source)
      case .sequence(let sequence):
        try refuseUnstrict(node)
        for element in sequence { _ = try tree(element) }
        return .list(source)
      case .mapping(let mapping):
        try refuseUnstrict(node)
        var members: [String: SettingsTree] = [:]
        for (key, value) in mapping {
          try refuseUnstrict(key)
          guard case .scalar(let name) = key else { throw error(key, "a key must be a plain text") }
          guard name.string != "<<" else { throw error(key, "merge keys are not allowed") }
          members[name.string.lowercased()] = try tree(value)
        }
        return .mapping(members, source)
      case .alias:
        throw error(node, "anchors and aliases are not allowed")
      }
    }

    private func refuseUnstrict(_ node: Node, _ characters: String = "&!*{[") throws(ConfigurationError) {
      guard let mark = node.mark, lines.indices.contains(mark.line - 1) else { return }
      let line = lines[mark.line - 1]
      guard line.indices.contains(mark.column - 1), characters.unicodeScalars.contains(line[mark.column - 1]) else { return }
      switch line[mark.column - 1] {
      case "{", "[": throw error(node, "flow style ({…}, […]) is not allowed: write one key: value a line, or put the text in quotes")
      case "!": throw error(node, "tags are not allowed")
      default: throw error(node, "anchors and aliases are not allowed")
      }
    }

    private func error(_ node: Node, _ reason: String) -> ConfigurationError {
      ConfigurationError(.syntax, "\(path):\(node.mark?.line ?? 1): \(reason)")
    }
  }
}
