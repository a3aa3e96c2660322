// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// The listing of a namespace: its tables, then the namespaces below it, page by page from the catalog.
///
/// Tables come first: a namespace that shares its name with a table shows with a trailing `%`, and by then the tables are known.
final class NamespaceListing: Sendable {
  enum Item: Sendable {
    case table(TableEntry)
    case namespace(NamespaceEntry, isSecond: Bool)
  }

  enum Cursor: Sendable {
    case tables(after: String?, seen: Set<TableIdentifier>)
    case namespaces(after: String?, tables: Set<TableIdentifier>)
  }

  let pages: PagedListing<NamespacePage, Cursor>

  /// - Parameter prime: takes each page as it comes, with the time when it was asked for: a listing of tables brings their pointers, one of
  ///   namespaces their times, so that `ls -l` after it costs nothing.
  init(
    namespace: Namespace, catalog: any Catalog, options: CatalogFilesystemOptions, now: @escaping @Sendable () -> ContinuousClock.Instant,
    prime: @escaping @Sendable ([Item], ContinuousClock.Instant) -> Void
  ) {
    let start: Cursor = options.showsTables(of: namespace) ? .tables(after: nil, seen: []) : .namespaces(after: nil, tables: [])
    pages = PagedListing(start: start, now: now) { cursor, asked, _ in
      do throws(CatalogError) {
        switch cursor {
        case .tables(let token, let seen):
          let page = try await catalog.listTables(in: namespace, after: token)
          // Only a name that a namespace may want too has to be remembered.
          let known = catalog.nestsNamespaces ? seen.union(page.entries.map(\.identifier)) : []
          let next: Cursor? =
            if let token = page.next { .tables(after: token, seen: known) } else if catalog.nestsNamespaces {
              .namespaces(after: nil, tables: known)
            } else { nil }
          let items = page.entries.map { Item.table($0) }
          prime(items, asked)
          return .success(.init(page: NamespacePage(items), next: next))
        case .namespaces(let token, let tables):
          let page = try await catalog.listNamespaces(under: namespace, after: token)
          let items = page.entries.filter { options.shows($0.namespace) }.map { entry -> Item in
            let name = entry.namespace.levels.last ?? ""
            let isTaken = tables.contains(TableIdentifier(namespace: namespace, name: name))
            return .namespace(entry, isSecond: isTaken || namespace.isTakenByControlFiles(name))
          }
          prime(items, asked)
          return .success(.init(page: NamespacePage(items), next: page.next.map { .namespaces(after: $0, tables: tables) }))
        }
      } catch {
        return .failure(FilesystemError(error))
      }
    }
  }
}

/// A page of tables, or of namespaces.
struct NamespacePage: ListedPage {
  let items: [NamespaceListing.Item]
  /// Where a name stands, as bytes: two names that differ only in Unicode normalisation are two names.
  private let rows: [[UInt8]: Int]

  init(_ items: [NamespaceListing.Item]) {
    self.items = items
    rows = Dictionary(items.indices.map { (Array(items[$0].name.utf8), $0) }, uniquingKeysWith: { first, _ in first })
  }

  var rowCount: Int { items.count }
  var isSorted: Bool { false }
  var emptied: NamespacePage? { nil }

  /// The item with this name of the catalog, if it shows in this form.
  func item(named name: String, isSecond: Bool) -> NamespaceListing.Item? {
    guard let row = rows[Array(name.utf8)], items[row].isSecond == isSecond else { return nil }
    return items[row]
  }
}

extension NamespaceListing.Item {
  /// The last level of the catalog's name.
  var name: String {
    switch self {
    case .table(let entry): entry.identifier.name
    case .namespace(let entry, _): entry.namespace.levels.last ?? ""
    }
  }

  /// Whether another entry keeps the plain form of the name.
  var isSecond: Bool {
    switch self {
    case .table: false
    case .namespace(_, let isSecond): isSecond
    }
  }
}

extension Namespace {
  /// Whether the directory of control files keeps a name in this namespace.
  func isTakenByControlFiles(_ name: String) -> Bool {
    levels.isEmpty && EntryName(name) == CatalogFilesystem.controlName
  }
}
