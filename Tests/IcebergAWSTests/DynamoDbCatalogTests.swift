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

@Suite("DynamoDbCatalog against recorded answers")
struct DynamoDbCatalogTests {
  @Test("1,000 tables cost one query and ten BatchGetItems of 100 consistent keys")
  func requestsOfALongListing() async throws {
    let names = (0..<1000).map { "t\($0)" }
    let sender = ScriptedSender { request, _ in
      guard request.operation == "DynamoDB.BatchGetItem" else {
        let items = ["NAMESPACE"] + names.map { "db.\($0)" }
        return .text(#"{"Items":[\#(items.map { key($0, "db") }.joined(separator: ","))]}"#)
      }
      return answer(to: request)
    }
    let page = try await catalog(sender).listTables(in: Namespace(["db"]), after: nil)
    #expect(page.entries.map(\.identifier.name) == names)
    #expect(page.entries.last?.metadataLocation == "s3://b/db.t999")
    #expect(page.entries.last?.modified == 1_700_000_000_000_000_000)
    let batches = sender.requests.filter { $0.operation == "DynamoDB.BatchGetItem" }
    #expect(batches.count == 10)
    #expect(sender.requests.count == 11)
    for batch in batches {
      let order = batch.json?.root["RequestItems"]?["iceberg"]
      #expect(order?["ConsistentRead"]?.bool == true)
      #expect(order?["Keys"].map { Array($0.elements).count } == 100)
    }
    let query = try #require(sender.requests.first?.json?.root)
    #expect(query["IndexName"]?.string == "namespace-identifier")
    #expect(query["KeyConditionExpression"]?.string == "namespace = :ns")
    #expect(query["ConsistentRead"] == nil)
  }

  @Test("A table dropped after the index named it does not show, and pages go on where the last ended")
  func droppedMeanwhile() async throws {
    let sender = ScriptedSender { request, _ in
      if request.operation == "DynamoDB.BatchGetItem" { return .text(#"{"Responses":{"iceberg":[]}}"#) }
      return .text(#"{"Items":[\#(key("db.gone", "db"))],"LastEvaluatedKey":\#(key("db.gone", "db"))}"#)
    }
    let catalog = catalog(sender)
    let page = try await catalog.listTables(in: Namespace(["db"]), after: nil)
    #expect(page.entries.isEmpty)
    let next = try #require(page.next)
    await #expect(throws: CatalogError.self, "the same place again is no progress") {
      _ = try await catalog.listTables(in: Namespace(["db"]), after: next)
    }
    #expect(sender.requests.last?.json?.root["ExclusiveStartKey"]?["identifier"]?["S"]?.string == "db.gone")
  }

  @Test("Names of the table that differ only in their Unicode form keep their own pointers")
  func unicodeForms() async throws {
    let names = ["\u{e9}", "e\u{301}"]
    let sender = ScriptedSender { request, _ in
      request.operation == "DynamoDB.BatchGetItem"
        ? answer(to: request) : .text(#"{"Items":[\#(names.map { key("db.\($0)", "db") }.joined(separator: ","))]}"#)
    }
    let entries = try await catalog(sender).listTables(in: Namespace(["db"]), after: nil).entries
    #expect(entries.count == 2)
    for entry in entries {
      #expect(Array(entry.metadataLocation.utf8) == Array("s3://b/db.\(entry.identifier.name)".utf8))
    }
  }

  @Test("Children of a namespace are asked for with its dot, so that siblings of the same beginning stay out")
  func childrenRequest() async throws {
    let sender = ScriptedSender([.text(#"{"Items":[]}"#)])
    _ = try await catalog(sender).listNamespaces(under: Namespace(["db1", "x"]), after: nil)
    let request = try #require(sender.requests.first?.json?.root)
    #expect(request["KeyConditionExpression"]?.string == "identifier = :identifier AND begins_with(namespace, :ns)")
    #expect(request["ExpressionAttributeValues"]?[":ns"]?["S"]?.string == "db1.x.")
    #expect(request["ExpressionAttributeValues"]?[":identifier"]?["S"]?.string == "NAMESPACE")
    #expect(request["ConsistentRead"]?.bool == true)
  }

  @Test("A parent without an item shows once, though its children come on two pages and its siblings between")
  func impliedParents() async throws {
    // In DynamoDB's order: `a-b` stands between `a` and `a.b`, as `-` comes before the dot.
    let pages = [["a", "a-b", "a.b", "lone.x"], ["lone.y", "lone.y.z", "z..bad", "zz"]]
    let sender = ScriptedSender { request, _ in
      if request.operation == "DynamoDB.BatchGetItem" { return .text(#"{"Responses":{"iceberg":[]}}"#) }
      let isFirst = request.json?.root["ExclusiveStartKey"] == nil
      let items = pages[isFirst ? 0 : 1].map { key("NAMESPACE", $0) }.joined(separator: ",")
      return .text(#"{"Items":[\#(items)]\#(isFirst ? #","LastEvaluatedKey":\#(key("NAMESPACE", "lone.x"))"# : "")}"#)
    }
    let catalog = catalog(sender)
    let first = try await catalog.listNamespaces(under: .root, after: nil)
    let second = try await catalog.listNamespaces(under: .root, after: first.next)
    #expect(first.entries.map { "\($0.namespace)" } == ["a", "a-b", "lone"])
    #expect(second.entries.map { "\($0.namespace)" } == ["zz"])
    #expect(second.next == nil)
    #expect(sender.requests.filter { $0.operation == "DynamoDB.BatchGetItem" }.count == 1)
  }

  @Test("A parent whose item stood on an earlier page does not show again")
  func parentOnEarlierPage() async throws {
    let sender = ScriptedSender { request, _ in
      request.operation == "DynamoDB.BatchGetItem"
        ? .text(#"{"Responses":{"iceberg":[\#(key("NAMESPACE", "a"))]}}"#) : .text(#"{"Items":[\#(key("NAMESPACE", "a.b"))]}"#)
    }
    let start = DynamoDBKey(["identifier": "NAMESPACE", "namespace": "a-b"]).token
    #expect(try await catalog(sender).listNamespaces(under: .root, after: start).entries.isEmpty)
  }

  @Test("A namespace without an item is there if it has children")
  func impliedNamespace() async throws {
    let sender = ScriptedSender { request, _ in
      request.operation == "DynamoDB.GetItem" ? .text("{}") : .text(#"{"Items":[\#(key("NAMESPACE", "a.b"))]}"#)
    }
    #expect(
      try await catalog(sender).loadNamespace(Namespace(["a"]))
        == NamespaceEntry(namespace: Namespace(["a"]), modified: nil, properties: [:]))
    #expect(sender.requests.last?.json?.root["Limit"]?.int64 == 1)
  }

  @Test("Names that no call can take are answered without a request")
  func excludedNames() async throws {
    let sender = ScriptedSender([])
    let catalog = catalog(sender)
    for name in ["", "a.b", ".", String(repeating: "n", count: 1025)] {
      #expect(try await catalog.loadNamespace(Namespace([name])) == nil)
      #expect(try await catalog.loadNamespace(Namespace(["ok", name])) == nil)
      #expect(try await catalog.loadTable(TableIdentifier(namespace: Namespace([name]), name: "t")) == nil)
    }
    for name in ["", "a.b", ".", String(repeating: "n", count: 2048)] {
      #expect(try await catalog.loadTable(TableIdentifier(namespace: Namespace(["ok"]), name: name)) == nil)
    }
    #expect(try await catalog.loadNamespace(.root) == nil)
    #expect(try await catalog.listNamespaces(under: Namespace([""]), after: nil).entries.isEmpty)
    #expect(sender.requests.isEmpty)
  }

  @Test(
    "A row is a table if it has a pointer and does not say it is something else",
    arguments: [
      (#""p.metadata_location":{"S":"s3://b/m"}"#, true),
      (#""p.metadata_location":{"S":"s3://b/m"},"p.table_type":{"S":"iceberg"}"#, true),
      (#""p.metadata_location":{"S":"s3://b/m"},"p.table_type":{"S":"hudi"}"#, false),
      (#""p.metadata_location":{"S":""}"#, false), (#""p.metadata_location":{"N":"1"}"#, false), (#""v":{"S":"1"}"#, false),
    ])
  func rows(attributes: String, isTable: Bool) async throws {
    let sender = ScriptedSender([.text(#"{"Item":{\#(attributes)}}"#)])
    let entry = try await catalog(sender).loadTable(TableIdentifier(namespace: Namespace(["a", "b"]), name: "t"))
    #expect((entry != nil) == isTable)
    let request = try #require(sender.requests.first?.json?.root)
    #expect(request["Key"]?["identifier"]?["S"]?.string == "a.b.t")
    #expect(request["Key"]?["namespace"]?["S"]?.string == "a.b")
    #expect(request["ConsistentRead"]?.bool == true)
  }

  @Test("All tables are found by one consistent scan, page by page, whether or not their namespaces have items")
  func scan() async throws {
    let rows = [
      #""p.owner":{"S":"x"},"p.metadata_location":{"S":"a property"},"identifier":{"S":"NAMESPACE"},"namespace":{"S":"db"}"#,
      #""identifier":{"S":"db.t"},"namespace":{"S":"db"},"p.metadata_location":{"S":"s3://b/1"},"v":{"S":"7"},"updated_at":{"N":"1"}"#,
      #""identifier":{"S":"gone.deep.t"},"namespace":{"S":"gone.deep"},"p.metadata_location":{"S":"s3://b/2"}"#,
      #""identifier":{"S":"db.log"},"namespace":{"S":"db"},"p.metadata_location":{"S":"s3://b/3"},"p.table_type":{"S":"HIVE"}"#,
      #""identifier":{"S":"db.half_made"},"namespace":{"S":"db"},"p.table_type":{"S":"ICEBERG"}"#,
    ]
    let sender = ScriptedSender { request, _ in
      let isFirst = request.json?.root["ExclusiveStartKey"] == nil
      let items = (isFirst ? rows[..<2] : rows[2...]).map { "{\($0)}" }.joined(separator: ",")
      return .text(#"{"Items":[\#(items)]\#(isFirst ? #","LastEvaluatedKey":\#(key("db.t", "db"))"# : "")}"#)
    }
    let inventory = try await catalog(sender).allTables()
    #expect(Set(inventory.tables.values.map { "\($0.identifier) \($0.metadataLocation)" }) == ["db.t s3://b/1", "gone.deep.t s3://b/2"])
    #expect(inventory.unclear.isEmpty)
    let table = try #require(inventory.tables[TableIdentifier(namespace: Namespace(["db"]), name: "t")])
    #expect(table.version == "7" && table.modified == 1_000_000)
    #expect(sender.requests.map(\.operation) == ["DynamoDB.Scan", "DynamoDB.Scan"])
    let request = try #require(sender.requests.first?.json?.root)
    #expect(request["TableName"]?.string == "iceberg" && request["ConsistentRead"]?.bool == true)
    #expect(request["ProjectionExpression"]?.string == "#a0,#a1,#a2,#a3,#a4,#a5")
    #expect(
      request["ExpressionAttributeNames"]?.members.compactMap(\.value.string)
        == ["identifier", "namespace", "p.metadata_location", "p.table_type", "v", "updated_at"])
    #expect(sender.requests[1].json?.root["ExclusiveStartKey"]?["identifier"]?["S"]?.string == "db.t")
  }

  @Test(
    "A row with a pointer that is no table as Iceberg writes them is named, not left out",
    arguments: [
      (#""identifier":{"S":"other.t"},"namespace":{"S":"db"},"p.metadata_location":{"S":"s3://b/m"}"#, "other.t"),
      (#""identifier":{"S":"db.a.b"},"namespace":{"S":"db"},"p.metadata_location":{"S":"s3://b/m"}"#, "db.a.b"),
      (#""identifier":{"S":"a..b.t"},"namespace":{"S":"a..b"},"p.metadata_location":{"S":"s3://b/m"}"#, "a..b.t"),
      (
        #""identifier":{"S":"db.v"},"namespace":{"S":"db"},"p.metadata_location":{"S":"s3://b/m"},"p.table_type":{"S":"ICEBERG_VIEW"}"#,
        "db.v"
      ),
      (#""identifier":{"S":"db.n"},"namespace":{"S":"db"},"p.metadata_location":{"N":"1"}"#, "db.n"),
    ])
  func unclear(row: String, identifier: String) async throws {
    let sender = ScriptedSender([.text(#"{"Items":[{\#(row)}]}"#)])
    let inventory = try await catalog(sender).allTables()
    #expect(inventory.tables.isEmpty && inventory.unclear.count == 1)
    #expect(inventory.unclear.first?.contains("'\(identifier)'") == true)
  }

  @Test("A scan without items, or that is refused, is an error and no empty catalog")
  func failedScan() async {
    for answer in [ScriptedSender.Answer.text("{}"), .failure(.accessDenied, code: "AccessDeniedException", status: 400)] {
      let sender = ScriptedSender([answer])
      await #expect(throws: CatalogError.self) { _ = try await catalog(sender).allTables() }
    }
  }

  @Test("A missing catalog table is said in a sentence, and nothing is created")
  func missingTable() async {
    let sender = ScriptedSender([.failure(.notFound, code: "ResourceNotFoundException", status: 400)])
    let catalog = catalog(sender, ["dynamodb.table-name": "lake"])
    let error = await #expect(throws: CatalogError.self) { _ = try await catalog.listNamespaces(under: .root, after: nil) }
    #expect(error?.code == .catalogNotFound)
    #expect(error?.message.contains("'lake'") == true)
    #expect(error?.requestID == "request-7")
    #expect(sender.requests.map(\.operation) == ["DynamoDB.Query"])
  }

  @Test("A page token of another catalog is refused without a request")
  func foreignToken() async {
    let sender = ScriptedSender([])
    await #expect(throws: CatalogError.self) { _ = try await catalog(sender).listTables(in: Namespace(["db"]), after: "t99") }
    #expect(sender.requests.isEmpty)
  }

  private func catalog(_ sender: ScriptedSender, _ properties: [String: String] = [:]) -> DynamoDbCatalog {
    DynamoDbCatalog(
      client: DynamoDBClient(sender: sender), properties: .with(properties), files: TableFiles(shared: InMemoryFileIO()),
      logger: Logger(label: "test"))
  }
}

private func key(_ identifier: String, _ namespace: String) -> String {
  #"{"identifier":{"S":"\#(identifier)"},"namespace":{"S":"\#(namespace)"}}"#
}

/// Every key that is asked for, as a table.
private func answer(to request: AWSRequest) -> ScriptedSender.Answer {
  var items: [String] = []
  if let keys = request.json?.root["RequestItems"]?["iceberg"]?["Keys"] {
    for element in keys.elements {
      let identifier = element["identifier"]?["S"]?.string ?? ""
      items.append(
        #"{"identifier":{"S":"\#(identifier)"},"namespace":{"S":"db"},"p.metadata_location":{"S":"s3://b/\#(identifier)"},"#
          + #""updated_at":{"N":"1700000000000"}}"#)
    }
  }
  return .text(#"{"Responses":{"iceberg":[\#(items.joined(separator: ","))]}}"#)
}
