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

  let namespace: Namespace
  /// The refresh generation it was made in: what it primes is as old.
  let epoch: UInt64
  let pages: PagedListing<[Item], Cursor>

  init(
    namespace: Namespace, epoch: UInt64, catalog: any Catalog, now: @escaping @Sendable () -> ContinuousClock.Instant,
    isShown: @escaping @Sendable (Namespace) -> Bool
  ) {
    self.namespace = namespace
    self.epoch = epoch
    let isRoot = namespace.levels.isEmpty
    pages = PagedListing(start: isRoot ? .namespaces(after: nil, tables: []) : .tables(after: nil, seen: []), now: now) { cursor in
      do throws(CatalogError) {
        switch cursor {
        case .tables(let token, let seen):
          let page = try await catalog.listTables(in: namespace, after: token)
          let known = seen.union(page.entries.map(\.identifier))
          let next: Cursor? =
            if let token = page.next { .tables(after: token, seen: known) } else if catalog.nestsNamespaces {
              .namespaces(after: nil, tables: known)
            } else { nil }
          return .success(.init(page: page.entries.map { .table($0) }, next: next))
        case .namespaces(let token, let tables):
          let page = try await catalog.listNamespaces(under: namespace, after: token)
          let items = page.entries.filter { isShown($0.namespace) }.map { entry -> Item in
            let sameName = TableIdentifier(namespace: namespace, name: entry.namespace.levels.last ?? "")
            return .namespace(entry, isSecond: tables.contains(sameName))
          }
          return .success(.init(page: items, next: page.next.map { .namespaces(after: $0, tables: tables) }))
        }
      } catch {
        return .failure(FilesystemError(error))
      }
    }
  }
}
