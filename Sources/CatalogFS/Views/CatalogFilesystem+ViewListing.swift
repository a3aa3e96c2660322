// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// What an open directory of views lists: fixed at open, as all that it stands for is.
enum ViewListing: Sendable {
  /// `.iceberg` itself.
  case root(ViewsRoot)
  case names([ViewName])
  case files(ViewFilesDirectory)

  /// Names in memory besides the cache's.
  var rowCount: Int {
    switch self {
    case .names(let names): names.count
    case .root, .files: 0
    }
  }
}

/// The names of `.iceberg`, made when they are asked for: programs open the directory they stand in without reading it.
final class ViewsRoot: Sendable {
  let table: TableState
  private let made = Mutex<[ViewName]?>(nil)

  init(_ table: TableState) {
    self.table = table
  }

  /// Those that this open directory has shown; nil before its first look.
  var names: [ViewName]? { made.withLock { $0 } }

  func keep(_ names: [ViewName]) { made.withLock { $0 = names } }
}

extension CatalogFilesystem {
  private func names(of root: ViewsRoot) async throws(FilesystemError) -> [ViewName] {
    if let names = root.names { return names }
    let names = try await names(ofViews: root.table)
    root.keep(names)
    return names
  }

  private func names(ofViews table: TableState) async throws(FilesystemError) -> [ViewName] {
    var names: [ViewName] = []
    func addLocation(_ text: String?) {
      if let text { names.append(ViewName(Self.locationName, .locationText(table, text: text + "\n"))) }
    }
    let view: TableView?
    do throws(FilesystemError) {
      view = try await currentView(table)
      addLocation(view?.metadata.head.location)
    } catch {
      // What the metadata file does not give must not hide where the table is.
      guard error.code == .failed else { throw error }
      view = nil
    }
    guard let view else {
      addLocation(try await table.layout().location)
      return names
    }
    for directory in [ViewEntry.FixedDirectory.byTime, .references, .snapshots] {
      names.append(ViewName(directory.rawValue, .view(table, .fixed(directory))))
    }
    if let current = view.current { names.append(ViewName("current", .view(table, Self.currentLink(current)))) }
    for document in ViewDocument.allCases {
      let entry = try? await entry(document, of: view, table)
      names.append(ViewName(document.rawValue, entry.map { .view(table, $0) }))
    }
    for rows in ViewRows.allCases { names.append(ViewName(rows.rawValue, .view(table, entry(rows, of: view, table)))) }
    return names
  }

  /// Opens a directory below `.iceberg`.
  func open(_ entry: ViewEntry, of table: TableState) async throws(FilesystemError) -> ViewListing {
    switch entry {
    case .files(let place, let side, let path, let isOutside):
      let files = try await files(table, place, side)
      return .files(ViewFilesDirectory(files: files, place: place, side: side, path: path, isOutside: isOutside, table: table))
    case .snapshot(let place): return .names(await entries(of: place, table))
    case .fixed(let directory):
      guard let view = try await currentView(table) else { throw .notFound }
      return .names(names(in: directory, of: view).map { ViewName($0.name, .view(table, $0.entry)) })
    case .link, .summary, .document, .rows: throw FilesystemError(.notDirectory)
    }
  }

  private func names(in directory: ViewEntry.FixedDirectory, of view: TableView) -> [(name: EntryName, entry: ViewEntry)] {
    switch directory {
    case .snapshots:
      view.metadata.snapshots.compactMap { snapshot in
        view.place(of: snapshot.id).map { (EntryName(String(snapshot.id)), .snapshot($0)) }
      }
    case .references: [(EntryName("branches"), .fixed(.branches)), (EntryName("tags"), .fixed(.tags))]
    case .branches: Self.references(of: view, .branch, codec)
    case .tags: Self.references(of: view, .tag, codec)
    case .byTime:
      view.instants.compactMap { instant in
        view.place(of: instant.snapshotID).map { (EntryName(instant.name), Self.instantLink($0)) }
      }
    }
  }

  /// Hands names after a cookie to the receiver until it is full or the directory ends.
  func emit(
    _ listing: ViewListing, from cookie: UInt64, parent: Node, into receiver: any DirectoryReceiver
  ) async throws(FilesystemError) {
    switch listing {
    case .root(let root): emit(try await names(of: root), from: cookie, parent: parent, into: receiver)
    case .names(let names): emit(names, from: cookie, parent: parent, into: receiver)
    case .files(let directory):
      directory.forEach(from: Int(clamping: cookie), codec) { name, kind, next in
        emit(name, kind, parent: parent, cookie: UInt64(next), into: receiver)
      }
    }
  }

  private func emit(_ names: [ViewName], from cookie: UInt64, parent: Node, into receiver: any DirectoryReceiver) {
    for row in names.indices.dropFirst(Int(clamping: cookie)) {
      let next = UInt64(row) + 1
      guard let kind = names[row].kind else {
        guard receiver.add(name: names[row].name, inode: Self.unknownInode, kind: .file, next: next) else { return }
        continue
      }
      guard emit(names[row].name, kind, parent: parent, cookie: next, into: receiver) else { return }
    }
  }

  /// Shown for what could not be found out; a lookup says why.
  private static var unknownInode: UInt64 { .max }
}
