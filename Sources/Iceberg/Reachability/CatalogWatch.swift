// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Lists a catalog again and again without ever overlooking a table that was there all the time.
///
/// Pages of a listing are not one moment: a table that is renamed from a namespace not yet listed into one that is, stands on no page. So the
/// first listing is made twice, and a later one is repeated when a table known before is not on it, until two agree on the names. Tables that
/// are gone count for a while longer by their last pointer, since an index of the catalog may lag behind (DynamoDB's does).
final class CatalogWatch: Sendable {
  private struct State {
    var known: [TableIdentifier: TableEntry]?
    var gone: [TableIdentifier: (entry: TableEntry, since: Duration)] = [:]
  }

  /// Many times what DynamoDB's indexes need to follow.
  private static let lag = Duration.seconds(60)
  private static let mostListings = 5

  private let survey: CatalogSurvey
  private let clock: any LockClock
  private let state = Mutex(State())

  init(_ catalog: any Catalog, clock: any LockClock) {
    survey = CatalogSurvey(catalog: catalog)
    self.clock = clock
  }

  /// Every table, each once, those that went lately last. Not to be called twice at once.
  func tables() async throws(CatalogError) -> (present: [TableEntry], gone: [TableEntry]) {
    let known = state.withLock { $0.known }
    var tables = try await survey.tables()
    if known == nil || known?.keys.allSatisfy({ tables[$0] != nil }) == false {
      var listings = 1
      while true {
        let again = try await survey.tables()
        listings += 1
        let agrees = again.keys == tables.keys
        tables = again
        if agrees { break }
        guard listings < Self.mostListings else {
          throw CatalogError(code: .failed, message: "the tables of the catalog changed their names during each of \(listings) listings")
        }
      }
    }
    let now = clock.elapsed()
    let found = tables
    let gone = state.withLock { state -> [TableEntry] in
      for (name, entry) in state.known ?? [:] where found[name] == nil { state.gone[name] = (entry, now) }
      state.gone = state.gone.filter { found[$0.key] == nil && now - $0.value.since < Self.lag }
      state.known = found
      return state.gone.values.map(\.entry)
    }
    return (Array(tables.values), gone)
  }
}
