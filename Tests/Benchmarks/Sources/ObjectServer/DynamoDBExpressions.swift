// SPDX-License-Identifier: Apache-2.0

/// A `KeyConditionExpression`: equalities and `begins_with`, joined by AND.
struct DynamoDBKeyCondition: Sendable {
  private struct Term: Sendable {
    var attribute: String
    var value: String
    var isPrefix: Bool
  }

  private var terms: [Term] = []

  /// Reads the expression, with its substitutes for names and values; nil when it has another form or an unknown substitute.
  init?(_ request: JSONValue) {
    guard let text = request["KeyConditionExpression"]?.string else { return nil }
    // Tokens: parentheses, commas and the equals sign stand for themselves.
    let spaced = text.flatMap { "(),=".contains($0) ? " \($0) " : String($0) }
    let tokens = String(spaced).split(separator: " ").map(String.init)
    var index = 0
    while index < tokens.count {
      if !terms.isEmpty {
        guard tokens[index].uppercased() == "AND" else { return nil }
        index += 1
      }
      guard let (term, length) = DynamoDBKeyCondition.term(Array(tokens[index...]), request) else { return nil }
      terms.append(term)
      index += length
    }
    guard !terms.isEmpty else { return nil }
  }

  /// Whether the condition fixes an attribute to one value, as the hash key must be.
  func isEquality(on attribute: String) -> Bool {
    terms.contains { $0.attribute == attribute && !$0.isPrefix }
  }

  /// Whether an item meets every term.
  func holds(_ item: DynamoDBAnswers.Item) -> Bool {
    terms.allSatisfy { term in
      guard let value = item[term.attribute]?["S"]?.string else { return false }
      return term.isPrefix ? value.hasPrefix(term.value) : value == term.value
    }
  }

  private static func term(_ tokens: [String], _ request: JSONValue) -> (Term, Int)? {
    if tokens.count >= 3, tokens[1] == "=" {
      guard let value = value(tokens[2], request) else { return nil }
      return (Term(attribute: name(tokens[0], request), value: value, isPrefix: false), 3)
    }
    let form = ["begins_with", "(", nil, ",", nil, ")"]
    guard tokens.count >= 6, zip(tokens, form).allSatisfy({ $1 == nil || $0 == $1 }), let value = value(tokens[4], request) else {
      return nil
    }
    return (Term(attribute: name(tokens[2], request), value: value, isPrefix: true), 6)
  }

  private static func name(_ token: String, _ request: JSONValue) -> String {
    request["ExpressionAttributeNames"]?[token]?.string ?? token
  }

  private static func value(_ token: String, _ request: JSONValue) -> String? {
    request["ExpressionAttributeValues"]?[token]?["S"]?.string
  }
}

/// A `ProjectionExpression`: the attributes to return, all when there is none.
struct DynamoDBProjection: Sendable {
  private let attributes: Set<String>?

  init(_ request: JSONValue) {
    attributes = request["ProjectionExpression"]?.string.map { text in
      Set(
        text.split(separator: ",").map { item in
          let token = String(item.filter { $0 != " " })
          return request["ExpressionAttributeNames"]?[token]?.string ?? token
        })
    }
  }

  func apply(_ item: DynamoDBAnswers.Item) -> DynamoDBAnswers.Item {
    guard let attributes else { return item }
    return item.filter { attributes.contains($0.key) }
  }
}
