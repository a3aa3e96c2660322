// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Lists a catalog again and again without ever overlooking a table that was there all the time.
///
/// Pages of a listing are not one moment: a table that is renamed from a namespace not yet listed into one that is, stands on no page. So the
/// first listing is made twice, and a later one is repeated when a table known before is not on it, until two agree on the names. Tables that
/// are gone count for a while longer by their last pointer, since a listing may lag behind.
///
/// Safe from any task: those that ask while the catalog is listed wait, and have it listed anew.
final class CatalogWatch: Sendable {
  /// What stands in the catalog.
  struct Sight: Sendable {
    /// Every table, each once.
    var present: [TableEntry]
    /// Those that went lately.
    var gone: [TableEntry]
    /// Why there may be more pointers than these: sentences.
    var unclear: [String]
  }

  private struct State {
    var known: CatalogInventory?
    /// Ends with the listings asked for so far.
    var turn: Task<Void, Never>?
    var gone: [TableIdentifier: (entry: TableEntry, since: Duration)] = [:]
  }

  /// Many times what DynamoDB's indexes need to follow.
  private static let lag = Duration.seconds(60)
  private static let mostListings = 5

  private let catalog: any Catalog
  private let clock: any LockClock
  private let state = Mutex(State())

  init(_ catalog: any Catalog, clock: any LockClock) {
    self.catalog = catalog
    self.clock = clock
  }

  /// Lists the catalog; every page is asked for after the call.
  func tables() async throws(CatalogError) -> Sight {
    let listing = state.withLock { state in
      let before = state.turn
      let listing = Task { [self] () -> Result<Sight, CatalogError> in
        await before?.value
        do throws(CatalogError) {
          return .success(try await list())
        } catch {
          return .failure(error)
        }
      }
      state.turn = Task { _ = await listing.value }
      return listing
    }
    return try await listing.value.get()
  }

  /// Not to be called twice at once.
  private func list() async throws(CatalogError) -> Sight {
    let known = state.withLock { $0.known }
    var found = try await catalog.allTables()
    if known.map({ Self.holds(found, all: $0) }) != true {
      var listings = 1
      while true {
        let again = try await catalog.allTables()
        listings += 1
        let agrees = again.tables.keys == found.tables.keys && again.unclear == found.unclear
        found = again
        if agrees { break }
        guard listings < Self.mostListings else {
          throw CatalogError(code: .failed, message: "the tables of the catalog changed their names during each of \(listings) listings")
        }
      }
    }
    let now = clock.elapsed()
    let inventory = found
    let gone = state.withLock { state -> [TableEntry] in
      for (name, entry) in state.known?.tables ?? [:] where inventory.tables[name] == nil { state.gone[name] = (entry, now) }
      state.gone = state.gone.filter { inventory.tables[$0.key] == nil && now - $0.value.since < Self.lag }
      state.known = inventory
      return state.gone.values.map(\.entry)
    }
    return Sight(present: Array(inventory.tables.values), gone: gone, unclear: inventory.unclear.sorted())
  }

  private static func holds(_ inventory: CatalogInventory, all known: CatalogInventory) -> Bool {
    known.tables.keys.allSatisfy { inventory.tables[$0] != nil } && known.unclear.isSubset(of: inventory.unclear)
  }
}
