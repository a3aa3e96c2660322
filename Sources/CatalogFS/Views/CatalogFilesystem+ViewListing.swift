// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// What an open directory of views lists: fixed at open, as all that it stands for is.
enum ViewListing: Sendable {
  case names([ViewName])
  case files(ViewFilesDirectory)

  /// Names in memory besides the cache's.
  var rowCount: Int {
    switch self {
    case .names(let names): names.count
    case .files: 0
    }
  }
}

extension CatalogFilesystem {
  /// Opens `.iceberg` itself.
  func openViews(of table: TableState) async throws(FilesystemError) -> ViewListing {
    var names: [ViewName] = []
    if let text = try await table.layout().location { names.append(ViewName(Self.locationName, .locationText(table, text: text + "\n"))) }
    let view: TableView?
    do throws(FilesystemError) {
      view = try await currentView(table)
    } catch {
      // What the metadata file does not give must not hide where the table is.
      guard error.code == .failed, !names.isEmpty else { throw error }
      view = nil
    }
    guard let view else { return .names(names) }
    for directory in [ViewEntry.FixedDirectory.byTime, .references, .snapshots] {
      names.append(ViewName(directory.rawValue, .view(table, .fixed(directory))))
    }
    if let current = view.current { names.append(ViewName("current", .view(table, Self.currentLink(current)))) }
    for document in ViewDocument.allCases {
      let entry = try? await entry(document, of: view, table)
      names.append(ViewName(document.rawValue, entry.map { .view(table, $0) }))
    }
    for rows in ViewRows.allCases { names.append(ViewName(rows.rawValue, .view(table, entry(rows, of: view, table)))) }
    return .names(names)
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
  func emit(_ listing: ViewListing, from cookie: UInt64, parent: Node, into receiver: any DirectoryReceiver) {
    switch listing {
    case .names(let names):
      for row in names.indices.dropFirst(Int(clamping: cookie)) {
        let next = UInt64(row) + 1
        guard let kind = names[row].kind else {
          guard receiver.add(name: names[row].name, inode: Self.unknownInode, kind: .file, next: next) else { return }
          continue
        }
        guard emit(names[row].name, kind, parent: parent, cookie: next, into: receiver) else { return }
      }
    case .files(let directory):
      directory.forEach(from: Int(clamping: cookie), codec) { name, kind, next in
        emit(name, kind, parent: parent, cookie: UInt64(next), into: receiver)
      }
    }
  }

  /// Shown for what could not be found out; a lookup says why.
  private static var unknownInode: UInt64 { .max }
}
