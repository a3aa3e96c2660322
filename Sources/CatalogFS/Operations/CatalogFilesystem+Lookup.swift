// SPDX-License-Identifier: Apache-2.0

import Iceberg

extension CatalogFilesystem {
  /// Finds a name in a directory; the inode's lookup count is one higher afterwards.
  package func lookup(parent: UInt64, name: [UInt8]) async throws(FilesystemError) -> NodeEntry {
    let directory = try node(parent)
    let name = EntryName(name)
    guard name.bytes.count <= NameCodec.longest else { throw FilesystemError(.notFound) }
    switch directory.kind {
    case .root:
      if name == Self.controlName { return reference(.controlDirectory, parent: directory, name: name) }
      return try await lookupInNamespace(.root, parent: directory, name: name)
    case .namespace(let namespace): return try await lookupInNamespace(namespace, parent: directory, name: name)
    case .table(let table):
      guard let found = TableDirectory(rawValue: name.description) else { throw .notFound }
      guard try await table.entry() != nil else { throw .notFound }
      return reference(.tableDirectory(table, found), parent: directory, name: name)
    case .tableDirectory(let table, let which):
      if ProbeNames.contains(name), !isListed(name, in: table.knownLayout?.directory(which)) { throw .notFound }
      let layout = try await table.layout()
      if which == .metadata, let found = try await lookupVirtual(table, layout: layout, parent: directory, name: name) { return found }
      return try await lookupObject(
        table, in: layout.directory(which), layout: which == .metadata ? layout : nil, parent: directory, name: name)
    case .objectDirectory(let table, let location):
      if ProbeNames.contains(name), !isListed(name, in: location) { throw .notFound }
      return try await lookupObject(table, in: location, layout: nil, parent: directory, name: name)
    case .controlDirectory:
      guard let file = ControlFile(rawValue: name.description) else { throw .notFound }
      return reference(.control(file), parent: directory, name: name)
    case .object, .currentLink, .versionHint, .control: throw FilesystemError(.notDirectory)
    }
  }

  static var controlName: EntryName { EntryName(".bergfs") }

  func reference(_ kind: Node.Kind, parent: Node, name: EntryName) -> NodeEntry {
    entry(of: inodes.reference(kind, parent: parent, name: name))
  }

  // MARK: Namespaces and tables

  private func lookupInNamespace(_ namespace: Namespace, parent: Node, name: EntryName) async throws(FilesystemError) -> NodeEntry {
    if let known = namespaceListings.known(namespace), known.isFresh {
      let (pages, isComplete) = known.listing.pages.loaded
      for item in pages.joined() where self.name(of: item) == name {
        return reference(kind(of: item), parent: parent, name: name)
      }
      if isComplete { throw .notFound }
    }
    if ProbeNames.contains(name) { throw .notFound }
    switch codec.decode(name) {
    case .impossible: throw .notFound
    case .digest: return try await lookupByListing(namespace, parent: parent, name: name)
    case .name(let text, let isSecond):
      if !namespace.levels.isEmpty {
        let state = table(TableIdentifier(namespace: namespace, name: text))
        let isTable = try await state.entry() != nil
        if isTable, !isSecond { return reference(.table(state), parent: parent, name: name) }
        // The trailing `%` is only the namespace's that shares its name with a table.
        guard catalog.nestsNamespaces, isTable == isSecond else { throw .notFound }
      } else if isSecond {
        throw .notFound
      }
      let child = Namespace(namespace.levels + [text])
      guard options.shows(child), try await namespaceEntry(child) != nil else { throw .notFound }
      return reference(.namespace(child), parent: parent, name: name)
    }
  }

  private func lookupByListing(_ namespace: Namespace, parent: Node, name: EntryName) async throws(FilesystemError) -> NodeEntry {
    let listing = namespaceListing(namespace)
    var index = 0
    while let page = try await listing.pages.page(index) {
      if let item = page.first(where: { self.name(of: $0) == name }) {
        return reference(kind(of: item), parent: parent, name: name)
      }
      index += 1
    }
    throw .notFound
  }

  func namespaceListing(_ namespace: Namespace) -> NamespaceListing {
    namespaceListings.fresh(namespace) {
      NamespaceListing(namespace: namespace, epoch: freshness.epoch, catalog: catalog, now: freshness.now) { [options] in options.shows($0)
      }
    }
  }

  func name(of item: NamespaceListing.Item) -> EntryName {
    switch item {
    case .table(let entry): codec.encode(entry.identifier.name)
    case .namespace(let entry, let isSecond): codec.encode(entry.namespace.levels.last ?? "", isSecond: isSecond)
    }
  }

  func kind(of item: NamespaceListing.Item) -> Node.Kind {
    switch item {
    case .table(let entry): .table(table(entry.identifier))
    case .namespace(let entry, _): .namespace(entry.namespace)
    }
  }

  // MARK: Virtual names of metadata/

