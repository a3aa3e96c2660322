// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A listing that comes page by page: pages load on demand, one request in flight, and stay for everyone who reads on.
///
/// `Cursor` is what the loader needs for the next page. A page that failed is not remembered: the next reader asks again.
final class PagedListing<Page: Sendable, Cursor: Sendable>: Sendable {
  struct Loaded: Sendable {
    var page: Page
    /// Nil after the last page.
    var next: Cursor?
  }
  /// Loads the page of a cursor; the instant is when it was asked for.
  typealias Loader = @Sendable (Cursor, ContinuousClock.Instant) async -> Result<Loaded, FilesystemError>

  /// A page that is here.
  struct Dated: Sendable {
    var page: Page
    /// When its request was sent: the content is at least that new, whatever later pages are.
    var asked: ContinuousClock.Instant
  }

  private struct State {
    var pages: [Dated] = []
    var cursor: Cursor?
    var fetch: SharedFetch<Void>?
    /// When the request for the first page was sent, or the listing made if there was none yet.
    var started: ContinuousClock.Instant
  }

  private let load: Loader
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state: Mutex<State>

  init(start: Cursor, now: @escaping @Sendable () -> ContinuousClock.Instant, load: @escaping Loader) {
    self.load = load
    self.now = now
    self.state = Mutex(State(cursor: start, started: now()))
  }

  /// When the first page was asked for: the whole listing is at least that new.
  var started: ContinuousClock.Instant { state.withLock { $0.started } }

  /// The pages that are here, in the order in which they were asked for, and whether they are all.
  var loaded: (pages: [Dated], isComplete: Bool) { state.withLock { ($0.pages, $0.cursor == nil) } }

  /// The page of this number, loading up to it; nil past the last.
  func page(_ index: Int) async throws(FilesystemError) -> Page? {
    while true {
      let (page, fetch) = step(towards: index)
      if let page { return page }
      guard let fetch else { return nil }
      try await fetch.value()
    }
  }

  /// Starts loading a page that a reader will want soon, without waiting.
  func prefetch(_ index: Int) {
    _ = step(towards: index)
  }

  private func step(towards index: Int) -> (Page?, SharedFetch<Void>?) {
    let asked = now()
    let (page, fetch, cursor) = state.withLock { state -> (Page?, SharedFetch<Void>?, Cursor?) in
      if index < state.pages.count { return (state.pages[index].page, nil, nil) }
      guard let cursor = state.cursor else { return (nil, nil, nil) }
      if let fetch = state.fetch { return (nil, fetch, nil) }
      if state.pages.isEmpty { state.started = asked }
      let fetch = SharedFetch<Void>()
      state.fetch = fetch
      return (nil, fetch, cursor)
    }
    if let fetch, let cursor {
      fetch.start { [self] in await loadNext(cursor, asked: asked) }
    }
    return (page, fetch)
  }

  private func loadNext(_ cursor: Cursor, asked: ContinuousClock.Instant) async -> Result<Void, FilesystemError> {
    let result = await load(cursor, asked)
    return state.withLock { state in
      state.fetch = nil
      switch result {
      case .failure(let error):
        return .failure(error)
      case .success(let loaded):
        state.pages.append(Dated(page: loaded.page, asked: asked))
        state.cursor = loaded.next
        return .success(())
      }
    }
  }
}
