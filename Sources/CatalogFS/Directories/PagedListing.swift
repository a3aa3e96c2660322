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
  typealias Loader = @Sendable (Cursor) async -> Result<Loaded, FilesystemError>

  private struct State {
    var pages: [Page] = []
    var cursor: Cursor?
    var fetch: SharedFetch<Void>?
    /// When the request for the newest page was sent.
    var asked: ContinuousClock.Instant
  }

  private let load: Loader
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state: Mutex<State>

  init(start: Cursor, now: @escaping @Sendable () -> ContinuousClock.Instant, load: @escaping Loader) {
    self.load = load
    self.now = now
    self.state = Mutex(State(cursor: start, asked: now()))
  }

  /// When the newest page was asked for: its content is at least that new.
  var asked: ContinuousClock.Instant { state.withLock { $0.asked } }

  /// The pages that are here, and whether they are all.
  var loaded: (pages: [Page], isComplete: Bool) { state.withLock { ($0.pages, $0.cursor == nil) } }

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
    state.withLock { state in
      if index < state.pages.count { return (state.pages[index], nil) }
      guard let cursor = state.cursor else { return (nil, nil) }
      if let fetch = state.fetch { return (nil, fetch) }
      state.asked = now()
      let fetch = SharedFetch<Void> { [self] in await loadNext(cursor) }
      state.fetch = fetch
      return (nil, fetch)
    }
  }

  private func loadNext(_ cursor: Cursor) async -> Result<Void, FilesystemError> {
    let result = await load(cursor)
    return state.withLock { state in
      state.fetch = nil
      switch result {
      case .failure(let error):
        return .failure(error)
      case .success(let loaded):
        state.pages.append(loaded.page)
        state.cursor = loaded.next
        return .success(())
      }
    }
  }
}
