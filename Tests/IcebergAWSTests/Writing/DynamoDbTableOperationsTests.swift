// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Iceberg
import IcebergAWS
import Logging
import TestSupport
import Testing
import WireFormats

@Suite("DynamoDbTableOperations against recorded answers")
struct DynamoDbTableOperationsTests {
  private static let table = TableIdentifier(namespace: Namespace(["db1"]), name: "t1")
  private static let base = "s3://b/db1/t1/metadata/00001-u.metadata.json"
  private static let new = "s3://b/db1/t1/metadata/00002-u.metadata.json"
  private static let item = #"""
    {"Item":{"identifier":{"S":"db1.t1"},"namespace":{"S":"db1"},"v":{"S":"old-v"},"created_at":{"N":"1"},"updated_at":{"N":"2"},
     "p.table_type":{"S":"ICEBERG"},"p.metadata_location":{"S":"s3://b/db1/t1/metadata/00001-u.metadata.json"},"p.other":{"S":"kept"}}}
    """#

  @Test("An UpdateItem sets the pointer's three keys, the time and a new guard under the old one")
  func updateBody() async throws {
    let sender = ScriptedSender([.text(Self.item), .text("{}")])
    let outcome = try await catalog(sender).tableOperations.commit(commit(base: Self.base))
    let body = try #require(sender.requests.last)
    let version = try #require(body.json?.root["ExpressionAttributeValues"]?[":uv"]?["S"]?.string)
    #expect(version.count == 36 && version != "old-v")
    let modified: Int64 = 1_795_331_879_000_000_000
    #expect(outcome == .committed(TableEntry(identifier: Self.table, metadataLocation: Self.new, version: version, modified: modified)))
    let expected = #"""
      {"TableName":"iceberg","Key":{"identifier":{"S":"db1.t1"},"namespace":{"S":"db1"}},
       "UpdateExpression":"SET #k0 = :v0,#k1 = :v1,#k2 = :v2,updated_at = :uat,v = :uv","ConditionExpression":"v = :v",
       "ExpressionAttributeNames":{"#k0":"p.metadata_location","#k1":"p.previous_metadata_location","#k2":"p.table_type"},
       "ExpressionAttributeValues":{":v0":{"S":"\#(Self.new)"},":v1":{"S":"\#(Self.base)"},":v2":{"S":"ICEBERG"},
        ":uat":{"N":"1795331879000"},":uv":{"S":"\#(version)"},":v":{"S":"old-v"}}}
      """#
    #expect(try canonical(body.body) == canonical(Array(expected.utf8)))
    #expect(sender.requests.map(\.operation) == ["DynamoDB.GetItem", "DynamoDB.UpdateItem"])
    #expect(sender.requests.first?.json?.root["ConsistentRead"]?.bool == true)
  }

  @Test("A PutItem makes the whole item where there is none")
  func createBody() async throws {
    let sender = ScriptedSender([.text("{}"), .text("{}")])
    _ = try await catalog(sender).tableOperations.commit(commit(base: nil))
    let body = try #require(sender.requests.last)
    let version = try #require(body.json?.root["Item"]?["v"]?["S"]?.string)
    let expected = #"""
      {"TableName":"iceberg","Item":{"identifier":{"S":"db1.t1"},"namespace":{"S":"db1"},"p.metadata_location":{"S":"\#(Self.new)"},
        "p.table_type":{"S":"ICEBERG"},"created_at":{"N":"1795331879000"},"updated_at":{"N":"1795331879000"},"v":{"S":"\#(version)"}},
       "ConditionExpression":"attribute_not_exists(v)"}
      """#
    #expect(try canonical(body.body) == canonical(Array(expected.utf8)))
  }

  @Test("A rename is one transaction that carries the properties over")
  func rename() async throws {
    let sender = ScriptedSender { request, _ in
      switch request.operation {
      case "DynamoDB.GetItem": .text(Self.item)
      default: .text("{}")
      }
    }
    let entry = TableEntry(identifier: Self.table, metadataLocation: Self.base, version: "old-v", modified: nil)
    try await catalog(sender).renameTable(entry, to: TableIdentifier(namespace: Namespace(["db1"]), name: "t2"))
    let body = try #require(sender.requests.last)
    let root = try #require(body.json?.root)
    let token = try #require(root["ClientRequestToken"]?.string)
    let put = root["TransactItems"]?.elements.map { $0["Put"]?["Item"] }.last ?? nil
    let version = try #require(put?["v"]?["S"]?.string)
    let expected = #"""
      {"ClientRequestToken":"\#(token)","TransactItems":[
       {"Delete":{"TableName":"iceberg","Key":{"identifier":{"S":"db1.t1"},"namespace":{"S":"db1"}},
         "ConditionExpression":"v = :v","ExpressionAttributeValues":{":v":{"S":"old-v"}}}},
       {"Put":{"TableName":"iceberg","Item":{"identifier":{"S":"db1.t2"},"namespace":{"S":"db1"},"p.metadata_location":{"S":"\#(Self.base)"},
         "p.table_type":{"S":"ICEBERG"},"p.other":{"S":"kept"},"created_at":{"N":"1795331879000"},"updated_at":{"N":"1795331879000"},
         "v":{"S":"\#(version)"}},"ConditionExpression":"attribute_not_exists(v)"}}]}
      """#
    #expect(try canonical(body.body) == canonical(Array(expected.utf8)))
  }

  @Test(
    "The reasons of a cancelled rename are told apart, and one in the way of another is sent again",
    arguments: [
      (["ConditionalCheckFailed", "None"], CatalogError.Code.conflict, 1), (["None", "ConditionalCheckFailed"], .alreadyExists, 1),
      (["TransactionConflict", "None"], .failed, 6),
    ])
  func cancelledRename(reasons: [String], code: CatalogError.Code, sends: Int) async throws {
    let sender = ScriptedSender { request, _ in
      switch request.operation {
      case "DynamoDB.GetItem": return .text(Self.item)
      default:
        var error = AWSError(
          kind: .conditionFailed, code: "TransactionCanceledException", message: "cancelled", operation: "DynamoDB.TransactWriteItems",
          status: 400)
        error.cancellationReasons = reasons
        return ScriptedSender.Answer(status: 400, error: error)
      }
    }
    let entry = TableEntry(identifier: Self.table, metadataLocation: Self.base, version: "old-v", modified: nil)
    let error = await #expect(throws: CatalogError.self) {
      try await catalog(sender).renameTable(entry, to: TableIdentifier(namespace: Namespace(["db1"]), name: "t2"))
    }
    #expect(error?.code == code)
    #expect(sender.requests.count { $0.operation == "DynamoDB.TransactWriteItems" } == sends)
  }

  @Test("A namespace's location is written under both of its names")
  func createNamespace() async throws {
    let sender = ScriptedSender([.text("{}")])
    try await catalog(sender).createNamespace(Namespace(["a", "b"]), properties: ["location": "s3://b/x", "owner": "me"])
    let root = try #require(sender.requests.first?.json?.root)
    #expect(root["ConditionExpression"]?.string == "attribute_not_exists(v)")
    let item = root["Item"]
    #expect(item?["identifier"]?["S"]?.string == "NAMESPACE")
    #expect(item?["namespace"]?["S"]?.string == "a.b")
    #expect(item?["p.location"]?["S"]?.string == "s3://b/x")
    #expect(item?["p.default_location"]?["S"]?.string == "s3://b/x")
    #expect(item?["p.owner"]?["S"]?.string == "me")
  }

  @Test("A dropped table is deleted under the guard that was read")
  func drop() async throws {
    let sender = ScriptedSender([.text(Self.item), .text("{}")])
    try await catalog(sender).dropTable(Self.table)
    let root = try #require(sender.requests.last?.json?.root)
    #expect(root["ConditionExpression"]?.string == "v = :v")
    #expect(root["ExpressionAttributeValues"]?[":v"]?["S"]?.string == "old-v")
  }

  private func commit(base: String?) -> TableCommit {
    TableCommit(
      identifier: Self.table,
      base: base.map { TableEntry(identifier: Self.table, metadataLocation: $0, version: "1", modified: nil) },
      metadataLocation: Self.new, document: TableDocument(location: "s3://b/db1/t1"))
  }

  private func catalog(_ sender: ScriptedSender) -> DynamoDbCatalog {
    DynamoDbCatalog(
      client: DynamoDBClient(sender: sender), properties: .with(["warehouse": "s3://b"]), files: TableFiles(shared: InMemoryFileIO()),
      logger: Logger(label: "test"), clock: SleepingClock())
  }
}
