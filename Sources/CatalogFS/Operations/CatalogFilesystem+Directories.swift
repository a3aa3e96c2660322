// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// An open directory: the listing it reads, fixed at open, so that every cookie it gave out keeps its meaning.
final class DirectoryHandle: Sendable {
  enum Source: Sendable {
    case names([(name: EntryName, kind: Node.Kind)])
    case namespace(NamespaceListing)
    case objects(ObjectDirectoryListing, ObjectPlace, virtual: [(name: EntryName, kind: Node.Kind)])
    case views(ViewListing)
  }

  let source: Source
  /// What this mount itself did in the directory, as it was at open.
  let local: [EntryName: LocalEntry]
  /// The rows of it that show, after those of the listing.
  let localRows: [(name: EntryName, kind: Node.Kind)]
  /// Of the kernel's copy that this handle may fill.
  let shown: ShownListing?

  init(
    _ source: Source, local: [(name: EntryName, entry: LocalEntry)], rows: [(name: EntryName, kind: Node.Kind)], shown: ShownListing?
  ) {
    self.source = source
    self.shown = shown
    self.local = Dictionary(local.map { ($0.name, $0.entry) }, uniquingKeysWith: { first, _ in first })
    localRows = rows
  }

  /// Rows of its listing that are in memory.
  var rowCount: Int {
    switch source {
    case .names(let names): names.count
    case .namespace(let listing): listing.pages.rowsInMemory
    case .objects(let listing, _, _): listing.pages.rowsInMemory
    case .views(let listing): listing.rowCount
    }
  }
}

/// A position in an open directory, as the 64-bit cookie that the kernel hands back: virtual entries first, then page and row.
struct DirectoryPosition: Equatable {
  /// -1: the virtual entries.
  var page: Int
  var row: Int

  private static let rowBits = 24
  /// Stands behind all pages of a listing.
  static let localPage = 1 << 30

  init(page: Int, row: Int) {
    self.page = page
    self.row = row
  }

  init(cookie: UInt64) {
    page = Int(cookie >> Self.rowBits) - 1
    row = Int(cookie & (1 << Self.rowBits - 1))
  }

  /// Never 0 for a position after an entry: row counts from 1 there.
  var cookie: UInt64 { UInt64(page + 1) << Self.rowBits | UInt64(row) }
}

extension CatalogFilesystem {
  /// Opens a directory; says too what the kernel may do with a copy of its listing.
  package func openDirectory(inode: UInt64) async throws(FilesystemError) -> OpenedDirectory {
    let node = try node(inode)
    let source: DirectoryHandle.Source
    switch node.kind {
    case .root: source = .namespace(namespaceListing(.root))
    case .namespace(let namespace): source = .namespace(namespaceListing(namespace))
    case .table(let table):
      guard try await table.isThere() else { throw .notFound }
      let views: [(name: EntryName, kind: Node.Kind)] = options.listsViews ? [(Self.viewsName, .viewsDirectory(table))] : []
      source = .names(TableDirectory.allCases.map { (EntryName($0.rawValue), .tableDirectory(table, $0)) } + views)
    case .tableDirectory(let table, let which): source = try await open(which, of: table)
    case .objectDirectory(let table, let root, let location):
      let place = ObjectPlace(table: table, root: root, directory: location, names: nil)
      source = .objects(objectListing(location, of: table), place, virtual: [])
      lookAhead(from: location, of: table)
    case .controlDirectory:
      source = .names(ControlFile.allCases.map { (EntryName($0.rawValue), .control($0)) })
    case .viewsDirectory(let table): source = .views(.root(ViewsRoot(table)))
    case .view(let table, let entry): source = .views(try await open(entry, of: table))
    case .object, .currentLink, .versionHint, .control, .locationText, .snapshotFile, .staged: throw FilesystemError(.notDirectory)
    }
    let own = local.entries(of: node.kind.identity).sorted { $0.name.bytes.lexicographicallyPrecedes($1.name.bytes) }
    let permission = own.isEmpty ? permission(for: source, of: node) : .none
    let directory = DirectoryHandle(
      source, local: own, rows: own.compactMap { localRow($0.name, $0.entry, in: node) }, shown: permission.isCached ? node.shown : nil)
    return OpenedDirectory(
      handle: handles.insert(.directory(directory)), isCached: permission.isCached, keepsCache: permission.isKept)
  }

