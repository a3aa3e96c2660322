// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg
import Logging

/// Changes of the catalog besides commits. Source: spec/dynamodb.md §5, §7, §9.
extension DynamoDbCatalog: WritableCatalog {
  package var tableOperations: any TableOperations {
    DynamoDbTableOperations(client: client, table: table, files: files, clock: clock)
  }

  /// The catalog's table, as Java and PyIceberg make it. Source: spec/dynamodb.md §3.
  static func definition(_ name: String) -> DynamoDBTableDefinition {
    DynamoDBTableDefinition(
      name: name, key: .init(hash: DynamoDbNames.identifier, range: DynamoDbNames.namespace),
      indexes: [.init(name: DynamoDbNames.index, key: .init(hash: DynamoDbNames.namespace, range: DynamoDbNames.identifier))])
  }

  /// One request where the table is there; else it waits until the table and its index can be used, a minute at most.
  package func createIfMissing() async throws(CatalogError) {
    try await Self.createIfMissing(table, client: client, clock: clock)
  }

  static func createIfMissing(_ table: String, client: DynamoDBClient, clock: any AWSClock) async throws(CatalogError) {
    let setup = DynamoDbTableSetup(client: client, clock: TableSetupClock(clock: clock))
    do {
      try await setup.ensure(definition(table), until: clock.elapsed() + creationLimit)
    } catch {
      throw CatalogError(error, "Cannot create the DynamoDB table '\(table)' of the catalog")
    }
  }

  /// Somebody waits for the answer; DynamoDB takes some ten seconds.
  private static let creationLimit = Duration.seconds(60)

  /// A `location` is written under both of its names: Java reads `default_location`, PyIceberg `location`. Where the catalog's table is
  /// missing, it is made.
  package func createNamespace(_ namespace: Namespace, properties: [String: String]) async throws(CatalogError) {
    try checkNamespaceName(namespace)
    guard let key = DynamoDbNames.key(of: namespace) else { throw Self.noNamespace(namespace) }
    var properties = properties
    if let location = properties["location"] { properties["default_location"] = properties["default_location"] ?? location }
    let version = RandomUUID.text()
    let item = newItem(key, version: version, properties: properties.map { ("p.\($0.key)", .string($0.value)) })
    do throws(CatalogError) {
      try await putNamespace(namespace, key, item, version)
    } catch {
      guard error.code == .catalogNotFound else { throw error }
      try await createIfMissing()
      try await putNamespace(namespace, key, item, version)
    }
  }

