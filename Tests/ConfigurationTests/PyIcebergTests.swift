// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Configuration

/// PyIceberg's tree as JSON shows it.
private indirect enum Answer: Decodable, Equatable {
  case text(String)
  case list
  case mapping([String: Answer])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let mapping = try? container.decode([String: Answer].self) {
      self = .mapping(mapping)
    } else {
      _ = try container.decode([Answer].self)
      self = .list
    }
  }

  init(_ tree: SettingsTree) {
    switch tree {
    case .text(let text, _): self = .text(text)
    case .list: self = .list
    case .mapping(let members, _): self = .mapping(members.mapValues(Answer.init))
    }
  }
}

private struct Question: Decodable, CustomTestStringConvertible {
  var name: String
  var yaml: String?
  var environment: [String: String]
  var answer: Answer?

  var testDescription: String { name }

  static let all = (try? JSONDecoder().decode([Question].self, from: Data(PyIcebergAnswers.json.utf8))) ?? []
}

@Suite("PyIceberg's configuration")
struct PyIcebergTests {
  @Test("The recorded answers are there")
  func recorded() {
    #expect(Question.all.count > 40)
  }

  @Test("Files and variables give the tree that PyIceberg makes of them", arguments: Question.all)
  private func agrees(_ question: Question) throws {
    func ask() throws -> Answer {
      var tree = try question.yaml.map { try PyIcebergYAML.parse(Array($0.utf8), path: "f") } ?? .empty
      try PyIcebergEnvironment.apply(question.environment, to: &tree)
      return Answer(tree)
    }
    if let expected = question.answer {
      #expect(try ask() == expected)
    } else {
      #expect(throws: ConfigurationError.self) { try ask() }
    }
  }

  @Test(
    "A YAML error names file, line and reason",
    arguments: [
      ("catalog: {a: {type: glue}}\n", "f:1: flow style"),
      ("catalog:\n  a:\n    type: [glue]\n", "f:3: flow style"),
      ("catalog:\n  a: &x\n    type: glue\n", "f:2: anchors"),
      ("catalog:\n  a:\n    x: *y\n", "f:3: found undefined alias"),
      ("catalog:\n  a:\n    type: !!str glue\n", "f:3: tags"),
      ("catalog:\n  a:\n    <<: b\n", "f:3: merge keys"),
      ("catalog:\r\n  a:\r\n    type: glue\r\n    x: [1]\r\n", "f:4: flow style"),
      ("catalog:\n  a:\n    type: glue\n    type: dynamodb\n", "f:3: the key type comes twice"),
      ("catalog:\n\ta: b\n", "f:2: found character that cannot start any token"),
      ("catalog:\n  a:\n    type: \"glue\n", "f:4: found unexpected end of stream"),
      ("catalog:\n  a:\n    x: a: b\n", "f:3: mapping values are not allowed"),
      ("a: b\n---\nc: d\n", "f:2: but found another document"),
      ("- a\n", "f:1: settings as key: value"),
      ("\u{FEFF}x: {a: b}\n", "f:1: flow style"),
    ])
  func yamlErrors(yaml: String, beginning: String) {
    let error = #expect(throws: ConfigurationError.self) { try PyIcebergYAML.parse(Array(yaml.utf8), path: "f") }
    #expect(error?.code == .syntax)
    #expect(error?.message.hasPrefix(beginning) == true, "\(error?.message ?? "")")
  }

  @Test("An empty file and one of comments hold nothing", arguments: ["", "# nothing\n", "\n\n"])
  func emptyFiles(yaml: String) throws {
    #expect(Answer(try PyIcebergYAML.parse(Array(yaml.utf8), path: "f")) == .mapping([:]))
  }

  @Test("Bytes that are not UTF-8 are an error, not a crash")
  func notUTF8() {
    #expect(throws: ConfigurationError.self) { try PyIcebergYAML.parse([0x61, 0x3A, 0x20, 0xFF], path: "f") }
  }

  @Test("Deeply nested text is an error, not a crash")
  func deep() {
    let yaml = String(repeating: "[", count: 100_000)
    #expect(throws: ConfigurationError.self) { try PyIcebergYAML.parse(Array(yaml.utf8), path: "f") }
  }

  @Test("A leaf knows the line it stands in")
  func lines() throws {
    let tree = try PyIcebergYAML.parse(Array("# x\ncatalog:\n  a:\n    type: glue\n".utf8), path: "f")
    #expect(tree["catalog"]?["a"]?["type"] == .text("glue", .yamlFile(path: "f", line: 4)))
  }
}