  /// Whether the kernel may list this from a copy of its own.
  private func permission(for source: DirectoryHandle.Source, of node: Node) -> ShownListing.Permission {
    guard let shown = node.shown else { return .none }
    switch source {
    case .names, .views: return .none
    case .namespace(let listing):
      return shown.open(listing, beside: [], isSmall: listing.pages.rowCount <= Self.keptRows)
    case .objects(let listing, _, let virtual):
      return shown.open(
        listing, beside: virtual.map { $0.kind.identity.preferredInode }, isSmall: listing.rowCount <= Self.keptRows)
    }
  }

  /// Rows of a listing up to which the kernel may list it again by itself: of a larger one it has let go of inodes, and a listing with attributes
  /// brings a hundred of them back with a request.
  private static let keptRows = 50_000

  private func localRow(_ name: EntryName, _ entry: LocalEntry, in directory: Node) -> (name: EntryName, kind: Node.Kind)? {
    switch entry {
    case .file(let file): return (name, .staged(file))
    case .pendingTable(let table): return (name, .table(table))
    case .directory:
      guard let place = objectPlace(of: directory), case .name(let text, _) = codec.decode(name) else { return nil }
      return (name, place.directoryKind(text))
    case .published(let object, _): return objectPlace(of: directory).map { (name, .object($0.table, object)) }
    case .removed: return nil
    }
  }

  /// Hands entries after `cookie` to the receiver until it is full or the directory ends.
  package func readDirectory(
    inode: UInt64, handle: UInt64, cookie: UInt64, into receiver: any DirectoryReceiver
  ) async throws(FilesystemError) {
    guard case .directory(let directory) = handles[handle] else { throw FilesystemError(.badHandle) }
    let node = try node(inode)
    let position = DirectoryPosition(cookie: cookie)
    switch directory.source {
    case .names(let names):
      _ = emit(names, from: position, parent: node, into: receiver)
      return
    case .views(let listing):
      try await emit(listing, from: cookie, parent: node, into: receiver)
      return
    case .namespace(let listing):
      guard try await emit(listing, from: position, parent: node, into: receiver) else { return }
    case .objects(let listing, let place, let virtual):
      guard emit(virtual, from: position, parent: node, into: receiver) else { return }
      guard try await emit(listing, place, hiding: directory.local, from: position, parent: node, into: receiver) else { return }
    }
    try await emitLocal(directory, from: position, parent: node, into: receiver)
  }

  /// What only this mount knows comes last: by then the listing has said which of it is known to everyone.
  private func emitLocal(
    _ directory: DirectoryHandle, from position: DirectoryPosition, parent: Node, into receiver: any DirectoryReceiver
  ) async throws(FilesystemError) {
    let start = position.page == DirectoryPosition.localPage ? position.row : 0
    for row in directory.localRows.indices.dropFirst(start) {
      let (name, kind) = directory.localRows[row]
      if try await isListed(name, kind, in: directory.source) { continue }
      let next = DirectoryPosition(page: DirectoryPosition.localPage, row: row + 1)
      guard emit(name, kind, parent: parent, next: next, into: receiver) else { return }
    }
  }

  private func isListed(
    _ name: EntryName, _ kind: Node.Kind, in source: DirectoryHandle.Source
  ) async throws(FilesystemError) -> Bool {
    switch (source, kind) {
    case (.objects(let listing, _, _), .object), (.objects(let listing, _, _), .objectDirectory):
      guard case .name(let text, false) = codec.decode(name), let knowledge = try await listing.settledKnowledge(of: text) else {
        return false
      }
      return if case .object = kind { knowledge.object != nil } else { knowledge.hasDirectory }
    case (.namespace(let listing), .table):
      guard case .name(let text, let isSecond) = codec.decode(name) else { return false }
      return listing.pages.known.pages.contains { $0.page.item(named: text, isSecond: isSecond) != nil }
    default: return false
    }
  }

  private func open(_ which: TableDirectory, of table: TableState) async throws(FilesystemError) -> DirectoryHandle.Source {
    let layout = try await table.layout()
    let directory = try layout.directory(which)
    let listing = objectListing(directory, of: table)
    guard which == .metadata else {
      return .objects(listing, ObjectPlace(table: table, root: which, directory: directory, names: nil), virtual: [])
    }
    guard let names = layout.names else {
      return .objects(listing, ObjectPlace(table: table, root: which, directory: directory, names: nil), virtual: [])
    }
    var virtual: [(name: EntryName, kind: Node.Kind)] = [
      (MetadataNames.currentLink, .currentLink(table)), (MetadataNames.versionHint, .versionHint(table, text: names.hint)),
    ]
    if let outside = names.pointerOutside, let object = try await head(outside, fileIO: table.fileIO) {
      virtual.append((names.shownCurrent(codec), .object(table, object)))
    }
    return .objects(listing, ObjectPlace(table: table, root: which, directory: directory, names: names), virtual: virtual)
  }

