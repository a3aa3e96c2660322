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

@Suite("Names and places of new tables, and the catalog's own table")
struct NewTableTests {
  private static let table = TableIdentifier(namespace: Namespace(["db1"]), name: "t1")

  @Test(
    "Glue names are refused with the rule that they break, and nothing is sent",
    arguments: [
      ("t1", nil), ("", "empty"), ("T1", "'T'"), ("a.b", "'.'"), ("ä", "'ä'"), (String(repeating: "n", count: 255), nil),
      (String(repeating: "n", count: 256), "256 characters"),
    ] as [(String, String?)])
  func glueNames(_ name: String, rule: String?) throws {
    let sender = ScriptedSender([])
    let catalog = glue(sender)
    let identifier = TableIdentifier(namespace: Namespace(["db1"]), name: name)
    Self.expect(rule) { () throws(CatalogError) in try catalog.checkTableName(identifier) }
    let isLong = name.utf8.count > 252
    Self.expect(rule ?? (isLong ? "252" : nil)) { () throws(CatalogError) in try catalog.checkNamespaceName(Namespace([name])) }
    if !name.isEmpty { #expect(throws: Never.self) { try glue(sender, ["glue.skip-name-validation": "true"]).checkTableName(identifier) } }
    Self.expect("one level") { () throws(CatalogError) in try catalog.checkNamespaceName(Namespace(["a", "b"])) }
    Self.expect("one level") { () throws(CatalogError) in try catalog.checkNamespaceName(.root) }
    #expect(sender.requests.isEmpty)
  }

  @Test(
    "DynamoDB names are refused with the rule that they break, and nothing is sent",
    arguments: [
      ("t1", nil), ("T ä-1", nil), ("", "empty"), ("a.b", "dot"), (String(repeating: "n", count: 2044), nil),
      (String(repeating: "n", count: 2045), "2049 bytes"),
    ] as [(String, String?)])
  func dynamoDBNames(_ name: String, rule: String?) {
    let sender = ScriptedSender([])
    let catalog = dynamoDB(sender)
    Self.expect(rule) { () throws(CatalogError) in
      try catalog.checkTableName(TableIdentifier(namespace: Namespace(["db1"]), name: name))
    }
    let isLong = name.utf8.count > 1000
    Self.expect(isLong ? "1024" : rule) { () throws(CatalogError) in try catalog.checkNamespaceName(Namespace(["a", name])) }
    Self.expect("no level") { () throws(CatalogError) in try catalog.checkNamespaceName(.root) }
    #expect(sender.requests.isEmpty)
  }

  @Test(
    "A new Glue table goes to its database's location, else to the warehouse",
    arguments: [
      (#""LocationUri":"s3://b/x//","#, "s3://w//", "s3://b/x/t1"), ("", "s3://w/p/", "s3://w/p/db1.db/t1"),
      (#""LocationUri":"s3://b/x","#, nil, "s3://b/x/t1"), ("", nil, nil),
    ] as [(String, String?, String?)])
  func glueLocation(_ member: String, warehouse: String?, expected: String?) async throws {
    let sender = ScriptedSender([.text(#"{"Database":{\#(member)"Name":"db1"}}"#)])
    let properties = warehouse.map { ["warehouse": $0] } ?? [:]
    try await Self.expect(expected, at: glue(sender, properties))
    #expect(sender.requests.map(\.operation) == ["Glue.GetDatabase"])
    guard let expected else { return }
    try await Self.expectUnique(expected, at: glue(sender, properties.merging(["unique-table-location": "true"]) { $1 }))
  }

  @Test(
    "A new DynamoDB table goes to the namespace's default location, its location, or the warehouse",
    arguments: [
      (#","p.default_location":{"S":"s3://b/d/"},"p.location":{"S":"s3://b/l"}"#, "s3://b/d/t1"),
      (#","p.location":{"S":"s3://b/l"}"#, "s3://b/l/t1"), (#","p.default_location":{"S":""}"#, "s3://w/db1.db/t1"),
      ("", "s3://w/db1.db/t1"),
    ])
  func dynamoDBLocation(_ attributes: String, expected: String) async throws {
    let sender = ScriptedSender([.text(#"{"Item":{"v":{"S":"x"}\#(attributes)}}"#)])
    try await Self.expect(expected, at: dynamoDB(sender))
    #expect(sender.requests.map(\.operation) == ["DynamoDB.GetItem"])
    try await Self.expectUnique(expected, at: dynamoDB(sender, ["unique-table-location": "true"]))
  }

  @Test("A missing namespace has no place for tables, and an excluded name asks for none", arguments: MetastoreKind.allCases)
  func noNamespace(_ kind: MetastoreKind) async throws {
    let service = SimulatedCatalog(kind, namespaces: [])
    let (catalog, _) = try service.catalog(["warehouse": "s3://w"])
    let missing = await #expect(throws: CatalogError.self) { _ = try await catalog.defaultLocation(of: Self.table) }
    #expect(missing?.code == .namespaceNotFound)
    let sent = service.order.count
    let excluded = await #expect(throws: CatalogError.self) {
      _ = try await catalog.defaultLocation(of: TableIdentifier(namespace: Namespace(["db1"]), name: "a.b"))
    }
    #expect(excluded?.code == .invalid)
    #expect(service.order.count == sent)
  }

  @Test("The first namespace makes the catalog's table and waits until it is active")
  func firstNamespace() async throws {
    let service = SimulatedCatalog(.dynamodb, namespaces: [], hasTable: false)
    let (catalog, _) = try service.catalog()
    try await catalog.createNamespace(Namespace(["db1"]), properties: [:])
    #expect(service.hasNamespace("db1"))
    #expect(
      service.order == ["PutItem", "DescribeTable", "CreateTable", "DescribeTable", "DescribeTable", "DescribeTable", "PutItem"])
    try await catalog.createIfMissing()
    #expect(service.order.last == "DescribeTable" && service.order.count == 8)
  }

  @Test("Reading, dropping and renaming make no table")
  func readersMakeNone() async throws {
    let service = SimulatedCatalog(.dynamodb, namespaces: [], hasTable: false)
    let (catalog, _) = try service.catalog(["warehouse": "s3://w"])
    let entry = TableEntry(identifier: Self.table, metadataLocation: "s3://b/m", version: nil, modified: nil)
    let commit = TableCommit(
      identifier: Self.table, base: entry, metadataLocation: "s3://b/n", document: TableDocument(location: "s3://b"))
    let calls: [@Sendable () async throws -> Void] = [
      { _ = try await catalog.listNamespaces(under: .root, after: nil) }, { _ = try await catalog.loadTable(Self.table) },
      { try await catalog.dropNamespace(Namespace(["db1"])) }, { try await catalog.dropTable(entry.identifier) },
      { try await catalog.renameTable(entry, to: TableIdentifier(namespace: Namespace(["db1"]), name: "t2")) },
      { _ = try await catalog.defaultLocation(of: Self.table) }, { _ = try await catalog.tableOperations.commit(commit) },
    ]
    for call in calls {
      let error = await #expect(throws: CatalogError.self) { try await call() }
      #expect(error?.code == .catalogNotFound)
    }
    #expect(!service.hasTable)
  }

  @Test("The catalog's table is the one that Java makes; one that never becomes active ends the wait")
  func definition() async throws {
    let sender = ScriptedSender { request, _ in
      switch request.operation {
      case "DynamoDB.PutItem": .failure(.notFound, code: "ResourceNotFoundException", status: 400)
      case "DynamoDB.DescribeTable": .text(#"{"Table":{"TableName":"lake","TableStatus":"CREATING"}}"#)
      default: .text("{}")
      }
    }
    let catalog = dynamoDB(sender, ["dynamodb.table-name": "lake"])
    let error = await #expect(throws: CatalogError.self) { try await catalog.createNamespace(Namespace(["db1"]), properties: [:]) }
    #expect(error?.code == .failed && error?.message.contains("'lake'") == true)
    #expect(sender.requests.count { $0.operation == "DynamoDB.DescribeTable" } == 7)
    let fresh = ScriptedSender { request, number in
      guard request.operation == "DynamoDB.DescribeTable" else { return .text("{}") }
      return number == 0
        ? .failure(.notFound, code: "ResourceNotFoundException", status: 400)
        : .text(#"{"Table":{"TableName":"lake","TableStatus":"ACTIVE"}}"#)
    }
    try await dynamoDB(fresh, ["dynamodb.table-name": "lake"]).createIfMissing()
    let expected = #"""
      {"TableName":"lake","AttributeDefinitions":[{"AttributeName":"identifier","AttributeType":"S"},
        {"AttributeName":"namespace","AttributeType":"S"}],
       "KeySchema":[{"AttributeName":"identifier","KeyType":"HASH"},{"AttributeName":"namespace","KeyType":"RANGE"}],
       "GlobalSecondaryIndexes":[{"IndexName":"namespace-identifier","KeySchema":[{"AttributeName":"namespace","KeyType":"HASH"},
         {"AttributeName":"identifier","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
       "BillingMode":"PAY_PER_REQUEST"}
      """#
    let request = try #require(fresh.requests.first { $0.operation == "DynamoDB.CreateTable" })
    #expect(try canonical(request.body) == canonical(Array(expected.utf8)))
  }

  // MARK: parts

  private static func expect(_ location: String?, at catalog: any WritableCatalog) async throws {
    guard let location else {
      let error = await #expect(throws: CatalogError.self) { _ = try await catalog.defaultLocation(of: table) }
      #expect(error?.code == .invalid && error?.message.contains("warehouse") == true)
      return
    }
    #expect(try await catalog.defaultLocation(of: table) == location)
  }

  private static func expectUnique(_ location: String, at catalog: any WritableCatalog) async throws {
    let (first, second) = (try await catalog.defaultLocation(of: table), try await catalog.defaultLocation(of: table))
    #expect(first != second)
    for unique in [first, second] {
      #expect(unique.hasPrefix("\(location)-"))
      let suffix = unique.dropFirst(location.count + 1)
      #expect(suffix.count == 32 && suffix.allSatisfy(\.isHexDigit))
    }
  }

  private static func expect(_ rule: String?, _ body: () throws(CatalogError) -> Void) {
    do throws(CatalogError) {
      try body()
      #expect(rule == nil)
    } catch {
      #expect(error.code == .invalid)
      #expect(rule.map { error.message.contains($0) } == true, "\(error)")
    }
  }

  private func glue(_ sender: ScriptedSender, _ properties: [String: String] = [:]) -> GlueCatalog {
    GlueCatalog(
      client: GlueClient(sender: sender, catalogID: nil), properties: .with(properties), files: TableFiles(shared: InMemoryFileIO()),
      logger: Logger(label: "test"), clock: SleepingClock())
  }

  private func dynamoDB(_ sender: ScriptedSender, _ properties: [String: String] = [:]) -> DynamoDbCatalog {
    DynamoDbCatalog(
      client: DynamoDBClient(sender: sender), properties: .with(properties.merging(["warehouse": "s3://w"]) { $1 }),
      files: TableFiles(shared: InMemoryFileIO()), logger: Logger(label: "test"), clock: SleepingClock())
  }
}
