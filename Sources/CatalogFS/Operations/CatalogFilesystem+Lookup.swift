// SPDX-License-Identifier: Apache-2.0

import Iceberg

extension CatalogFilesystem {
  /// Finds a name in a directory; the inode's lookup count is one higher afterwards.
  package func lookup(parent: UInt64, name: [UInt8]) async throws(FilesystemError) -> NodeEntry {
    let directory = try node(parent)
    let name = EntryName(name)
    guard name.bytes.count <= NameCodec.longest else { throw FilesystemError(.notFound) }
    if let found = try lookupLocal(name, in: directory) { return found }
    switch directory.kind {
    case .root:
      if name == Self.controlName { return reference(.controlDirectory, parent: directory, name: name) }
      return try await lookupInNamespace(.root, parent: directory, name: name)
    case .namespace(let namespace): return try await lookupInNamespace(namespace, parent: directory, name: name)
    case .table(let table):
      let found = TableDirectory(rawValue: name.description)
      guard found != nil || name == Self.viewsName, try await table.isThere() else { throw .notFound }
      return reference(found.map { .tableDirectory(table, $0) } ?? .viewsDirectory(table), parent: directory, name: name)
    case .viewsDirectory(let table): return try await lookupInViews(table, parent: directory, name: name)
    case .view(let table, let entry): return try await lookup(name, in: entry, of: table, parent: directory)
    case .tableDirectory(let table, let which):
      if ProbeNames.contains(name), !isListed(name, in: try? table.knownLayout?.directory(which)) { throw .notFound }
      let layout = try await table.layout()
      if which == .metadata, let names = layout.names,
        let found = try await lookupVirtual(table, layout: layout, names: names, parent: directory, name: name)
      {
        return found
      }
      let place = ObjectPlace(
        table: table, root: which, directory: try layout.directory(which), names: which == .metadata ? layout.names : nil)
      return try await lookupObject(at: place, parent: directory, name: name)
    case .objectDirectory(let table, let root, let location):
      if ProbeNames.contains(name), !isListed(name, in: location) { throw .notFound }
      let place = ObjectPlace(table: table, root: root, directory: location, names: nil)
      return try await lookupObject(at: place, parent: directory, name: name)
    case .controlDirectory:
      guard let file = ControlFile(rawValue: name.description) else { throw .notFound }
      return reference(.control(file), parent: directory, name: name)
    case .object, .currentLink, .versionHint, .control, .locationText, .snapshotFile, .staged: throw FilesystemError(.notDirectory)
    }
  }

  /// What this mount itself did to a name, where that is newer than what catalog and S3 were asked.
  private func lookupLocal(_ name: EntryName, in directory: Node) throws(FilesystemError) -> NodeEntry? {
    switch local.entry(name, in: directory.kind.identity) {
    case .file(let file): return reference(.staged(file), parent: directory, name: name)
    case .pendingTable(let table): return reference(.table(table), parent: directory, name: name)
    case .directory:
      guard let place = objectPlace(of: directory), case .name(let text, _) = codec.decode(name) else { return nil }
      return reference(place.directoryKind(text), parent: directory, name: name)
    case .published(let object, _):
      guard let place = objectPlace(of: directory) else { return nil }
      return reference(.object(place.table, object), parent: directory, name: name)
    case .removed, nil: return nil
    }
  }

  /// The object directory that a node stands for, as far as it is known without asking.
  func objectPlace(of directory: Node) -> ObjectPlace? {
    switch directory.kind {
    case .objectDirectory(let table, let root, let location): return ObjectPlace(table: table, root: root, directory: location, names: nil)
    case .tableDirectory(let table, let which):
      guard let layout = table.knownLayout ?? table.pendingLayout, let place = try? layout.directory(which) else { return nil }
      return ObjectPlace(table: table, root: which, directory: place, names: which == .metadata ? layout.names : nil)
    default: return nil
    }
  }

  static var viewsName: EntryName { EntryName(".iceberg") }
  static var locationName: EntryName { EntryName("location.txt") }
  static var controlName: EntryName { EntryName(".bergfs") }

  func reference(_ kind: Node.Kind, parent: Node, name: EntryName) -> NodeEntry {
    entry(of: inodes.reference(kind, parent: parent, name: name))
  }

  // MARK: Namespaces and tables

  private func lookupInNamespace(_ namespace: Namespace, parent: Node, name: EntryName) async throws(FilesystemError) -> NodeEntry {
    let decoded = codec.decode(name)
    if case .name(let text, let isSecond) = decoded, let known = try listed(text, isSecond: isSecond, in: namespace) {
      return reference(known, parent: parent, name: name)
    }
    if ProbeNames.contains(name) { throw .notFound }
    switch decoded {
    case .impossible: throw .notFound
    case .digest: return try await lookupByListing(namespace, parent: parent, name: name)
    case .name(let text, let isSecond):
      var isTaken = namespace.isTakenByControlFiles(text)
      if options.showsTables(of: namespace) {
        let state = table(TableIdentifier(namespace: namespace, name: text))
        isTaken = try await state.isThere()
        if isTaken, !isSecond { return reference(.table(state), parent: parent, name: name) }
      }
      // The trailing `%` is only the namespace's whose name is taken.
      guard namespace.levels.isEmpty || catalog.nestsNamespaces, isTaken == isSecond else { throw .notFound }
      let child = Namespace(namespace.levels + [text])
      guard options.shows(child), try await namespaceEntry(child) != nil else { throw .notFound }
      return reference(.namespace(child), parent: parent, name: name)
    }
  }

