// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The reading half of DynamoDB over the catalog table of a fixed catalog.
///
/// Pages are short (`pageSize` items for the service's 1 MB), a page that ends exactly at its limit still carries a `LastEvaluatedKey`, and every
/// tenth key of a BatchGetItem comes back unprocessed the first time it is asked: what a client must cope with happens always, not rarely.
package final class DynamoDBAnswers: Sendable {
  package typealias Item = [String: JSONValue]

  private static let index = "namespace-identifier"
  private static let pageSize = 250
  private static let batchLimit = 100

  private let tableName: String
  private let born: Int
  /// All items, ordered by identifier, then namespace.
  private let items: [Item]
  private let itemsByKey: [String: Item]
  /// Keys once sent back unprocessed and not served since.
  private let deferred = Mutex<Set<String>>([])

  package init(fixture: CatalogFixture, tableName: String) {
    self.tableName = tableName
    born = fixture.born
    var items: [Item] = []
    for namespace in fixture.namespaces {
      items.append(DynamoDBAnswers.item("NAMESPACE", namespace, fixture.born, [:]))
      for table in fixture.tables[namespace] ?? [] {
        let properties = ["table_type": "ICEBERG", "metadata_location": table.metadataLocation]
        items.append(DynamoDBAnswers.item("\(namespace).\(table.name)", namespace, fixture.born, properties))
      }
    }
    self.items = items.sorted { DynamoDBAnswers.key($0) < DynamoDBAnswers.key($1) }
    itemsByKey = Dictionary(items.map { (DynamoDBAnswers.key($0), $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The status and document for an operation named without its `DynamoDB_20120810.` prefix.
  package func answer(_ operation: String, _ request: JSONValue) -> (status: Int, document: JSONValue) {
    if operation == "BatchGetItem" { return batchGetItem(request) }
    guard request["TableName"]?.string == tableName else {
      return DynamoDBAnswers.error("ResourceNotFoundException", "Requested resource not found")
    }
    switch operation {
    case "DescribeTable": return (200, .object(["Table": description]))
    case "GetItem": return getItem(request)
    case "Query": return query(request)
    default: return DynamoDBAnswers.error("ValidationException", "Operation \(operation) is not recorded")
    }
  }

  /// Forgets which keys were sent back unprocessed.
  package func reset() {
    deferred.withLock { $0 = [] }
  }

  private func getItem(_ request: JSONValue) -> (Int, JSONValue) {
    guard let key = request["Key"]?.object else { return DynamoDBAnswers.invalid("The provided key element does not match the schema") }
    guard let item = itemsByKey[DynamoDBAnswers.key(key)] else { return (200, .object([:])) }
    return (200, .object(["Item": .object(DynamoDBProjection(request).apply(item))]))
  }

  private func batchGetItem(_ request: JSONValue) -> (Int, JSONValue) {
    guard let tables = request["RequestItems"]?.object, let table = tables[tableName], tables.count == 1 else {
      return DynamoDBAnswers.error("ResourceNotFoundException", "Requested resource not found")
    }
    let keys = table["Keys"]?.array?.compactMap(\.object) ?? []
    guard (1...DynamoDBAnswers.batchLimit).contains(keys.count) else {
      return DynamoDBAnswers.invalid("Too many items requested for the BatchGetItem call")
    }
    guard Set(keys.map(DynamoDBAnswers.key)).count == keys.count else {
      return DynamoDBAnswers.invalid("Provided list of item keys contains duplicates")
    }
    let projection = DynamoDBProjection(table)
    var found: [JSONValue] = []
    var unprocessed: [JSONValue] = []
    for (position, key) in keys.enumerated() {
      if position % 10 == 9, deferOnce(DynamoDBAnswers.key(key)) {
        unprocessed.append(.object(key))
      } else if let item = itemsByKey[DynamoDBAnswers.key(key)] {
        found.append(.object(projection.apply(item)))
      }
    }
    var rest = table.object ?? [:]
    rest["Keys"] = .array(unprocessed)
    let again: JSONValue = unprocessed.isEmpty ? .object([:]) : .object([tableName: .object(rest)])
    return (200, .object(["Responses": .object([tableName: .array(found)]), "UnprocessedKeys": again]))
  }

  /// True the first time for a key, false the second, and so on.
  private func deferOnce(_ key: String) -> Bool {
    deferred.withLock { keys in
      if keys.remove(key) != nil { return false }
      keys.insert(key)
      return true
    }
  }

  private func query(_ request: JSONValue) -> (Int, JSONValue) {
    let usesIndex = request["IndexName"] != nil
    guard !usesIndex || request["IndexName"]?.string == DynamoDBAnswers.index else {
      return DynamoDBAnswers.invalid("The table does not have the specified index")
    }
    if usesIndex, request["ConsistentRead"] == .bool(true) {
      return DynamoDBAnswers.invalid("Consistent reads are not supported on global secondary indexes")
    }
    guard let condition = DynamoDBKeyCondition(request), condition.isEquality(on: usesIndex ? "namespace" : "identifier") else {
      return DynamoDBAnswers.invalid("Query condition missed key schema element")
    }
    guard request["FilterExpression"] == nil, request["Select"] == nil, request["ScanIndexForward"] != .bool(false) else {
      return DynamoDBAnswers.invalid("FilterExpression, Select and ScanIndexForward are not recorded")
    }
    var rows = items.filter(condition.holds)
    if let start = request["ExclusiveStartKey"]?.object { rows.removeAll { DynamoDBAnswers.key($0) <= DynamoDBAnswers.key(start) } }
    let limit = max(1, min(request["Limit"]?.integer ?? DynamoDBAnswers.pageSize, DynamoDBAnswers.pageSize))
    let page = rows.prefix(limit).map { usesIndex ? DynamoDBAnswers.keys(of: $0) : DynamoDBProjection(request).apply($0) }
    var document: Item = ["Items": .array(page.map { .object($0) }), "Count": .integer(page.count), "ScannedCount": .integer(page.count)]
    if page.count == limit { document["LastEvaluatedKey"] = .object(DynamoDBAnswers.keys(of: rows[limit - 1])) }
    return (200, .object(document))
  }

  private var description: JSONValue {
    let keySchema = { (hash: String, range: String) -> JSONValue in
      .array([
        .object(["AttributeName": .string(hash), "KeyType": .string("HASH")]),
        .object(["AttributeName": .string(range), "KeyType": .string("RANGE")]),
      ])
    }
    let attributes = ["identifier", "namespace"].map { JSONValue.object(["AttributeName": .string($0), "AttributeType": .string("S")]) }
    let secondary: JSONValue = .object([
      "IndexName": .string(DynamoDBAnswers.index), "IndexStatus": .string("ACTIVE"),
      "KeySchema": keySchema("namespace", "identifier"), "Projection": .object(["ProjectionType": .string("KEYS_ONLY")]),
    ])
    return .object([
      "TableName": .string(tableName), "TableStatus": .string("ACTIVE"), "AttributeDefinitions": .array(attributes),
      "KeySchema": keySchema("identifier", "namespace"), "GlobalSecondaryIndexes": .array([secondary]),
      "ItemCount": .integer(items.count), "CreationDateTime": .integer(born),
    ])
  }

  private static func item(_ identifier: String, _ namespace: String, _ born: Int, _ properties: [String: String]) -> Item {
    var item: Item = [
      "identifier": .object(["S": .string(identifier)]), "namespace": .object(["S": .string(namespace)]),
      "v": .object(["S": .string(CatalogTable(namespace: namespace, name: identifier, location: "").uuid)]),
      "created_at": .object(["N": .string("\(born * 1000)")]), "updated_at": .object(["N": .string("\(born * 1000)")]),
    ]
    for (name, value) in properties { item["p.\(name)"] = .object(["S": .string(value)]) }
    return item
  }

  private static func key(_ item: Item) -> String {
    (item["identifier"]?["S"]?.string ?? "") + "\u{0}" + (item["namespace"]?["S"]?.string ?? "")
  }

  private static func keys(of item: Item) -> Item {
    item.filter { $0.key == "identifier" || $0.key == "namespace" }
  }

  private static func invalid(_ message: String) -> (Int, JSONValue) {
    error("ValidationException", message, "com.amazon.coral.validate#")
  }

  private static func error(_ code: String, _ message: String, _ space: String = "com.amazonaws.dynamodb.v20120810#") -> (Int, JSONValue) {
    (400, .object(["__type": .string(space + code), "message": .string(message)]))
  }
}
