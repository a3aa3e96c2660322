// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg
import Logging

/// Changes of the catalog besides commits. Source: spec/dynamodb.md §5, §7, §9.
extension DynamoDbCatalog: WritableCatalog {
  /// Further sends of a transaction that another one was in the way of.
  private static let transactionRetries = 5

  package var tableOperations: any TableOperations {
    DynamoDbTableOperations(client: client, table: table, files: files, clock: clock)
  }

  /// A `location` is written under both of its names: Java reads `default_location`, PyIceberg `location`.
  package func createNamespace(_ namespace: Namespace, properties: [String: String]) async throws(CatalogError) {
    guard let key = DynamoDbNames.key(of: namespace) else { throw Self.badName("\(namespace)") }
    var properties = properties
    if let location = properties["location"] { properties["default_location"] = properties["default_location"] ?? location }
    let version = RandomUUID.text()
    let item = newItem(key, version: version, properties: properties.map { ("p.\($0.key)", .string($0.value)) })
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      do throws(AWSError) {
        try await client.putItem(table: table, item: item, condition: DynamoDBCondition("attribute_not_exists(v)"))
      } catch {
        if !CommitRefusal(error: error).needsNoCheck, await read(key)?["v"]?.string == version { return }
        guard error.kind == .conditionFailed else { throw failure(error, "Cannot create namespace \(namespace)") }
        throw CatalogError(code: .alreadyExists, message: "Namespace already exists: \(namespace)", requestID: error.requestID)
      }
    }
  }

  package func dropNamespace(_ namespace: Namespace) async throws(CatalogError) {
    guard let key = DynamoDbNames.key(of: namespace), let text = DynamoDbNames.text(of: namespace) else {
      throw Self.noNamespace(namespace)
    }
    for _ in 0..<2 { try await requireEmpty(namespace, text) }
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      do throws(AWSError) {
        try await client.deleteItem(table: table, key: key, condition: DynamoDBCondition("attribute_exists(namespace)"))
      } catch {
        guard error.kind == .conditionFailed else { throw failure(error, "Cannot drop namespace \(namespace)") }
        if error.attempts <= 1 { throw Self.noNamespace(namespace) }
      }
      do throws(CatalogError) {
        try await requireEmpty(namespace, text)
      } catch {
        log.hidden(text, "namespace was dropped while a table was made in it: the table has no namespace now")
      }
    }
  }

  package func dropTable(_ entry: TableEntry) async throws(CatalogError) {
    let (key, version) = try await unchanged(entry)
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      do throws(AWSError) {
        try await client.deleteItem(table: table, key: key, condition: DynamoDBCondition("v = :v", values: [":v": .string(version)]))
      } catch {
        guard error.kind == .conditionFailed else { throw failure(error, "Cannot drop table \(entry.identifier)") }
        // After a second send, the first one may have deleted it.
        guard error.attempts > 1, await isAbsent(key) else { throw Self.moved(entry.identifier) }
      }
    }
  }

  /// One transaction: the item under the old key goes and the one under the new key comes, or neither. Source: spec/dynamodb.md §5.2.
  package func renameTable(_ entry: TableEntry, to target: TableIdentifier) async throws(CatalogError) {
    guard let newKey = DynamoDbNames.key(of: target) else { throw Self.badName("\(target)") }
    guard try await loadNamespace(target.namespace) != nil else { throw Self.noNamespace(target.namespace) }
    let (key, version) = try await unchanged(entry)
    guard let item = await read(key) else { throw Self.moved(entry.identifier) }
    let properties = item.filter { $0.key.utf8.starts(with: "p.".utf8) }.map { ($0.key, $0.value) }
    let newVersion = RandomUUID.text()
    let writes: [DynamoDBTransactWrite] = [
      .delete(table: table, key: key, condition: DynamoDBCondition("v = :v", values: [":v": .string(version)])),
      .put(
        table: table, item: newItem(newKey, version: newVersion, properties: properties),
        condition: DynamoDBCondition("attribute_not_exists(v)")),
    ]
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      try await transact(writes, entry.identifier, target, newKey, newVersion)
    }
  }

  // MARK: parts

  private func transact(
    _ writes: [DynamoDBTransactWrite], _ source: TableIdentifier, _ target: TableIdentifier, _ newKey: DynamoDBKey, _ newVersion: String
  ) async throws(CatalogError) {
    var retries = 0
    while true {
      let error: AWSError
      do {
        // A new token each time: under the old one the service repeats its old answer.
        try await client.transactWriteItems(writes, token: RandomUUID.text())
        return
      } catch let failure {
        error = failure
      }
      if !CommitRefusal(error: error).needsNoCheck, await read(newKey)?["v"]?.string == newVersion { return }
      let reasons = error.cancellationReasons
      if reasons.first == "ConditionalCheckFailed" { throw Self.moved(source) }
      if reasons.last == "ConditionalCheckFailed" {
        throw CatalogError(code: .alreadyExists, message: "Table already exists: \(target)", requestID: error.requestID)
      }
      guard reasons.contains("TransactionConflict"), retries < Self.transactionRetries else {
        var whole = failure(error, "Cannot rename \(source) to \(target)")
        if !CommitRefusal(error: error).isDefinite { whole.code = .unknown }
        throw whole
      }
      retries += 1
      try? await clock.sleep(for: .milliseconds(50 << retries) * clock.random())
    }
  }

  private func unchanged(_ entry: TableEntry) async throws(CatalogError) -> (key: DynamoDBKey, version: String) {
    let identifier = entry.identifier
    guard let key = DynamoDbNames.key(of: identifier) else { throw Self.noTable(identifier) }
    let item: DynamoDBItem?
    do {
      item = try await client.getItem(table: table, key: key, consistentRead: true)
    } catch {
      throw failure(error, "Cannot load table \(identifier)")
    }
    guard let item else { throw Self.noTable(identifier) }
    guard let version = item["v"]?.string,
      item["p.metadata_location"]?.string?.utf8.elementsEqual(entry.metadataLocation.utf8) == true
    else { throw Self.moved(identifier) }
    return (key, version)
  }

  /// The tables come from the index, which lags behind: a table just made may be missed, and then stays without a namespace.
  private func requireEmpty(_ namespace: Namespace, _ text: String) async throws(CatalogError) {
    do {
      var after: DynamoDBKey?
      repeat {
        let page = try await client.query(
          table: table, index: DynamoDbNames.index, condition: "namespace = :ns", values: [(":ns", text)], consistentRead: false,
          after: after)
        if let found = page.items.compactMap({ $0[DynamoDbNames.identifier]?.string })
          .first(where: { $0 != DynamoDbNames.namespaceIdentifier })
        {
          throw Self.notEmpty(namespace, found)
        }
        after = page.lastEvaluatedKey
      } while after != nil
      let children = try await client.query(
        table: table, condition: Self.childrenCondition,
        values: [(":identifier", DynamoDbNames.namespaceIdentifier), (":ns", "\(text).")], consistentRead: true, limit: 1, after: nil)
      if let child = children.items.first { throw Self.notEmpty(namespace, child[DynamoDbNames.namespace]?.string ?? "") }
    } catch let error as AWSError {
      throw failure(error, "Cannot list the tables in \(namespace)")
    } catch let error as CatalogError {
      throw error
    } catch {
      throw CatalogError(code: .failed, message: "Cannot list the tables in \(namespace): \(error)")
    }
  }

  private func newItem(_ key: DynamoDBKey, version: String, properties: [(key: String, value: DynamoDBValue)]) -> DynamoDBItem {
    let now = DynamoDBValue.number("\(Int64((clock.wallSeconds() * 1000).rounded(.down)))")
    var item: DynamoDBItem = ["created_at": now, "updated_at": now, "v": .string(version)]
    for (name, value) in key.attributes { item[name] = .string(value) }
    for (name, value) in properties { item[name] = value }
    return item
  }

  /// Nil if it is not there or cannot be read.
  private func read(_ key: DynamoDBKey) async -> DynamoDBItem? {
    guard let found = try? await client.getItem(table: table, key: key, consistentRead: true) else { return nil }
    return found
  }

  private func isAbsent(_ key: DynamoDBKey) async -> Bool {
    do {
      return try await client.getItem(table: table, key: key, consistentRead: true) == nil
    } catch {
      return false
    }
  }

  private static func badName(_ name: String) -> CatalogError {
    CatalogError(code: .invalid, message: "Cannot use '\(name)' as a name: a level is empty, holds a dot, or it is too long")
  }

  private static func notEmpty(_ namespace: Namespace, _ found: String) -> CatalogError {
    CatalogError(code: .notEmpty, message: "Cannot drop namespace \(namespace) because it still contains \(found)")
  }

  private static func noNamespace(_ namespace: Namespace) -> CatalogError {
    CatalogError(code: .namespaceNotFound, message: "Cannot find namespace \(namespace)")
  }

  private static func noTable(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .tableNotFound, message: "Cannot find table \(identifier)")
  }

  private static func moved(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .conflict, message: "\(identifier) was committed to or dropped meanwhile")
  }
}
