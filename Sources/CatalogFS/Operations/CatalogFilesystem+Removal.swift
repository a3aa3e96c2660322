// SPDX-License-Identifier: Apache-2.0

import Iceberg

extension CatalogFilesystem {
  /// Removes a staged file, or deletes an object that nothing needs.
  package func unlink(parent: UInt64, name: [UInt8]) async throws(FilesystemError) {
    let writing = try writable()
    let directory = try node(parent)
    let name = EntryName(name)
    try checkNoView(directory, childPath(directory, name))
    if case .file(let file)? = local.entry(name, in: directory.kind.identity) {
      try await exclusively(file, "unlink", writing) { [self] () async throws(FilesystemError) in await discard(file) }
      // What was being published while this waited is an object now, and judged as one.
      guard case .published? = local.entry(name, in: directory.kind.identity) else { return }
    }
    let entry = try await lookup(parent: parent, name: name.bytes)
    defer { forget(inode: entry.attributes.inode, count: 1) }
    let path = childPath(directory, name)
    let node = try node(entry.attributes.inode)
    switch node.kind {
    case .object(let table, let object):
      if case .tableDirectory(_, .metadata) = directory.kind, try await table.layout().names?.isVirtual(name, codec) ?? false {
        fallthrough
      }
      try await delete(object, of: table, path: path, writing)
      // A listing from before this mount's own version may hold one that was removed before that.
      if case .published? = local.entry(name, in: directory.kind.identity) { forgetListing(of: object.location.parent) }
      local.set(.removed(object, at: freshness.now()), name, in: directory.kind.identity)
      keepDirectory(directory)
    case .currentLink, .versionHint, .control:
      throw FilesystemError(.notPermitted, "\(path) is shown by the mount itself: copy into metadata/ first, then mv")
    case .locationText, .viewsDirectory, .snapshotFile, .view: try checkNoView(node, path)
    case .staged(let file): await discard(file)
    case .root, .namespace, .table, .tableDirectory, .objectDirectory, .controlDirectory: throw FilesystemError(.isDirectory)
    }
  }

  private func delete(
    _ object: ObjectAttributes, of table: TableState, path: String, _ writing: CatalogWriting
  ) async throws(FilesystemError) {
    guard writing.permissions.delete else {
      throw FilesystemError(.notPermitted, "\(path): nothing is deleted on this mount: mount with --allow-delete")
    }
    if !writes.hasMade(object) { try checkAge(object, path, writing) }
    switch await writing.reachability.judge(object.location, owner: table.identifier) {
    case .referenced(let reason):
      writes.forgetMade(object)
      throw FilesystemError(.notPermitted, "\(path) is in use: \(reason)")
    case .undecided(let reason): throw FilesystemError(.notPermitted, "\(path) is kept, as it may be in use: \(reason)")
    case .unreferenced: break
    }
    let files = try table.writableFiles()
    do throws(FileIOError) {
      try await files.delete(object.location, etag: object.etag)
    } catch {
      throw FilesystemError(error)
    }
    writing.note(path, "deleted")
  }

  /// What nothing names yet may belong to another writer's commit under way.
  private func checkAge(_ object: ObjectAttributes, _ path: String, _ writing: CatalogWriting) throws(FilesystemError) {
    guard let modified = object.modified, case let (nanoseconds, overflow) = writing.now().subtractingReportingOverflow(modified), !overflow
    else {
      throw FilesystemError(
        .notPermitted, "\(path) is of unknown age, as the server gives no time for it: it may belong to a commit under way")
    }
    let (age, minimum) = (Duration.nanoseconds(nanoseconds), writing.permissions.deleteMinimumAge)
    guard age >= minimum else {
      throw FilesystemError(
        .notPermitted,
        "\(path) is \(Self.text(age)) old, younger than --delete-min-age (\(Self.text(minimum))): it may belong to a commit under way")
    }
  }

  private static func text(_ duration: Duration) -> String {
    let seconds = max(duration.components.seconds, 0)
    return seconds >= 172_800 ? "\(seconds / 86_400) days" : seconds >= 7_200 ? "\(seconds / 3_600) hours" : "\(seconds) s"
  }

