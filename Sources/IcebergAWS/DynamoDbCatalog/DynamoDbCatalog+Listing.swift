// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg
import Logging

extension DynamoDbCatalog {
  /// BatchGetItem requests in flight for one page of tables; four hide most of the round trips of an index page (up to some 8,000 names).
  private static let batchesInFlight = 4

  /// What ``allTables()`` reads of an item.
  private static let pointerAttributes = [
    DynamoDbNames.identifier, DynamoDbNames.namespace, "p.metadata_location", "p.table_type", "v", "updated_at",
  ]

  /// The direct children among the namespaces at every depth that DynamoDB gives.
  ///
  /// Needs no memory of earlier pages: items come sorted, so everything below one child is consecutive, and whether a child has an item of
  /// its own (then it stands on its own place in the listing) is asked of the table.
  package func listNamespaces(
    under parent: Namespace, after token: String?
  ) async throws(CatalogError) -> CatalogPage<NamespaceEntry> {
    var prefix = ""
    if !parent.levels.isEmpty {
      guard let text = DynamoDbNames.text(of: parent) else { return CatalogPage(entries: [], next: nil) }
      prefix = "\(text)."
    }
    do {
      let start = try Self.key(token)
      let page = try await client.query(
        table: table, condition: prefix.isEmpty ? "identifier = :identifier" : Self.childrenCondition,
        values: [(":identifier", DynamoDbNames.namespaceIdentifier)] + (prefix.isEmpty ? [] : [(":ns", prefix)]),
        consistentRead: true, after: start)
      let entries = try await children(
        in: page.items, depth: parent.levels.count, previous: start?.attributes[DynamoDbNames.namespace])
      return CatalogPage(entries: entries, next: page.lastEvaluatedKey?.token)
    } catch {
      throw failure(error, parent.levels.isEmpty ? "Cannot list namespaces" : "Cannot list the namespaces in \(parent)")
    }
  }

  /// Names come from the index, which holds keys only and lags behind; pointers from the table, read consistently. The catalog does not say
  /// whether a namespace exists that has no tables: then the page is empty.
  package func listTables(in namespace: Namespace, after token: String?) async throws(CatalogError) -> CatalogPage<TableEntry> {
    guard let text = DynamoDbNames.text(of: namespace) else {
      throw CatalogError(code: .namespaceNotFound, message: "Cannot find namespace \(namespace)")
    }
    do {
      let page = try await client.query(
        table: table, index: DynamoDbNames.index, condition: "namespace = :ns", values: [(":ns", text)], consistentRead: false,
        after: try Self.key(token))
      var identifiers: [TableIdentifier] = []
      for item in page.items {
        guard let identifier = item[DynamoDbNames.identifier]?.string, identifier != DynamoDbNames.namespaceIdentifier else { continue }
        guard let name = DynamoDbNames.table(of: identifier, in: text) else {
          log.hidden(identifier, "table is not shown: its identifier is not its namespace, a dot, and a name without dots")
          continue
        }
        identifiers.append(TableIdentifier(namespace: namespace, name: name))
      }
      return CatalogPage(entries: try await primed(identifiers), next: page.lastEvaluatedKey?.token)
    } catch {
      throw failure(error, "Cannot list the tables in \(namespace)")
    }
  }

  /// By a Scan of the catalog's table: a table may be in a namespace that has no item, and then no query leads to it (Java's rename and an
  /// explicit location ask for none). Consistent, a request for each megabyte of items: some 2,000 tables. Needs `dynamodb:Scan`.
  package func allTables() async throws(CatalogError) -> CatalogInventory {
    var inventory = CatalogInventory()
    var place: DynamoDBKey?
    do {
      repeat {
        let page = try await client.scan(table: table, attributes: Self.pointerAttributes, consistentRead: true, after: place)
        for item in page.items { note(item, in: &inventory) }
        place = page.lastEvaluatedKey
      } while place != nil
    } catch {
      throw failure(error, "Cannot scan the tables of the catalog")
    }
    return inventory
  }

