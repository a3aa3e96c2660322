// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A page as a ``PagedListing`` holds it.
protocol ListedPage: Sendable {
  var rowCount: Int { get }
  /// Whether names stand in byte order, so that one is found by halving.
  var isSorted: Bool { get }
  /// The same page without its rows, but with their number and where it ends; nil if it cannot be loaded anew by itself.
  var emptied: Self? { get }
}

/// A listing that comes page by page: pages load on demand, one request in flight for each, and stay for everyone who reads on.
///
/// `Cursor` is what the loader needs for the next page. A page that failed is not remembered: the next reader asks again. Beyond a limit
/// of rows those pages are emptied that were not read for longest, and loaded anew for whoever comes back to them.
final class PagedListing<Page: ListedPage, Cursor: Sendable>: Sendable {
  struct Loaded: Sendable {
    var page: Page
    /// Nil after the last page.
    var next: Cursor?
  }
  /// Loads the page of a cursor; the instant is when it was asked for. A page that was emptied is given too: what is loaded must cover the
  /// same names.
  typealias Loader = @Sendable (Cursor, ContinuousClock.Instant, _ emptied: Page?) async -> Result<Loaded, FilesystemError>

  /// A page that was loaded.
  struct Dated: Sendable {
    var page: Page
    /// When its request was sent: the content is at least that new, whatever later pages are.
    var asked: ContinuousClock.Instant
    /// Its rows are not in memory.
    var isEmptied = false
  }

  /// What is known, kept up to date page by page: looking at it costs the same however long the listing is.
  struct Known: Sendable {
    /// In the order in which they were asked for.
    var pages: [Dated] = []
    var isComplete = false
    var isSorted = true
    /// Rows of all pages, the emptied ones among them.
    var rows = 0
  }

  fileprivate struct State {
    var known = Known()
    var cursor: Cursor?
    var fetch: SharedFetch<Void>?
    /// When the request for the first page was sent, or the listing made if there was none yet.
    var started: ContinuousClock.Instant
    var rowsInMemory = 0
    // Kept only where pages may be emptied: the cursor of each page, when it was last read, and what is being loaded anew.
    var cursors: [Cursor] = []
    var used: [UInt64] = []
    var clock: UInt64 = 0
    var reloads: [Int: SharedFetch<Void>] = [:]
  }

  fileprivate enum Step {
    case here(Page)
    case end
    case wait(SharedFetch<Void>)
    case load(SharedFetch<Void>, Cursor)
    case reload(SharedFetch<Void>, Cursor, Page)
  }

  /// Rows kept in memory; nil: all.
  private let limit: Int?
  private let load: Loader
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state: Mutex<State>

  init(start: Cursor, limit: Int? = nil, now: @escaping @Sendable () -> ContinuousClock.Instant, load: @escaping Loader) {
    self.limit = limit
    self.load = load
    self.now = now
    self.state = Mutex(State(cursor: start, started: now()))
  }

  /// When the first page was asked for: the whole listing is at least that new.
  var started: ContinuousClock.Instant { state.withLock { $0.started } }
  var known: Known { state.withLock { $0.known } }
  /// Rows of all pages that were loaded.
  var rowCount: Int { state.withLock { $0.known.rows } }
  /// Rows that take memory now.
  var rowsInMemory: Int { state.withLock { $0.rowsInMemory } }
  /// Pages that were loaded, and whether they are all.
  var extent: (pages: Int, isComplete: Bool) { state.withLock { ($0.known.pages.count, $0.known.isComplete) } }

  /// The page of this number, loading up to it; nil past the last.
  func page(_ index: Int) async throws(FilesystemError) -> Page? {
    while true {
      switch step(towards: index) {
      case .here(let page): return page
      case .end: return nil
      case .wait(let fetch), .load(let fetch, _), .reload(let fetch, _, _): try await fetch.value()
      }
    }
  }

  /// Starts loading a page that a reader will want soon, without waiting.
  func prefetch(_ index: Int) {
    _ = step(towards: index)
  }

