// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import WireFormats

/// The waits between repetitions of the keys that a BatchGetItem left unprocessed; clock and randomness are given.
package struct BatchBackoff: Sendable {
  /// First wait at most; doubled with every round that brought nothing. The base that SDKs use for DynamoDB is 25 to 100 ms.
  package var base: Duration = .milliseconds(50)
  package var cap: Duration = .seconds(5)
  /// Rounds in a row that may bring nothing before the call fails as throttled: about 20 s of waiting.
  package var rounds = 10
  package var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  /// In 0..<1.
  package var random: @Sendable () -> Double = { Double.random(in: 0..<1) }

  package init() {}

  func wait(beforeRound round: Int) async throws {
    let longest = min(base * (1 << min(round, 20)), cap)
    try await sleep(longest * random())
  }
}

extension DynamoDBClient {
  /// BatchGetItem, repeated until no key is left unprocessed.
  ///
  /// - Parameter keys: at most ``batchLimit``, no two alike.
  /// - Returns: the items that exist, in no order.
  /// - Throws: kind `throttled` when the service processes nothing for too long.
  package func batchGetItem(table: String, keys: [DynamoDBKey], consistentRead: Bool) async throws(AWSError) -> [DynamoDBItem] {
    var items: [DynamoDBItem] = []
    var missing = keys
    var fruitless = 0
    while !missing.isEmpty {
      let request: JSONValue = .object(
        JSONMembers([("Keys", .array(missing.map(\.json))), ("ConsistentRead", .bool(consistentRead))]))
      let answer = try await call("BatchGetItem", [("RequestItems", .object(JSONMembers([(table, request)])))])
      if let found = answer.document.root["Responses"]?[table], found.kind == .array {
        for node in found.elements {
          items.append(try Self.item(node, of: answer))
        }
      }
      let before = missing.count
      missing = try Self.unprocessed(table: table, in: answer)
      if missing.isEmpty { break }
      // Fewer keys left is progress, as when the answer reached 16 MB: no reason to wait longer each time.
      fruitless = missing.count < before ? 0 : fruitless + 1
      guard fruitless < backoff.rounds else {
        throw AWSError(
          kind: .throttled, code: "UnprocessedKeys", message: "DynamoDB leaves keys of table '\(table)' unprocessed: it is throttled.",
          operation: "DynamoDB.BatchGetItem", status: answer.status, requestID: answer.requestID, isRetryable: true)
      }
      do {
        try await backoff.wait(beforeRound: fruitless)
      } catch {
        throw AWSError(
          kind: .cancelled, code: "cancelled", message: "The call was cancelled.", operation: "DynamoDB.BatchGetItem",
          requestID: answer.requestID)
      }
    }
    return items
  }

  private static func unprocessed(table: String, in answer: JSONAnswer) throws(AWSError) -> [DynamoDBKey] {
    guard let left = answer.document.root["UnprocessedKeys"]?[table] else { return [] }
    guard let nodes = left["Keys"], nodes.kind == .array else { throw answer.malformed("UnprocessedKeys") }
    var keys: [DynamoDBKey] = []
    for node in nodes.elements {
      guard let key = DynamoDBKey(node) else { throw answer.malformed("UnprocessedKeys") }
      keys.append(key)
    }
    return keys
  }
}
