// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// What mkdir, rmdir and mv mean in the catalog. Source: filesystem contract §4.4.
extension CatalogFilesystem {
  func createNamespace(
    _ name: EntryName, in parent: Namespace, at directory: Node, _ writing: CatalogWriting
  ) async throws(FilesystemError) {
    let path = childPath(directory, name)
    let namespace = Namespace(parent.levels + [try catalogName(name, path: path)])
    try await once("mkdir \(path)") { [self] () async throws(FilesystemError) in
      do throws(CatalogError) {
        try writing.catalog.checkNamespaceName(namespace)
        try await writing.catalog.createNamespace(namespace, properties: [:])
      } catch {
        throw FilesystemError(error)
      }
      forgetNamespace(namespace)
    }
    writing.note(path, "the catalog has the namespace now")
  }

  /// A table that is local to this mount until its first metadata file is committed. Its place is fixed now.
  func createPendingTable(
    _ name: EntryName, in namespace: Namespace, at directory: Node, _ writing: CatalogWriting
  ) async throws(FilesystemError) {
    let path = childPath(directory, name)
    let identifier = TableIdentifier(namespace: namespace, name: try catalogName(name, path: path))
    let state = table(identifier)
    guard try await !state.isThere() else { throw FilesystemError(.exists, "\(path) exists already") }
    let location: String
    do throws(CatalogError) {
      try writing.catalog.checkTableName(identifier)
      location = try await writing.catalog.defaultLocation(of: identifier)
    } catch {
      throw FilesystemError(error)
    }
    try state.becomesPending(PendingTable(identifier: identifier, location: location))
    local.set(.pendingTable(state), name, in: directory.kind.identity)
    writing.note(path, "a pending table: the first metadata file that is committed to it creates it")
  }

  /// `mkdir ns/a/b`: an empty pending table `a` becomes a namespace where the catalog nests them.
  func createNested(
    _ name: EntryName, below table: TableState, at directory: Node, _ writing: CatalogWriting
  ) async throws(FilesystemError) -> NodeEntry {
    let path = childPath(directory, name)
    guard table.pending != nil, writing.catalog.nestsNamespaces, let parent = directory.parent, !local.hasFiles(of: table) else {
      throw FilesystemError(.notPermitted, "\(path): a table holds metadata/ and data/ only")
    }
    guard TableDirectory(rawValue: name.description) == nil else { throw FilesystemError(.exists, "\(path) exists already") }
    let identifier = table.identifier
    try await createNamespace(directory.name, in: identifier.namespace, at: parent, writing)
    removePending(table, name: directory.name, in: parent)
    let namespace = Namespace(identifier.namespace.levels + [identifier.name])
    let shown = inodes.reference(.namespace(namespace), parent: parent, name: directory.name)
    defer { forget(inode: shown.inode, count: 1) }
    try await createPendingTable(name, in: namespace, at: shown, writing)
    return try await lookup(parent: shown.inode, name: name.bytes)
  }

  func dropNamespace(_ namespace: Namespace, path: String, _ writing: CatalogWriting) async throws(FilesystemError) {
    guard writing.permissions.drop else {
      throw FilesystemError(.notPermitted, "\(path): no namespace is dropped on this mount: mount with --allow-drop")
    }
    guard local.entries(of: .namespace(namespace)).isEmpty else { throw FilesystemError(.notEmpty, "\(path) holds pending tables") }
    try await once("rmdir \(path)") { [self] () async throws(FilesystemError) in
      do throws(CatalogError) {
        try await writing.catalog.dropNamespace(namespace)
      } catch {
        throw FilesystemError(error)
      }
      forgetNamespace(namespace)
    }
    writing.note(path, "the namespace is dropped from the catalog")
  }

  func dropTable(
    _ table: TableState, name: EntryName, in directory: Node, path: String, _ writing: CatalogWriting
  ) async throws(FilesystemError) {
    guard !local.hasFiles(of: table) else {
      throw FilesystemError(.notEmpty, "\(path) holds files that are not published: remove or publish them first")
    }
    if table.pending != nil { return removePending(table, name: name, in: directory) }
    guard writing.permissions.drop else {
      throw FilesystemError(.notPermitted, "\(path): no table is dropped on this mount: mount with --allow-drop")
    }
    try await once("rmdir \(path)") { [self] () async throws(FilesystemError) in
      try await Self.exclusively(table, writing) { () throws(CatalogError) in try await writing.catalog.dropTable(table.identifier) }
      tableVanished(table)
    }
    writing.note(path, "the table is dropped from the catalog; its files stay")
  }

