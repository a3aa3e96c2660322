// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import WireFormats

/// The DynamoDB calls that catalogs and locks need; those that write stand in `DynamoDBClient+Writing.swift`. Source: spec/dynamodb.md §1, §5.
package struct DynamoDBClient: Sendable {
  /// Keys in one BatchGetItem: the service's limit.
  package static let batchLimit = 100

  let sender: any AWSRequestSender
  let backoff: BatchBackoff

  /// - Parameter backoff: the waits between repetitions of `UnprocessedKeys`.
  package init(sender: any AWSRequestSender, backoff: BatchBackoff = BatchBackoff()) {
    self.sender = sender
    self.backoff = backoff
  }

  /// DescribeTable. Throws code `ResourceNotFoundException` if there is none.
  package func describeTable(_ name: String, deadline: Duration = Self.callDeadline) async throws(AWSError) -> DynamoDBTable {
    let answer = try await call("DescribeTable", [("TableName", .string(name))], deadline: deadline)
    guard let table = answer.document.root["Table"], let status = table["TableStatus"]?.string else { throw answer.malformed("Table") }
    var indexes: [String] = []
    var inactive: [String] = []
    if let list = table["GlobalSecondaryIndexes"], list.kind == .array {
      for node in list.elements {
        guard let index = node["IndexName"]?.string else { continue }
        indexes.append(index)
        if let status = node["IndexStatus"]?.string, status != "ACTIVE" { inactive.append(index) }
      }
    }
    return DynamoDBTable(
      name: table["TableName"]?.string ?? name, status: status, globalIndexes: indexes, inactiveIndexes: inactive,
      keyAttributes: Self.keyAttributes(table["KeySchema"]))
  }

  private static func keyAttributes(_ schema: JSONNode?) -> [String] {
    guard let schema, schema.kind == .array else { return [] }
    let parts = schema.elements.compactMap { part in
      part["AttributeName"]?.string.map { (name: $0, isHash: part["KeyType"]?.string == "HASH") }
    }
    return (parts.filter(\.isHash) + parts.filter { !$0.isHash }).map(\.name)
  }

  /// GetItem. Nil if there is no such item.
  package func getItem(
    table: String, key: DynamoDBKey, consistentRead: Bool, deadline: Duration = Self.callDeadline
  ) async throws(AWSError) -> DynamoDBItem? {
    let answer = try await call(
      "GetItem", [("TableName", .string(table)), ("Key", key.json), ("ConsistentRead", .bool(consistentRead))], deadline: deadline)
    guard let item = answer.document.root["Item"], !item.isNull else { return nil }
    return try Self.item(item, of: answer)
  }

  /// One page of a Query.
  ///
  /// - Parameters:
  ///   - index: a global secondary index; it has no consistent reads.
  ///   - values: string values for the placeholders of `condition`.
  ///   - limit: the most items looked at; nil for what fits 1 MB.
  package func query(
    table: String, index: String? = nil, condition: String, values: [(placeholder: String, value: String)],
    consistentRead: Bool, limit: Int? = nil, after key: DynamoDBKey?
  ) async throws(AWSError) -> DynamoDBPage {
    var members: [(key: String, value: JSONValue)] = [("TableName", .string(table))]
    if let index {
      members.append(("IndexName", .string(index)))
    } else {
      members.append(("ConsistentRead", .bool(consistentRead)))
    }
    members.append(("KeyConditionExpression", .string(condition)))
    members.append(
      ("ExpressionAttributeValues", .object(JSONMembers(values.map { ($0.placeholder, .object(JSONMembers([("S", .string($0.value))]))) })))
    )
    if let limit {
      members.append(("Limit", .integer(Int64(limit))))
    }
    if let key {
      members.append(("ExclusiveStartKey", key.json))
    }
    return try Self.page(try await call("Query", members), after: key)
  }

  /// One page of a Scan of the table. An answer without a list of items is an error, never an empty page.
  ///
  /// - Parameter attributes: those of each item that are wanted; the service reads, counts and charges whole items all the same.
  package func scan(
    table: String, attributes: [String], consistentRead: Bool, after key: DynamoDBKey?
  ) async throws(AWSError) -> DynamoDBPage {
    // By placeholders, as `namespace` is a word of DynamoDB's own and a dot stands for a path.
    let names = attributes.enumerated().map { (placeholder: "#a\($0.offset)", name: $0.element) }
    var members: [(key: String, value: JSONValue)] = [
      ("TableName", .string(table)), ("ConsistentRead", .bool(consistentRead)),
      ("ProjectionExpression", .string(names.map(\.placeholder).joined(separator: ","))),
      ("ExpressionAttributeNames", .object(JSONMembers(names.map { ($0.placeholder, .string($0.name)) }))),
    ]
    if let key { members.append(("ExclusiveStartKey", key.json)) }
    let answer = try await call("Scan", members)
    guard answer.document.root["Items"]?.kind == .array else { throw answer.malformed("Items") }
    return try Self.page(answer, after: key)
  }

  private static func page(_ answer: JSONAnswer, after key: DynamoDBKey?) throws(AWSError) -> DynamoDBPage {
    var page = DynamoDBPage(items: [])
    if let items = answer.document.root["Items"], items.kind == .array {
      for node in items.elements {
        page.items.append(try Self.item(node, of: answer))
      }
    }
    if let last = answer.document.root["LastEvaluatedKey"], !last.isNull {
      guard let next = DynamoDBKey(last), next != key else { throw answer.malformed("LastEvaluatedKey") }
      page.lastEvaluatedKey = next
    }
    return page
  }

  func call(
    _ operation: String, _ members: [(key: String, value: JSONValue)], deadline: Duration = Self.callDeadline
  ) async throws(AWSError) -> JSONAnswer {
    try await sender.call(
      target: "DynamoDB_20120810.\(operation)", version: "1.0", operation: "DynamoDB.\(operation)", members: members, deadline: deadline)
  }

  static func item(_ node: JSONNode, of answer: JSONAnswer) throws(AWSError) -> DynamoDBItem {
    guard node.kind == .object else { throw answer.malformed("Item") }
    var item: DynamoDBItem = [:]
    for (name, value) in node.members {
      item[name] = DynamoDBValue(value)
    }
    return item
  }
}