  private func lookupVirtual(
    _ table: TableState, layout: TableLayout, parent: Node, name: EntryName
  ) async throws(FilesystemError) -> NodeEntry? {
    let names = MetadataNames(layout: layout, entry: table.knownEntry)
    if name == MetadataNames.currentLink {
      return reference(.currentLink(table), parent: parent, name: name)
    }
    if name == MetadataNames.versionHint {
      return reference(.versionHint(table, text: names.hint), parent: parent, name: name)
    }
    if let text = names.alias(name) {
      guard let location = chainLocation(text, table: table) else { throw .notFound }
      var found = try await objectEntry(table, at: location, layout: layout, parent: parent, name: name)
      found.entryLifetime = .zero
      return found
    }
    if let outside = names.pointerOutside, codec.encode(outside.fileName) == name {
      return try await objectEntry(table, at: outside, layout: layout, parent: parent, name: name)
    }
    return nil
  }

  private func chainLocation(_ text: String, table: TableState) -> ObjectLocation? {
    do throws(FileIOError) {
      return try table.fileIO.location(text)
    } catch {
      return nil
    }
  }

  /// The object at a place: from the listing if it lies in the metadata directory, else by asking for it.
  private func objectEntry(
    _ table: TableState, at location: ObjectLocation, layout: TableLayout, parent: Node, name: EntryName
  ) async throws(FilesystemError) -> NodeEntry {
    let object: ObjectAttributes?
    if location.parent.isSamePlace(as: layout.metadataDirectory) {
      object = try await find(location.fileName, in: layout.metadataDirectory, fileIO: table.fileIO).object
    } else {
      object = try await head(location, fileIO: table.fileIO)
    }
    guard let object else {
      throw FilesystemError(.notFound, "table \(table.identifier): metadata file \(location) does not exist")
    }
    return reference(.object(table, object), parent: parent, name: name)
  }

  // MARK: Objects

  /// Whether a listing that is known, however old, holds a name.
  private func isListed(_ name: EntryName, in directory: ObjectLocation?) -> Bool {
    guard let directory, let known = objectListings.known(directory), case .name(let text, _) = codec.decode(name) else { return false }
    if case .known(let object, let hasDirectory) = known.listing.knowledge(of: text) { return object != nil || hasDirectory }
    return false
  }

  private func lookupObject(
    _ table: TableState, in directory: ObjectLocation, layout: TableLayout?, parent: Node, name: EntryName
  ) async throws(FilesystemError) -> NodeEntry {
    switch codec.decode(name) {
    case .impossible: throw .notFound
    case .digest: return try await lookupByListing(table, in: directory, layout: layout, parent: parent, name: name)
    case .name(let text, let isSecond):
      let found = try await find(text, in: directory, fileIO: table.fileIO)
      let isTaken = found.hasDirectory || (layout.map { MetadataNames(layout: $0, entry: nil).reserves(text, codec: codec) } ?? false)
      if found.hasDirectory, !isSecond {
        return reference(.objectDirectory(table, directory.appending(text).asDirectoryAlways), parent: parent, name: name)
      }
      guard let object = found.object, isTaken == isSecond else { throw .notFound }
      return reference(.object(table, object), parent: parent, name: name)
    }
  }

  private func lookupByListing(
    _ table: TableState, in directory: ObjectLocation, layout: TableLayout?, parent: Node, name: EntryName
  ) async throws(FilesystemError) -> NodeEntry {
    let listing = objectListing(directory, fileIO: table.fileIO)
    let names = layout.map { MetadataNames(layout: $0, entry: nil) }
    var index = 0
    while let page = try await listing.pages.page(index) {
      for item in page.items where self.name(of: item, in: page, names: names) == name {
        return reference(kind(of: item, in: page, table: table, directory: directory), parent: parent, name: name)
      }
      index += 1
    }
    throw .notFound
  }

  func objectListing(_ directory: ObjectLocation, fileIO: any FileIO) -> ObjectDirectoryListing {
    objectListings.fresh(directory) { ObjectDirectoryListing(directory: directory, fileIO: fileIO, now: freshness.now) }
  }

  func name(of item: ObjectPage.Item, in page: ObjectPage, names: MetadataNames?) -> EntryName {
    let raw = Array(page.name(of: item))
    switch item {
    case .directory: return codec.encode(raw)
    case .object(_, let isSecond):
      let isReserved = names?.reserves(String(decoding: raw, as: UTF8.self), codec: codec) ?? false
      return codec.encode(raw, isSecond: isSecond || isReserved)
    }
  }

  func kind(of item: ObjectPage.Item, in page: ObjectPage, table: TableState, directory: ObjectLocation) -> Node.Kind {
    switch item {
    case .object(let index, _): return .object(table, page.attributes(ofObject: index, in: directory))
    case .directory:
      return .objectDirectory(table, directory.appending(String(decoding: page.name(of: item), as: UTF8.self)).asDirectoryAlways)
    }
  }
}