  /// What hides an item from listings does not hide what it points at; what says that it is not Iceberg's is not.
  private func note(_ item: DynamoDBItem, in inventory: inout CatalogInventory) {
    let (identifier, text) = (item[DynamoDbNames.identifier]?.string, item[DynamoDbNames.namespace]?.string)
    // A namespace may have a property of that name.
    guard identifier != DynamoDbNames.namespaceIdentifier, let pointer = item["p.metadata_location"], pointer.string?.isEmpty != true else {
      return
    }
    if let type = item["p.table_type"]?.string, !type.isEmpty, !type.lowercased().contains("iceberg") { return }
    if let identifier, let text, let namespace = DynamoDbNames.namespace(of: text),
      let name = DynamoDbNames.table(of: identifier, in: text),
      let entry = Self.entry(of: item, TableIdentifier(namespace: namespace, name: name))
    {
      inventory.tables[entry.identifier] = entry
    } else {
      inventory.unclear.insert(
        "The item of DynamoDB table '\(table)' with identifier '\(identifier ?? "")' and namespace '\(text ?? "")' has a metadata_location "
          + "and is no table that BergFS understands.")
    }
  }

  private func children(in items: [DynamoDBItem], depth: Int, previous: String?) async throws(AWSError) -> [NamespaceEntry] {
    var entries: [NamespaceEntry] = []
    var implied: [Namespace] = []
    var last = previous.flatMap(DynamoDbNames.namespace(of:)).map { Namespace(Array($0.levels.prefix(depth + 1))) }
    for item in items {
      guard let text = item[DynamoDbNames.namespace]?.string else { continue }
      guard let namespace = DynamoDbNames.namespace(of: text) else {
        log.hidden(text, "namespace is not shown: a level of its name is empty")
        continue
      }
      guard namespace.levels.count > depth else { continue }
      let child = Namespace(Array(namespace.levels.prefix(depth + 1)))
      if child == namespace {
        entries.append(Self.entry(of: item, child))
      } else if child != last {
        implied.append(child)
      }
      last = child
    }
    let known = Set(entries.map(\.namespace))
    let candidates = implied.filter { !known.contains($0) }
    let withItem = Set(try await existing(candidates))
    for child in candidates where !withItem.contains(child) {
      entries.append(NamespaceEntry(namespace: child, modified: nil, properties: [:]))
    }
    return entries
  }

  /// Those of the namespaces that have an item.
  private func existing(_ namespaces: [Namespace]) async throws(AWSError) -> [Namespace] {
    let items = try await items(of: namespaces.compactMap(DynamoDbNames.key(of:)))
    return items.compactMap { $0[DynamoDbNames.namespace]?.string.flatMap(DynamoDbNames.namespace(of:)) }
  }

  private func primed(_ identifiers: [TableIdentifier]) async throws(AWSError) -> [TableEntry] {
    var found: [DynamoDBKey: DynamoDBItem] = [:]
    for item in try await items(of: identifiers.compactMap(DynamoDbNames.key(of:))) {
      guard let identifier = item[DynamoDbNames.identifier]?.string, let namespace = item[DynamoDbNames.namespace]?.string else { continue }
      found[DynamoDbNames.key(identifier: identifier, namespace: namespace)] = item
    }
    return identifiers.compactMap { identifier in
      DynamoDbNames.key(of: identifier).flatMap { found[$0] }.flatMap { Self.entry(of: $0, identifier) }
    }
  }

  /// BatchGetItem for any number of keys: ceil(n/100) requests, some at a time.
  private func items(of keys: [DynamoDBKey]) async throws(AWSError) -> [DynamoDBItem] {
    let batches = stride(from: 0, to: keys.count, by: DynamoDBClient.batchLimit).map {
      Array(keys[$0..<min($0 + DynamoDBClient.batchLimit, keys.count)])
    }
    let (client, table) = (client, table)
    let result = await withTaskGroup(of: Result<[DynamoDBItem], AWSError>.self) { group -> Result<[DynamoDBItem], AWSError> in
      var items: [DynamoDBItem] = []
      var waiting = batches.makeIterator()
      func startNext() {
        guard let batch = waiting.next() else { return }
        group.addTask {
          do throws(AWSError) {
            return .success(try await client.batchGetItem(table: table, keys: batch, consistentRead: true))
          } catch {
            return .failure(error)
          }
        }
      }
      for _ in 0..<Self.batchesInFlight { startNext() }
      while let batch = await group.next() {
        switch batch {
        case .success(let more): items += more
        case .failure(let error):
          group.cancelAll()
          return .failure(error)
        }
        startNext()
      }
      return .success(items)
    }
    return try result.get()
  }

  private static func key(_ token: String?) throws(AWSError) -> DynamoDBKey? {
    guard let token else { return nil }
    guard let key = DynamoDBKey(token: token) else {
      throw AWSError(kind: .badRequest, code: "PageToken", message: "the page token is none of this catalog", operation: "DynamoDB.Query")
    }
    return key
  }
}