  func renameInCatalog(
    _ old: EntryName, in from: Node, to new: EntryName, in to: Node, _ writing: CatalogWriting
  ) async throws(FilesystemError) {
    let path = childPath(from, old)
    let entry = try await lookup(parent: from.inode, name: old.bytes)
    defer { forget(inode: entry.attributes.inode, count: 1) }
    guard case .table(let table) = try node(entry.attributes.inode).kind else {
      throw FilesystemError(.notPermitted, "\(path): only tables can be renamed")
    }
    guard case .namespace(let namespace) = to.kind else {
      throw FilesystemError(.notPermitted, "\(path): a table can only move into a namespace")
    }
    guard writing.permissions.rename else {
      throw FilesystemError(.notPermitted, "\(path): no table is renamed on this mount: mount with --allow-rename")
    }
    guard table.pending == nil, !local.hasFiles(of: table) else {
      throw FilesystemError(.notEmpty, "\(path) is pending or holds files that are not published: publish or remove them first")
    }
    let target = TableIdentifier(namespace: namespace, name: try catalogName(new, path: childPath(to, new)))
    let state = self.table(target)
    guard try await !state.isThere() else { throw FilesystemError(.exists, "\(childPath(to, new)) exists already") }
    try await once("mv \(path) \(target)") { [self] () async throws(FilesystemError) in
      // What was known for a while may have moved long before: only a commit that comes between is in the way.
      table.expire()
      guard let seen = try await table.entry() else { throw .notFound }
      try await Self.exclusively(table, writing) { () throws(CatalogError) in
        try writing.catalog.checkTableName(target)
        try await writing.catalog.renameTable(seen, to: target)
      }
      tableVanished(table)
      tableRenamed(table)
      state.forgetEntry()
      tableAppeared(state)
    }
    writing.note(path, "the table is \(target) now; its files stay where they are")
  }

  /// Changes a table's entry while nobody whom this mount can keep away commits to the table.
  private static func exclusively(
    _ table: TableState, _ writing: CatalogWriting, _ body: () async throws(CatalogError) -> Void
  ) async throws(FilesystemError) {
    do throws(FilesystemError) {
      try await writing.engine.exclusively(on: table.identifier, refusal: FilesystemError.init) { () throws(FilesystemError) in
        do throws(CatalogError) {
          try await body()
        } catch {
          throw FilesystemError(error)
        }
      }
    } catch {
      if error.code == .stale { table.expire() }
      throw error
    }
  }

  // MARK: What the mount knows afterwards

  func tableAppeared(_ table: TableState) {
    let name = codec.encode(table.identifier.name)
    let directory = Node.Identity.namespace(table.identifier.namespace)
    if case .pendingTable? = local.entry(name, in: directory) { local.set(nil, name, in: directory) }
    namespaceListings.forget(table.identifier.namespace)
  }

  private func tableVanished(_ table: TableState) {
    local.forget(table.identifier)
    table.forgetEntry()
    namespaceListings.forget(table.identifier.namespace)
  }

  private func removePending(_ table: TableState, name: EntryName, in directory: Node) {
    table.endsPending()
    local.forget(table.identifier)
    local.set(nil, name, in: directory.kind.identity)
  }

  private func catalogName(_ name: EntryName, path: String) throws(FilesystemError) -> String {
    guard name.bytes.count <= NameCodec.longest, case .name(let text, false) = codec.decode(name) else {
      throw FilesystemError(.invalid, "\(path): a name that ends in `%`, is no UTF-8 or holds a false escape cannot be kept in a catalog")
    }
    return text
  }

  /// Runs an operation that the kernel sends again when it answers ESTALE: the second time only the answer is given.
  private func once(
    _ operation: String, _ body: @escaping @Sendable () async throws(FilesystemError) -> Void
  ) async throws(FilesystemError) {
    if let known = writes.conflict(operation) { throw known }
    do throws(FilesystemError) {
      try await writes.start(operation, operation, body).value()
    } catch {
      writes.remember(error, operation)
      throw error
    }
  }
}
