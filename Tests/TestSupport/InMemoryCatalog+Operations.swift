// SPDX-License-Identifier: Apache-2.0

package import Iceberg
import Synchronization

extension InMemoryCatalog: WritableCatalog {
  package var tableOperations: any TableOperations { InMemoryTableOperations(catalog: self) }

  package func checkTableName(_ identifier: TableIdentifier) throws(CatalogError) {
    try checkNamespaceName(identifier.namespace)
    guard isUsable(identifier.name) else { throw Self.invalid("\(identifier)") }
  }

  package func checkNamespaceName(_ namespace: Namespace) throws(CatalogError) {
    guard isUsable(namespace) else { throw Self.invalid("\(namespace)") }
  }

  /// As Glue: the namespace's `location`, or a directory for it in the warehouse.
  package func defaultLocation(of identifier: TableIdentifier) async throws(CatalogError) -> String {
    try checkTableName(identifier)
    try await faults.enter(.defaultLocation(identifier))
    guard let namespace = entry(of: identifier.namespace) else {
      throw CatalogError(code: .namespaceNotFound, message: "Cannot find namespace \(identifier.namespace)")
    }
    if let location = namespace.properties["location"] { return "\(location)/\(identifier.name)" }
    guard let warehouse else {
      throw CatalogError(
        code: .invalid, message: "Cannot derive a location for \(identifier): its namespace has none, and there is no warehouse")
    }
    return "\(warehouse)/\(identifier.namespace).db/\(identifier.name)"
  }

  package func createNamespace(_ namespace: Namespace, properties: [String: String]) async throws(CatalogError) {
    try checkNamespaceName(namespace)
    try await faults.enter(.createNamespace(namespace))
    let isNew = state.withLock { state in
      guard state.namespaces[namespace] == nil else { return false }
      state.namespaces[namespace] = NamespaceEntry(namespace: namespace, modified: nil, properties: properties)
      return true
    }
    guard isNew else { throw CatalogError(code: .alreadyExists, message: "Namespace already exists: \(namespace)") }
  }

  package func dropNamespace(_ namespace: Namespace) async throws(CatalogError) {
    try await faults.enter(.dropNamespace(namespace))
    let code = state.withLock { state -> CatalogError.Code? in
      let depth = namespace.levels.count
      let hasChild = state.namespaces.keys.contains {
        $0.levels.count > depth && Namespace(Array($0.levels.prefix(depth))) == namespace
      }
      if hasChild || state.tables.keys.contains(where: { $0.namespace == namespace }) { return .notEmpty }
      return state.namespaces.removeValue(forKey: namespace) == nil ? .namespaceNotFound : nil
    }
    if let code { throw CatalogError(code: code, message: "Cannot drop namespace \(namespace): \(code.rawValue)") }
  }

  package func dropTable(_ identifier: TableIdentifier) async throws(CatalogError) {
    try await faults.enter(.dropTable(identifier))
    let dropped = state.withLock { $0.tables.removeValue(forKey: identifier) }
    if dropped == nil { throw CatalogError(code: .tableNotFound, message: "Cannot find table \(identifier) to drop") }
  }

  package func renameTable(_ entry: TableEntry, to target: TableIdentifier) async throws(CatalogError) {
    try checkTableName(target)
    try await faults.enter(.renameTable(entry.identifier, to: target))
    let code = state.withLock { state -> CatalogError.Code? in
      guard state.namespaces[target.namespace] != nil else { return .namespaceNotFound }
      if let code = Self.check(entry, state) { return code }
      guard state.tables[target] == nil else { return .alreadyExists }
      state.generation += 1
      state.tables[target] = TableEntry(
        identifier: target, metadataLocation: entry.metadataLocation, version: "\(state.generation)", modified: entry.modified)
      state.tables[entry.identifier] = nil
      return nil
    }
    if let code { throw CatalogError(code: code, message: "Cannot rename \(entry.identifier) to \(target): \(code.rawValue)") }
  }

  private static func invalid(_ name: String) -> CatalogError {
    CatalogError(code: .invalid, message: "Cannot use '\(name)' as a name: a part of it is empty or excluded")
  }

  private static func check(_ entry: TableEntry, _ state: borrowing State) -> CatalogError.Code? {
    guard let current = state.tables[entry.identifier] else { return .tableNotFound }
    return current.metadataLocation == entry.metadataLocation ? nil : .conflict
  }
}

/// Commits in memory. A fault set for ``InMemoryCatalogCall/commit(_:metadataLocation:)`` is a refusal that changed nothing.
private struct InMemoryTableOperations: TableOperations {
  let catalog: InMemoryCatalog

  func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome {
    let identifier = commit.identifier
    try catalog.checkTableName(identifier)
    try await catalog.faults.enter(.commit(identifier, metadataLocation: commit.metadataLocation))
    do {
      try commit.checkLease()
    } catch let error as CatalogError {
      throw error
    } catch {
      throw CatalogError(code: .conflict, message: "The lease is lost: \(error)")
    }
    let result = catalog.state.withLock { state -> Result<CommitOutcome, CatalogError> in
      let current = state.tables[identifier]
      if current?.metadataLocation == commit.metadataLocation, let current, commit.base != nil { return .success(.committed(current)) }
      if commit.base == nil {
        guard current == nil else { return .failure(CatalogError(code: .alreadyExists, message: "Table already exists: \(identifier)")) }
        guard state.namespaces[identifier.namespace] != nil else {
          return .failure(CatalogError(code: .namespaceNotFound, message: "Cannot find namespace \(identifier.namespace)"))
        }
      } else if current?.metadataLocation != commit.base?.metadataLocation {
        return .success(.conflict("Cannot commit \(identifier): the base is not the current metadata file"))
      }
      state.generation += 1
      let entry = TableEntry(
        identifier: identifier, metadataLocation: commit.metadataLocation, version: "\(state.generation)",
        modified: (1_700_000_000 + Int64(state.generation)) * 1_000_000_000)
      state.tables[identifier] = entry
      return .success(.committed(entry))
    }
    return try result.get()
  }
}
