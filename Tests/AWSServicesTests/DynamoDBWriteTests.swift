// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Testing
import WireFormats

@Suite("DynamoDB's writing calls")
struct DynamoDBWriteTests {
  private let sender = ScriptedSender([.text("{}")])
  private let key = DynamoDBKey(["identifier": "db.t", "namespace": "db"])

  private var client: DynamoDBClient { DynamoDBClient(sender: sender) }

  private var body: String { sender.requests.last.map { String(decoding: $0.body, as: UTF8.self) } ?? "" }

  @Test("PutItem sends item, condition and deadline, and no empty maps")
  func putItem() async throws {
    try await client.putItem(
      table: "iceberg", item: ["v": .string("1"), "n": .number("15"), "b": .other(["BOOL": true])],
      condition: DynamoDBCondition("attribute_not_exists(v)"), deadline: .seconds(3))
    #expect(
      body == #"{"TableName":"iceberg","Item":{"b":{"BOOL":true},"n":{"N":"15"},"v":{"S":"1"}},"#
        + #""ConditionExpression":"attribute_not_exists(v)"}"#)
    #expect(sender.requests.last?.header("X-Amz-Target") == "DynamoDB_20120810.PutItem")
    #expect(sender.requests.last?.deadline == .seconds(3))
    try await client.putItem(table: "iceberg", item: ["v": .string("1")])
    #expect(body == #"{"TableName":"iceberg","Item":{"v":{"S":"1"}}}"#)
  }

  /// The request of spec/dynamodb.md §5.1.
  @Test("UpdateItem sends the placeholders of update and condition together")
  func updateItem() async throws {
    try await client.updateItem(
      table: "iceberg", key: DynamoDBKey(["identifier": "NAMESPACE", "namespace": "db1"]),
      update: "SET #k0 = :v0,updated_at = :uat,v = :uv", names: ["#k0": "p.k"],
      values: [":v0": .string("v"), ":uat": .number("1795331879884"), ":uv": .string("new")],
      condition: DynamoDBCondition("v = :v", values: [":v": .string("old")]))
    #expect(
      body == #"{"TableName":"iceberg","Key":{"identifier":{"S":"NAMESPACE"},"namespace":{"S":"db1"}},"#
        + ##""UpdateExpression":"SET #k0 = :v0,updated_at = :uat,v = :uv","ConditionExpression":"v = :v","##
        + ##""ExpressionAttributeNames":{"#k0":"p.k"},"ExpressionAttributeValues":{":uat":{"N":"1795331879884"},":uv":{"S":"new"},"##
        + #"":v":{"S":"old"},":v0":{"S":"v"}}}"#)
    try await client.updateItem(table: "iceberg", key: key, update: "REMOVE x")
    #expect(sender.requests.last?.json?.root["ExpressionAttributeNames"] == nil)
    #expect(sender.requests.last?.json?.root["ExpressionAttributeValues"] == nil)
  }

  @Test("DeleteItem sends key and condition")
  func deleteItem() async throws {
    try await client.deleteItem(
      table: "iceberg", key: key, condition: DynamoDBCondition("#v = :v", values: [":v": .string("1")], names: ["#v": "v"]))
    #expect(
      body == ##"{"TableName":"iceberg","Key":{"identifier":{"S":"db.t"},"namespace":{"S":"db"}},"ConditionExpression":"#v = :v","##
        + ##""ExpressionAttributeNames":{"#v":"v"},"ExpressionAttributeValues":{":v":{"S":"1"}}}"##)
  }

  /// The request of spec/dynamodb.md §3.
  @Test("CreateTable makes the catalog's table as Iceberg does")
  func createTable() async throws {
    try await client.createTable(
      DynamoDBTableDefinition(
        name: "iceberg", key: .init(hash: "identifier", range: "namespace"),
        indexes: [.init(name: "namespace-identifier", key: .init(hash: "namespace", range: "identifier"))]))
    let expected = #"""
      {"TableName":"iceberg",
       "AttributeDefinitions":[{"AttributeName":"identifier","AttributeType":"S"},{"AttributeName":"namespace","AttributeType":"S"}],
       "KeySchema":[{"AttributeName":"identifier","KeyType":"HASH"},{"AttributeName":"namespace","KeyType":"RANGE"}],
       "GlobalSecondaryIndexes":[{"IndexName":"namespace-identifier",
         "KeySchema":[{"AttributeName":"namespace","KeyType":"HASH"},{"AttributeName":"identifier","KeyType":"RANGE"}],
         "Projection":{"ProjectionType":"KEYS_ONLY"}}],
       "BillingMode":"PAY_PER_REQUEST"}
      """#
    #expect(body == (try String(decoding: JSONValue(JSONDocument(parsing: Array(expected.utf8)).root).serialized(), as: UTF8.self)))
  }

  /// The request of spec/dynamodb.md §5.2.
  @Test("TransactWriteItems sends its token and the writes in order")
  func transactWriteItems() async throws {
    try await client.transactWriteItems(
      [
        .delete(table: "iceberg", key: key, condition: DynamoDBCondition("v = :v", values: [":v": .string("1")])),
        .put(table: "iceberg", item: ["v": .string("2")], condition: DynamoDBCondition("attribute_not_exists(v)")),
      ], token: "token-1")
    #expect(
      body == #"{"ClientRequestToken":"token-1","TransactItems":[{"Delete":{"TableName":"iceberg","#
        + #""Key":{"identifier":{"S":"db.t"},"namespace":{"S":"db"}},"ConditionExpression":"v = :v","#
        + #""ExpressionAttributeValues":{":v":{"S":"1"}}}},"#
        + #"{"Put":{"TableName":"iceberg","Item":{"v":{"S":"2"}},"ConditionExpression":"attribute_not_exists(v)"}}]}"#)
  }

  @Test("A table is active only when its indexes are")
  func activeTable() async throws {
    let answers = ["CREATING", "ACTIVE"].map { status in
      #"{"Table":{"TableStatus":"ACTIVE","GlobalSecondaryIndexes":[{"IndexName":"i","IndexStatus":"\#(status)"}]}}"#
    }
    let client = DynamoDBClient(sender: ScriptedSender(answers.map { .text($0) } + [.text(#"{"Table":{"TableStatus":"CREATING"}}"#)]))
    let making = try await client.describeTable("t")
    #expect(making.inactiveIndexes == ["i"])
    #expect(!making.isActive)
    #expect(try await client.describeTable("t").isActive)
    #expect(try await !client.describeTable("t").isActive)
  }
}