  /// What the fresh pages of a known listing hold under a name; nil if they do not say. Throws `notFound` if all are fresh and none holds it.
  private func listed(_ text: String, isSecond: Bool, in namespace: Namespace) throws(FilesystemError) -> Node.Kind? {
    guard let known = namespaceListings.known(namespace) else { return nil }
    let now = freshness.now()
    let pages = known.listing.pages.known
    var isFresh = pages.isComplete
    for dated in pages.pages {
      guard freshness.isFresh(dated.asked, epoch: known.epoch, at: now) else {
        isFresh = false
        continue
      }
      if let item = dated.page.item(named: text, isSecond: isSecond) { return kind(of: item) }
    }
    if isFresh { throw .notFound }
    return nil
  }

  private func lookupByListing(_ namespace: Namespace, parent: Node, name: EntryName) async throws(FilesystemError) -> NodeEntry {
    let listing = namespaceListing(namespace)
    var index = 0
    while let page = try await listing.pages.page(index) {
      if let item = page.items.first(where: { self.name(of: $0) == name }) {
        return reference(kind(of: item), parent: parent, name: name)
      }
      index += 1
    }
    throw .notFound
  }

  func namespaceListing(_ namespace: Namespace) -> NamespaceListing {
    let epoch = freshness.epoch
    return namespaceListings.fresh(namespace) {
      NamespaceListing(namespace: namespace, catalog: catalog, options: options, now: freshness.now) { [weak self] items, asked in
        self?.prime(items, asked: asked, epoch: epoch)
      }
    }
  }

  private func prime(_ items: [NamespaceListing.Item], asked: ContinuousClock.Instant, epoch: UInt64) {
    for item in items {
      switch item {
      case .table(let entry): table(entry.identifier).prime(entry, asked: asked, epoch: epoch)
      case .namespace(let entry, _): remember(entry, asked: asked, epoch: epoch)
      }
    }
  }

  func name(of item: NamespaceListing.Item) -> EntryName {
    codec.encode(item.name, isSecond: item.isSecond)
  }

  func kind(of item: NamespaceListing.Item) -> Node.Kind {
    switch item {
    case .table(let entry): .table(table(entry.identifier))
    case .namespace(let entry, _): .namespace(entry.namespace)
    }
  }

  // MARK: Virtual names of metadata/

  private func lookupVirtual(
    _ table: TableState, layout: TableLayout, names: MetadataNames, parent: Node, name: EntryName
  ) async throws(FilesystemError) -> NodeEntry? {
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
    if let outside = names.pointerOutside, names.shownCurrent(codec) == name {
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
      object = try await find(location.fileName, in: layout.metadataDirectory, of: table).object
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
    return known.listing.knowledge(of: text).map { $0.object != nil || $0.hasDirectory } ?? false
  }

  private func lookupObject(at place: ObjectPlace, parent: Node, name: EntryName) async throws(FilesystemError) -> NodeEntry {
    switch codec.decode(name) {
    case .impossible: throw .notFound
    case .digest: return try await lookupByListing(at: place, parent: parent, name: name)
    case .name(let text, let isSecond):
      let found = try await find(text, in: place.directory, of: place.table)
      let isReserved = place.names?.reserves(text) ?? false
      if found.hasDirectory, isReserved == isSecond { return reference(place.directoryKind(text), parent: parent, name: name) }
      guard let object = found.object, (found.hasDirectory || isReserved) == isSecond else { throw .notFound }
      if case .removed(let removed, _)? = local.entry(name, in: parent.kind.identity), removed == object { throw .notFound }
      return reference(.object(place.table, object), parent: parent, name: name)
    }
  }

  private func lookupByListing(at place: ObjectPlace, parent: Node, name: EntryName) async throws(FilesystemError) -> NodeEntry {
    let listing = objectListing(place.directory, of: place.table)
    var index = 0
    while let page = try await listing.pages.page(index) {
      for item in page.items where self.name(of: item, in: page, names: place.names) == name {
        return reference(place.kind(of: item, in: page), parent: parent, name: name)
      }
      index += 1
    }
    throw .notFound
  }

  /// A fresh listing, which is also newer than the table's pointer: files that the pointer's commit added are in it.
  func objectListing(_ directory: ObjectLocation, of table: TableState) -> ObjectDirectoryListing {
    objectListings.fresh(directory, notBefore: table.pointerSeen) {
      ObjectDirectoryListing(directory: directory, fileIO: table.fileIO, now: freshness.now)
    }
  }

  func name(of item: ObjectPage.Item, in page: ObjectPage, names: MetadataNames?) -> EntryName {
    let raw = Array(page.name(of: item))
    let isReserved = names?.reserves(String(decoding: raw, as: UTF8.self)) ?? false
    switch item {
    case .directory: return codec.encode(raw, isSecond: isReserved)
    case .object(_, let isSecond): return codec.encode(raw, isSecond: isSecond || isReserved)
    }
  }
}