  private func emit(
    _ names: [(name: EntryName, kind: Node.Kind)], from position: DirectoryPosition, parent: Node, into receiver: any DirectoryReceiver
  ) -> Bool {
    guard position.page < 0 else { return true }
    for row in names.indices.dropFirst(position.row) {
      let next = DirectoryPosition(page: -1, row: row + 1)
      guard emit(names[row].name, names[row].kind, parent: parent, next: next, into: receiver) else { return false }
    }
    return true
  }

  private func emit(
    _ listing: NamespaceListing, from position: DirectoryPosition, parent: Node, into receiver: any DirectoryReceiver
  ) async throws(FilesystemError) -> Bool {
    guard position.page != DirectoryPosition.localPage else { return true }
    var pageIndex = max(position.page, 0)
    var row = position.page < 0 ? 0 : position.row
    while let page = try await listing.pages.page(pageIndex) {
      listing.pages.prefetch(pageIndex + 1)
      while row < page.items.count {
        let next = DirectoryPosition(page: pageIndex, row: row + 1)
        guard emit(name(of: page.items[row]), kind(of: page.items[row]), parent: parent, next: next, into: receiver) else { return false }
        row += 1
      }
      pageIndex += 1
      row = 0
    }
    return true
  }

  private func emit(
    _ listing: ObjectDirectoryListing, _ place: ObjectPlace, hiding local: [EntryName: LocalEntry], from position: DirectoryPosition,
    parent: Node, into receiver: any DirectoryReceiver
  ) async throws(FilesystemError) -> Bool {
    guard position.page != DirectoryPosition.localPage else { return true }
    var pageIndex = max(position.page, 0)
    var row = position.page < 0 ? 0 : position.row
    while let page = try await listing.pages.page(pageIndex) {
      listing.pages.prefetch(pageIndex + 1)
      while row < page.items.count {
        let item = page.items[row]
        let next = DirectoryPosition(page: pageIndex, row: row + 1)
        row += 1
        let name = name(of: item, in: page, names: place.names)
        let kind = place.kind(of: item, in: page)
        if !local.isEmpty, isHidden(name, kind, by: local) { continue }
        guard emit(name, kind, parent: parent, next: next, into: receiver) else { return false }
      }
      pageIndex += 1
      row = 0
    }
    return true
  }

  /// Whether this mount knows better than a listing: it has removed this version, or has a staged file of this name.
  private func isHidden(_ name: EntryName, _ kind: Node.Kind, by local: [EntryName: LocalEntry]) -> Bool {
    switch (local[name], kind) {
    case (.file, _): true
    case (.removed(let removed, _), .object(_, let object)): removed == object
    default: false
    }
  }

  private func emit(
    _ name: EntryName, _ kind: Node.Kind, parent: Node, next: DirectoryPosition, into receiver: any DirectoryReceiver
  ) -> Bool {
    emit(name, kind, parent: parent, cookie: next.cookie, into: receiver)
  }

  func emit(_ name: EntryName, _ kind: Node.Kind, parent: Node, cookie: UInt64, into receiver: any DirectoryReceiver) -> Bool {
    guard receiver.wantsAttributes, inodes.count < Self.primedInodes else {
      let inode = kind.identity.preferredInode
      return receiver.add(name: name, inode: inode, kind: kind.shownAs, next: cookie)
    }
    let node = inodes.reference(kind, parent: parent, name: name)
    if receiver.add(name: name, entry: entry(of: node), next: cookie) { return true }
    inodes.forget(node.inode, count: 1)
    return false
  }

  /// Entries beyond this many known inodes are listed by name only: a kernel that lets go of none bounds memory nevertheless. It then asks for
  /// the ones it wants, which the listing answers without a request.
  private static let primedInodes = 160_000
}

extension Node.Kind {
  var shownAs: NodeAttributes.Kind {
    switch self {
    case .root, .namespace, .table, .tableDirectory, .objectDirectory, .controlDirectory, .viewsDirectory: .directory
    case .object, .versionHint, .control, .locationText, .snapshotFile, .staged: .file
    case .currentLink: .symbolicLink
    case .view(_, let entry): entry.shownAs
    }
  }
}
