// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import WireFormats

/// The calls that change a table. Source: spec/dynamodb.md §3, §5, §6, spec/lock-manager.md §4, §5.
///
/// A condition that does not hold is an error of kind `conditionFailed`. If that error is not `isDefinite`, an earlier send of the same call
/// may have been done and be the very reason: the caller reads the item back and compares what it wrote.
extension DynamoDBClient {
  /// Longest time a call may take with its retries, where the caller gives none.
  package static let callDeadline = Duration.seconds(120)

  /// PutItem: writes a whole item in place of one with the same key.
  ///
  /// - Parameter deadline: for the whole call with its retries.
  package func putItem(
    table: String, item: DynamoDBItem, condition: DynamoDBCondition? = nil, deadline: Duration = Self.callDeadline
  ) async throws(AWSError) {
    let members: [(key: String, value: JSONValue)] = [("TableName", .string(table)), ("Item", DynamoDBValue.json(of: item))]
    _ = try await call("PutItem", members + (condition?.members ?? []), deadline: deadline)
  }

  /// UpdateItem: changes attributes of an item, which it makes if there is none.
  ///
  /// - Parameters:
  ///   - update: `SET #k0 = :v0,v = :uv`; its placeholders are looked up in `names` and `values`, together with those of the condition.
  ///   - condition: its placeholders win where a name is given twice.
  ///   - deadline: for the whole call with its retries.
  package func updateItem(
    table: String, key: DynamoDBKey, update: String, names: [String: String] = [:], values: DynamoDBItem = [:],
    condition: DynamoDBCondition? = nil, deadline: Duration = Self.callDeadline
  ) async throws(AWSError) {
    var members: [(key: String, value: JSONValue)] = [
      ("TableName", .string(table)), ("Key", key.json), ("UpdateExpression", .string(update)),
    ]
    if let condition { members.append(("ConditionExpression", .string(condition.expression))) }
    members += DynamoDBCondition.placeholders(
      names: names.merging(condition?.names ?? [:]) { $1 }, values: values.merging(condition?.values ?? [:]) { $1 })
    _ = try await call("UpdateItem", members, deadline: deadline)
  }

  /// DeleteItem. Without a condition, an item that is not there is deleted too.
  ///
  /// - Parameter deadline: for the whole call with its retries.
  package func deleteItem(
    table: String, key: DynamoDBKey, condition: DynamoDBCondition? = nil, deadline: Duration = Self.callDeadline
  ) async throws(AWSError) {
    let members: [(key: String, value: JSONValue)] = [("TableName", .string(table)), ("Key", key.json)]
    _ = try await call("DeleteItem", members + (condition?.members ?? []), deadline: deadline)
  }

  /// CreateTable. The table is usable only when DescribeTable calls it `ACTIVE`.
  ///
  /// Throws code `ResourceInUseException` if it exists already, also where an earlier send of this call made it.
  package func createTable(_ definition: DynamoDBTableDefinition, deadline: Duration = Self.callDeadline) async throws(AWSError) {
    _ = try await call("CreateTable", definition.members, deadline: deadline)
  }

  /// TransactWriteItems: all of the writes, or none.
  ///
  /// - Parameter token: `ClientRequestToken`, at most 36 characters, new for each transaction: the service does one only once within ten
  ///   minutes however often it is sent, so a re-send is never mistaken for a conflict.
  /// - Throws: code `TransactionCanceledException` with ``AWSError/cancellationReasons`` in the order of `writes`; kind `conditionFailed` if
  ///   one of them is a condition that did not hold.
  package func transactWriteItems(
    _ writes: [DynamoDBTransactWrite], token: String, deadline: Duration = Self.callDeadline
  ) async throws(AWSError) {
    let members: [(key: String, value: JSONValue)] = [
      ("ClientRequestToken", .string(token)), ("TransactItems", .array(writes.map(\.json))),
    ]
    _ = try await call("TransactWriteItems", members, deadline: deadline)
  }
}

/// One write of a transaction.
package enum DynamoDBTransactWrite: Sendable, Hashable {
  case put(table: String, item: DynamoDBItem, condition: DynamoDBCondition? = nil)
  case delete(table: String, key: DynamoDBKey, condition: DynamoDBCondition? = nil)

  var json: JSONValue {
    let (kind, table, subject, condition) =
      switch self {
      case .put(let table, let item, let condition): ("Put", table, ("Item", DynamoDBValue.json(of: item)), condition)
      case .delete(let table, let key, let condition): ("Delete", table, ("Key", key.json), condition)
      }
    let members: [(key: String, value: JSONValue)] = [("TableName", .string(table)), subject]
    return .object(JSONMembers([(kind, .object(JSONMembers(members + (condition?.members ?? []))))]))
  }
}
