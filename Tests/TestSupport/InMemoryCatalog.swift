// SPDX-License-Identifier: Apache-2.0

package import Iceberg
import Synchronization

/// One call of an ``InMemoryCatalog``.
package enum InMemoryCatalogCall: Sendable, Hashable {
  case listNamespaces(Namespace, token: String?)
  case listTables(Namespace, token: String?)
  case allTables
  case loadNamespace(Namespace)
  case loadTable(TableIdentifier)
  case defaultLocation(TableIdentifier)
  case commit(TableIdentifier, metadataLocation: String)
  case createNamespace(Namespace)
  case dropNamespace(Namespace)
  case dropTable(TableIdentifier)
  case renameTable(TableIdentifier, to: TableIdentifier)

  package var isListNamespaces: Bool { if case .listNamespaces = self { true } else { false } }
  package var isListTables: Bool { if case .listTables = self { true } else { false } }
  package var isLoadNamespace: Bool { if case .loadNamespace = self { true } else { false } }
  package var isLoadTable: Bool { if case .loadTable = self { true } else { false } }
  package var isDefaultLocation: Bool { if case .defaultLocation = self { true } else { false } }
  package var isCommit: Bool { if case .commit = self { true } else { false } }
}

/// A catalog in memory with namespaces of any depth and faults on demand. Runs the same conformance suite as Glue and DynamoDB.
package final class InMemoryCatalog: Catalog {
  struct State {
    var namespaces: [Namespace: NamespaceEntry] = [:]
    var tables: [TableIdentifier: TableEntry] = [:]
    var generation = 0
    var unclear: Set<String> = []
  }

  let state = Mutex(State())
  private let files: any FileIO
  private let pageSize: Int
  let warehouse: String?
  private let isScanned: Bool
  private let excludes: @Sendable (String) -> Bool

  package let kind: String
  package var nestsNamespaces: Bool { true }
  /// Failures, gates and the record of calls.
  package let faults = InMemoryFaults<InMemoryCatalogCall, CatalogError>(
    cancellation: CatalogError(code: .cancelled, message: "The call was cancelled."))

  /// - Parameters:
  ///   - files: what ``fileIO(for:)`` gives for every table.
  ///   - pageSize: entries in one page of a listing.
  ///   - warehouse: what new tables lie in whose namespace has no `location`; nil for none.
  ///   - isScanned: whether all tables are found without their namespaces, as on DynamoDB.
  ///   - excludes: names no call can take, besides the empty one; they are neither listed nor looked up.
  package init(
    files: any FileIO = InMemoryFileIO(), kind: String = "memory", pageSize: Int = 100,
    warehouse: String? = "s3://lake", isScanned: Bool = false, excludes: @escaping @Sendable (String) -> Bool = { _ in false }
  ) {
    self.files = files
    self.kind = kind
    self.pageSize = max(pageSize, 1)
    self.warehouse = warehouse
    self.isScanned = isScanned
    self.excludes = excludes
  }

  /// Makes or replaces a namespace.
  package func putNamespace(_ namespace: Namespace, properties: [String: String] = [:], modified: Int64? = nil) {
    state.withLock { $0.namespaces[namespace] = NamespaceEntry(namespace: namespace, modified: modified, properties: properties) }
  }

  /// Tables in it stay.
  package func dropNamespace(_ namespace: Namespace) {
    state.withLock { $0.namespaces[namespace] = nil }
  }

  /// Makes a table or moves its pointer; every call gives a new version. The namespace is made if it is missing.
  ///
  /// - Parameter modified: nanoseconds since 1970; by default one second later at every call.
  @discardableResult
  package func putTable(_ identifier: TableIdentifier, metadataLocation: String, modified: Int64? = nil) -> TableEntry {
    state.withLock { state in
      state.generation += 1
      let entry = TableEntry(
        identifier: identifier, metadataLocation: metadataLocation, version: "\(state.generation)",
        modified: modified ?? (1_700_000_000 + Int64(state.generation)) * 1_000_000_000)
      state.tables[identifier] = entry
      if state.namespaces[identifier.namespace] == nil {
        state.namespaces[identifier.namespace] = NamespaceEntry(namespace: identifier.namespace, modified: nil, properties: [:])
      }
      return entry
    }
  }

  /// A table's entry; nil if there is none. No call is recorded.
  package func table(_ identifier: TableIdentifier) -> TableEntry? {
    state.withLock { $0.tables[identifier] }
  }

  package func removeTable(_ identifier: TableIdentifier) {
    state.withLock { $0.tables[identifier] = nil }
  }

  /// What ``allTables()`` says of entries that it cannot make out, on a catalog that is scanned.
  package func setUnclear(_ sentences: Set<String>) {
    state.withLock { $0.unclear = sentences }
  }

  package func allTables() async throws(CatalogError) -> CatalogInventory {
    var inventory = CatalogInventory()
    guard isScanned else {
      inventory.tables = try await CatalogSurvey(catalog: self).tables()
      return inventory
    }
    try await faults.enter(.allTables)
    (inventory.tables, inventory.unclear) = state.withLock { ($0.tables, $0.unclear) }
    return inventory
  }

  package func listNamespaces(
    under parent: Namespace, after token: String?
  ) async throws(CatalogError) -> CatalogPage<NamespaceEntry> {
    try await faults.enter(.listNamespaces(parent, token: token))
    let depth = parent.levels.count
    let entries = state.withLock { state in
      var children: [String: NamespaceEntry] = [:]
      for entry in state.namespaces.values
      where entry.namespace.levels.count > depth && Array(entry.namespace.levels.prefix(depth)) == parent.levels {
        let child = Namespace(Array(entry.namespace.levels.prefix(depth + 1)))
        guard isUsable(child), let name = child.levels.last else { continue }
        children[name] = state.namespaces[child] ?? NamespaceEntry(namespace: child, modified: nil, properties: [:])
      }
      return children
    }
    return page(of: entries, after: token)
  }

  package func listTables(in namespace: Namespace, after token: String?) async throws(CatalogError) -> CatalogPage<TableEntry> {
    try await faults.enter(.listTables(namespace, token: token))
    guard isUsable(namespace), let entries = state.withLock({ tables(in: namespace, of: $0) }) else {
      throw CatalogError(code: .namespaceNotFound, message: "Cannot find namespace \(namespace)")
    }
    return page(of: entries, after: token)
  }

  package func loadNamespace(_ namespace: Namespace) async throws(CatalogError) -> NamespaceEntry? {
    guard isUsable(namespace) else { return nil }
    try await faults.enter(.loadNamespace(namespace))
    return entry(of: namespace)
  }

  /// A parent without an entry of its own is there as long as something is in it.
  func entry(of namespace: Namespace) -> NamespaceEntry? {
    state.withLock { state in
      if let entry = state.namespaces[namespace] { return entry }
      let depth = namespace.levels.count
      let isParent = state.namespaces.keys.contains { $0.levels.count > depth && Array($0.levels.prefix(depth)) == namespace.levels }
      return isParent ? NamespaceEntry(namespace: namespace, modified: nil, properties: [:]) : nil
    }
  }

  package func loadTable(_ identifier: TableIdentifier) async throws(CatalogError) -> TableEntry? {
    guard isUsable(identifier.namespace), isUsable(identifier.name) else { return nil }
    try await faults.enter(.loadTable(identifier))
    return state.withLock { $0.tables[identifier] }
  }

  package func fileIO(for identifier: TableIdentifier) -> any FileIO { files }

  private func tables(in namespace: Namespace, of state: borrowing State) -> [String: TableEntry]? {
    // A parent without an entry of its own exists as long as something is in it.
    let depth = namespace.levels.count
    guard state.namespaces.keys.contains(where: { $0.levels.count >= depth && Array($0.levels.prefix(depth)) == namespace.levels }) else {
      return nil
    }
    var found: [String: TableEntry] = [:]
    for entry in state.tables.values where entry.identifier.namespace == namespace && isUsable(entry.identifier.name) {
      found[entry.identifier.name] = entry
    }
    return found
  }

  func isUsable(_ namespace: Namespace) -> Bool {
    !namespace.levels.isEmpty && namespace.levels.allSatisfy(isUsable)
  }

  func isUsable(_ name: String) -> Bool { !name.isEmpty && !excludes(name) }

  /// Tokens are the last name of the page before, so that a name that is dropped between two pages does no harm.
  private func page<Entry>(of entries: [String: Entry], after token: String?) -> CatalogPage<Entry> {
    let rest = entries.filter { entry in token.map { $0 < entry.key } ?? true }.sorted { $0.key < $1.key }
    let shown = rest.prefix(pageSize)
    return CatalogPage(entries: shown.map(\.value), next: shown.count < rest.count ? shown.last?.key : nil)
  }
}