  private func putNamespace(
    _ namespace: Namespace, _ key: DynamoDBKey, _ item: DynamoDBItem, _ version: String
  ) async throws(CatalogError) {
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      do throws(AWSError) {
        try await client.putItem(table: table, item: item, condition: DynamoDBCondition("attribute_not_exists(v)"))
      } catch {
        let refusal = CommitRefusal(error: error)
        let problem = "Creation of namespace \(namespace)"
        let exists = CatalogError(code: .alreadyExists, message: "Namespace already exists: \(namespace)", requestID: error.requestID)
        if !refusal.needsNoCheck {
          let found = try await readBack(key, problem, error)
          if found?["v"]?.string == version { return }
          if found != nil { throw exists }
          if !refusal.isDefinite {
            throw .open(
              problem, error, "it is not there, but the request may be on its way: look whether it has appeared in a minute")
          }
        }
        throw error.kind == .conditionFailed ? exists : failure(error, "Cannot create namespace \(namespace)")
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
        try await settleDrop(of: namespace, key, CommitRefusal(error: error))
      }
      do throws(CatalogError) {
        try await requireEmpty(namespace, text)
      } catch {
        guard error.code == .notEmpty else { return }
        log.hidden(text, "namespace was dropped while a table was made in it: the table has no namespace now")
      }
    }
  }

  private func settleDrop(of namespace: Namespace, _ key: DynamoDBKey, _ refusal: CommitRefusal) async throws(CatalogError) {
    let error = refusal.error
    if refusal.isDefinite {
      throw error.kind == .conditionFailed ? Self.noNamespace(namespace) : failure(error, "Cannot drop namespace \(namespace)")
    }
    // The condition is that there is one: an earlier send may have dropped it.
    if error.kind == .conditionFailed { return }
    let problem = "Drop of namespace \(namespace)"
    guard try await readBack(key, problem, error) == nil else {
      throw .open(problem, error, "it is still there, but the request may be on its way: look at it again in a minute")
    }
  }

  /// Each try is guarded by the item it saw, so that a lost answer can be settled; one that a commit was faster than is followed by another.
  package func dropTable(_ identifier: TableIdentifier) async throws(CatalogError) {
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      var first: DynamoDBItem?
      for _ in 0..<Self.dropTries {
        guard let key = DynamoDbNames.key(of: identifier), let item = try await item(key, identifier),
          Self.entry(of: item, identifier) != nil, let version = item["v"]
        else { throw Self.noTable(identifier) }
        if let first, item["created_at"] != first["created_at"] { throw Self.moved(identifier) }
        first = item
        do throws(AWSError) {
          return try await client.deleteItem(table: table, key: key, condition: DynamoDBCondition("v = :v", values: [":v": version]))
        } catch {
          if try await isDropped(identifier, key, item, CommitRefusal(error: error)) { return }
        }
      }
      throw Self.moved(identifier)
    }
  }

  /// Commits by which a drop may be overtaken. Two programs that commit without a pause were seen to overtake it for a minute on a busy
  /// machine where it was tried once.
  private static let dropTries = 10

  /// Whether a drop took effect whose answer was an error; false if none of its sends can any more.
  private func isDropped(
    _ table: TableIdentifier, _ key: DynamoDBKey, _ item: DynamoDBItem, _ refusal: CommitRefusal
  ) async throws(CatalogError) -> Bool {
    let error = refusal.error
    if refusal.isDefinite {
      guard error.kind == .conditionFailed else { throw failure(error, "Cannot drop table \(table)") }
      return false
    }
    let problem = "Drop of table \(table)"
    guard let now = try await readBack(key, problem, error) else { return true }
    // Another table of the same name, made since: the one that was to go is gone.
    if now["created_at"] != item["created_at"] { return true }
    // A guard that has moved never comes back.
    if now["v"] != item["v"] { return false }
    throw .open(
      problem, error,
      "it is still there, but the request may be on its way: look at it again in a minute, and drop it then if it is still meant to go")
  }

  // MARK: parts

  /// The item as the caller saw it, with a guard.
  func unchanged(_ entry: TableEntry) async throws(CatalogError) -> (key: DynamoDBKey, item: DynamoDBItem) {
    let identifier = entry.identifier
    guard let key = DynamoDbNames.key(of: identifier), let item = try await item(key, identifier) else { throw Self.noTable(identifier) }
    guard item["v"]?.string != nil, item["p.metadata_location"]?.string?.utf8.elementsEqual(entry.metadataLocation.utf8) == true else {
      throw Self.moved(identifier)
    }
    return (key, item)
  }

  func item(_ key: DynamoDBKey, _ identifier: TableIdentifier) async throws(CatalogError) -> DynamoDBItem? {
    do {
      return try await client.getItem(table: table, key: key, consistentRead: true)
    } catch {
      throw failure(error, "Cannot load table \(identifier)")
    }
  }

  /// What is under a key after an answer was lost; throws `unknown` if that cannot be found out.
  func readBack(_ key: DynamoDBKey, _ problem: String, _ error: AWSError) async throws(CatalogError) -> DynamoDBItem? {
    do throws(CatalogError) {
      return try await ReadBack(clock: clock)({ () throws(CatalogError) in
        do throws(AWSError) {
          return try await client.getItem(table: table, key: key, consistentRead: true)
        } catch {
          throw failure(error, "Cannot read the item '\(key.attributes[DynamoDbNames.identifier] ?? "")'")
        }
      })
    } catch let unreadable {
      throw .open(problem, error, "look whether it was made, since the catalog cannot be read: \(unreadable.message)")
    }
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

  func newItem(_ key: DynamoDBKey, version: String, properties: [(key: String, value: DynamoDBValue)]) -> DynamoDBItem {
    let now = DynamoDBValue.number("\(Int64((clock.wallSeconds() * 1000).rounded(.down)))")
    var item: DynamoDBItem = ["created_at": now, "updated_at": now, "v": .string(version)]
    for (name, value) in key.attributes { item[name] = .string(value) }
    for (name, value) in properties { item[name] = value }
    return item
  }

  private static func notEmpty(_ namespace: Namespace, _ found: String) -> CatalogError {
    CatalogError(code: .notEmpty, message: "Cannot drop namespace \(namespace) because it still contains \(found)")
  }

  static func noNamespace(_ namespace: Namespace) -> CatalogError {
    CatalogError(code: .namespaceNotFound, message: "Cannot find namespace \(namespace)")
  }

  static func noTable(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .tableNotFound, message: "Cannot find table \(identifier)")
  }

  static func moved(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .conflict, message: "\(identifier) was committed to or dropped meanwhile")
  }
}

/// The catalog's clock for the setup of its table.
private struct TableSetupClock: LockClock {
  let clock: any AWSClock

  func elapsed() -> Duration { clock.elapsed() }
  func sleep(for duration: Duration) async throws(CancellationError) { try await clock.sleep(for: duration) }
  func random() -> Double { clock.random() }
}