  /// A directory outlives its last object, as elsewhere, until it is removed or the mount ends.
  private func keepDirectory(_ directory: Node) {
    guard case .objectDirectory = directory.kind, let parent = directory.parent else { return }
    guard local.entry(directory.name, in: parent.kind.identity) == nil else { return }
    local.set(.directory, directory.name, in: parent.kind.identity)
  }

  // MARK: Directories

  package func makeDirectory(parent: UInt64, name: [UInt8]) async throws(FilesystemError) -> NodeEntry {
    let writing = try writable()
    let directory = try node(parent)
    let name = EntryName(name)
    switch directory.kind {
    case .root: try await createNamespace(name, in: .root, at: directory, writing)
    case .namespace(let namespace): try await createPendingTable(name, in: namespace, at: directory, writing)
    case .table(let table): return try await createNested(name, below: table, at: directory, writing)
    case .tableDirectory(_, .metadata):
      throw FilesystemError(.notPermitted, "\(childPath(directory, name)): metadata/ holds files only")
    case .tableDirectory, .objectDirectory:
      let target = try await target(name, in: directory)
      guard local.entry(name, in: directory.kind.identity) == nil else { throw FilesystemError(.exists, "\(target.path) exists already") }
      local.set(.directory, name, in: directory.kind.identity)
    case .controlDirectory: throw FilesystemError(.notPermitted, "\(childPath(directory, name)): control files are the daemon's own")
    case .viewsDirectory, .locationText, .snapshotFile, .view: try checkNoView(directory, childPath(directory, name))
    case .object, .currentLink, .versionHint, .control, .staged: throw FilesystemError(.notDirectory)
    }
    return try await lookup(parent: parent, name: name.bytes)
  }

  package func removeDirectory(parent: UInt64, name: [UInt8]) async throws(FilesystemError) {
    let writing = try writable()
    let directory = try node(parent)
    let name = EntryName(name)
    try checkNoView(directory, childPath(directory, name))
    let entry = try await lookup(parent: parent, name: name.bytes)
    defer { forget(inode: entry.attributes.inode, count: 1) }
    let node = try node(entry.attributes.inode)
    let path = childPath(directory, name)
    switch node.kind {
    case .namespace(let namespace): try await dropNamespace(namespace, path: path, writing)
    case .table(let table): try await dropTable(table, name: name, in: directory, path: path, writing)
    case .objectDirectory(let table, _, let location):
      try await removeObjectDirectory(node, location, of: table, path: path)
      // It may show the files that were below.
      switch directory.kind {
      case .tableDirectory(let state, let which): forgetListing(of: try await state.layout().directory(which))
      case .objectDirectory(_, _, let place): forgetListing(of: place)
      default: break
      }
      local.set(nil, name, in: directory.kind.identity)
    case .tableDirectory:
      throw FilesystemError(.notPermitted, "\(path) belongs to the table: `rmdir` of the table itself takes it out of the catalog")
    case .root, .controlDirectory: throw FilesystemError(.notPermitted, "\(path) cannot be removed")
    case .viewsDirectory, .locationText, .snapshotFile, .view: try checkNoView(node, path)
    case .object, .currentLink, .versionHint, .control, .staged: throw FilesystemError(.notDirectory)
    }
  }

  private func removeObjectDirectory(
    _ node: Node, _ location: ObjectLocation, of table: TableState, path: String
  ) async throws(FilesystemError) {
    let own = local.entries(of: node.kind.identity)
    let holdsOwn = own.contains { if case .removed = $0.entry { false } else { true } }
    guard !holdsOwn, try await isEmpty(location, of: table, but: own) else { throw FilesystemError(.notEmpty, "\(path) is not empty") }
  }

  /// Whether S3 has nothing below a prefix but what this mount has just removed.
  private func isEmpty(
    _ location: ObjectLocation, of table: TableState, but own: [(name: EntryName, entry: LocalEntry)]
  ) async throws(FilesystemError) -> Bool {
    forgetListing(of: location)
    let listing = objectListing(location, of: table)
    var index = 0
    while let page = try await listing.pages.page(index) {
      for item in page.items {
        guard case .object(let row, _) = item else { return false }
        let object = page.attributes(ofObject: row, in: location)
        let isGone = own.contains { if case .removed(let removed, _) = $0.entry { removed == object } else { false } }
        if !isGone { return false }
      }
      index += 1
    }
    return true
  }
}