  private func step(towards index: Int) -> Step {
    let asked = now()
    let step = state.withLock { $0.step(towards: index, asked: asked, isLimited: limit != nil) }
    switch step {
    case .load(let fetch, let cursor): fetch.start { [self] in await loadNext(cursor, asked: asked) }
    case .reload(let fetch, let cursor, let emptied):
      fetch.start { [self] in await reload(index, cursor, asked: asked, emptied: emptied) }
    case .here, .end, .wait: break
    }
    return step
  }

  private func loadNext(_ cursor: Cursor, asked: ContinuousClock.Instant) async -> Result<Void, FilesystemError> {
    let result = await load(cursor, asked, nil)
    return take(result) { state, loaded in
      state.append(Dated(page: loaded.page, asked: asked), from: cursor, next: loaded.next, limit: limit)
    } always: {
      $0.fetch = nil
    }
  }

  private func reload(
    _ index: Int, _ cursor: Cursor, asked: ContinuousClock.Instant, emptied: Page
  ) async -> Result<Void, FilesystemError> {
    let result = await load(cursor, asked, emptied)
    return take(result) { state, loaded in
      state.replace(index, with: Dated(page: loaded.page, asked: asked), limit: limit)
    } always: {
      $0.reloads[index] = nil
    }
  }

  private func take(
    _ result: Result<Loaded, FilesystemError>, _ body: (inout State, Loaded) -> [Page], always: (inout State) -> Void
  ) -> Result<Void, FilesystemError> {
    let (outcome, gone) = state.withLock { state -> (Result<Void, FilesystemError>, [Page]) in
      always(&state)
      switch result {
      case .failure(let error): return (.failure(error), [])
      case .success(let loaded): return (.success(()), body(&state, loaded))
      }
    }
    // Freed here, outside the lock.
    _ = gone
    return outcome
  }
}

extension PagedListing.State {
  fileprivate mutating func step(towards index: Int, asked: ContinuousClock.Instant, isLimited: Bool) -> PagedListing.Step {
    guard index >= known.pages.count else {
      let dated = known.pages[index]
      if isLimited {
        clock += 1
        used[index] = clock
      }
      guard dated.isEmptied else { return .here(dated.page) }
      if let fetch = reloads[index] { return .wait(fetch) }
      let fetch = SharedFetch<Void>()
      reloads[index] = fetch
      return .reload(fetch, cursors[index], dated.page)
    }
    guard let cursor else { return .end }
    if let fetch { return .wait(fetch) }
    if known.pages.isEmpty { started = asked }
    let fetch = SharedFetch<Void>()
    self.fetch = fetch
    return .load(fetch, cursor)
  }

  fileprivate mutating func append(_ dated: PagedListing.Dated, from cursor: Cursor, next: Cursor?, limit: Int?) -> [Page] {
    known.pages.append(dated)
    known.rows += dated.page.rowCount
    known.isSorted = known.isSorted && dated.page.isSorted
    known.isComplete = next == nil
    rowsInMemory += dated.page.rowCount
    self.cursor = next
    guard let limit else { return [] }
    clock += 1
    cursors.append(cursor)
    used.append(clock)
    return shrink(to: limit, sparing: known.pages.count - 1)
  }

  fileprivate mutating func replace(_ index: Int, with dated: PagedListing.Dated, limit: Int?) -> [Page] {
    known.rows += dated.page.rowCount - known.pages[index].page.rowCount
    known.isSorted = known.isSorted && dated.page.isSorted
    rowsInMemory += dated.page.rowCount
    known.pages[index] = dated
    return limit.map { shrink(to: $0, sparing: index) } ?? []
  }

  /// Empties pages down to the limit. The last one stays: where it ends is where the listing does.
  private mutating func shrink(to limit: Int, sparing kept: Int) -> [Page] {
    var gone: [Page] = []
    while rowsInMemory > limit {
      let oldest = known.pages.indices.dropLast().filter { $0 != kept && !known.pages[$0].isEmptied }.min { used[$0] < used[$1] }
      guard let oldest, let emptied = known.pages[oldest].page.emptied else { break }
      gone.append(known.pages[oldest].page)
      rowsInMemory -= emptied.rowCount
      known.pages[oldest].page = emptied
      known.pages[oldest].isEmptied = true
    }
    return gone
  }
}
