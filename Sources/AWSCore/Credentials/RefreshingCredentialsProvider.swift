// SPDX-License-Identifier: Apache-2.0

package import Logging
import Synchronization

/// Keeps what a source of temporary keys gave, and fetches anew ahead of their end (spec: clients.md §6.7).
///
/// Concurrent callers share one fetch. From `prefetch` before the end one fetch runs aside while callers go on with the old keys; from
/// `mandatory` before it they wait for it. A fetch that fails leaves the old keys in use until their end. Safe from any task.
package final class RefreshingCredentialsProvider: AWSCredentialsProvider {
  /// How long before the end of keys they are replaced; seconds. Keys of a short life get half and a quarter of it at most.
  package struct Window: Sendable, Hashable {
    var prefetch: Double
    var mandatory: Double
    /// Whether keys past their end are better than none: the service decides.
    var keepsExpired = false

    /// STS and IAM Identity Center.
    package static let standard = Window(prefetch: 300, mandatory: 60)
    package static let container = Window(prefetch: 900, mandatory: 60)
    package static let instance = Window(prefetch: 900, mandatory: 600, keepsExpired: true)
    /// Keys that a REST service hands out.
    package static let vended = Window(prefetch: vendedPrefetch, mandatory: 0)
    package static let vendedPrefetch = 300.0

    package init(prefetch: Double, mandatory: Double, keepsExpired: Bool = false) {
      self.prefetch = prefetch
      self.mandatory = mandatory
      self.keepsExpired = keepsExpired
    }
  }

  private typealias Fetch = Task<Result<AWSCredentials?, AWSError>, Never>

  private struct State {
    var held: AWSCredentials?
    /// When the keys came; wall seconds and elapsed time.
    var obtained = 0.0
    var obtainedAt = Duration.zero
    /// The service refuses what is held.
    var isRefused = false
    var running: Fetch?
    /// The last outcome without keys, for callers right behind it.
    var miss: (result: Result<AWSCredentials?, AWSError>, at: Duration)?
    /// No fetch aside before that.
    var nextPrefetch = Duration.zero
  }

  private enum Decision {
    case use(AWSCredentials)
    case wait(Fetch)
    case repeatMiss(Result<AWSCredentials?, AWSError>)
  }

  /// A service that is down is not asked by every request.
  private static let missPause = Duration.seconds(1)
  /// Keys that look expired as they come are used for that long: a clock may be wrong, and the service knows better.
  private static let leastUse = Duration.seconds(5)
  /// After a fetch aside that failed.
  private static let prefetchPause = Duration.seconds(30)
  /// After a fetch that left expired keys in use: 5 to 10 minutes.
  private static let expiredPause = 300.0

  package let name: String
  /// Whose keys ask for these.
  private let origin: (any AWSCredentialsProvider)?
  private let window: Window
  private let clock: any AWSClock
  private let logger: Logger
  private let fetch: @Sendable () async throws(AWSError) -> AWSCredentials?
  private let state = Mutex(State())

  /// - Parameters:
  ///   - origin: whose keys ask for these, if any.
  ///   - initial: keys to begin with, as if just fetched.
  ///   - fetch: gives new keys, nil where the source is not configured. It ends by itself within a minute, and is never run twice at a time.
  package init(
    name: String, window: Window, origin: (any AWSCredentialsProvider)? = nil, initial: AWSCredentials? = nil, clock: any AWSClock,
    logger: Logger,
    fetch: @escaping @Sendable () async throws(AWSError) -> AWSCredentials?
  ) {
    self.name = name
    self.origin = origin
    self.window = window
    self.clock = clock
    self.logger = logger
    self.fetch = fetch
    if let initial {
      state.withLock { state in
        state.held = initial
        (state.obtained, state.obtainedAt) = (clock.wallSeconds(), clock.elapsed())
      }
    }
  }

  package func credentials() async throws(AWSError) -> AWSCredentials? {
    switch decide() {
    case .use(let keys): return keys
    case .repeatMiss(let result): return try result.get()
    case .wait(let running): return try usable(await running.value)
    }
  }

  package var latest: AWSCredentials? { state.withLock { $0.held } }

  package func links() async -> [CredentialsLink] {
    var links = await origin?.links() ?? []
    if case .failed = links.last?.outcome { return links }
    links.append(await ownLink())
    return links
  }

  package func invalidate(_ refused: AWSCredentials?) {
    state.withLock { state in
      guard let held = state.held else {
        state.miss = nil
        return
      }
      if refused == nil || held.hasSameKeys(as: refused) {
        state.isRefused = true
        state.miss = nil
      }
    }
  }

  // MARK: decisions

  private func decide() -> Decision {
    let (wall, elapsed) = (clock.wallSeconds(), clock.elapsed())
    return state.withLock { state in
      if let keys = state.held, !state.isRefused {
        guard let expiration = keys.expiration else { return .use(keys) }
        let life = max(0, expiration - state.obtained)
        let isFresh = elapsed - state.obtainedAt < Self.leastUse
        if isFresh || wall < expiration - min(window.prefetch, life / 2) { return .use(keys) }
        let isPaused = elapsed < state.nextPrefetch
        if wall < expiration - min(window.mandatory, life / 4) {
          if state.running == nil, !isPaused { state.running = start() }
          return .use(keys)
        }
        if isPaused, wall < expiration || window.keepsExpired { return .use(keys) }
      }
      if let running = state.running { return .wait(running) }
      if let miss = state.miss, elapsed - miss.at < Self.missPause { return .repeatMiss(miss.result) }
      let running = start()
      state.running = running
      return .wait(running)
    }
  }

  private func start() -> Fetch {
    Task { [self] in
      let result: Result<AWSCredentials?, AWSError>
      do throws(AWSError) {
        result = .success(try await fetch())
      } catch {
        result = .failure(error)
      }
      finish(result)
      return result
    }
  }

  private func finish(_ result: Result<AWSCredentials?, AWSError>) {
    let (wall, elapsed) = (clock.wallSeconds(), clock.elapsed())
    let pause = Self.expiredPause * (1 + clock.random())
    let leaves = state.withLock { state -> Bool in
      state.running = nil
      if case .success(let keys?) = result {
        state.held = keys
        (state.obtained, state.obtainedAt) = (wall, elapsed)
        (state.isRefused, state.miss, state.nextPrefetch) = (false, nil, .zero)
        return false
      }
      // What is missing may be there at once; whoever makes it cannot be kept waiting.
      if case .failure(let error) = result, error.kind == .notFound { state.miss = nil } else { state.miss = (result, elapsed) }
      let isExpired = state.held?.expiration.map { wall >= $0 } ?? false
      state.nextPrefetch = elapsed + (isExpired && window.keepsExpired ? .seconds(pause) : Self.prefetchPause)
      return state.held != nil
    }
    if leaves, case .failure(let error) = result {
      logger.warning("credentials cannot be renewed", metadata: ["provider": "\(name)", "reason": "\(error.message)"])
    }
  }

  /// What a caller gets who has waited: the new keys, else the old ones while they may be used.
  private func usable(_ result: Result<AWSCredentials?, AWSError>) throws(AWSError) -> AWSCredentials? {
    if case .success(let keys?) = result { return keys }
    let wall = clock.wallSeconds()
    let old = state.withLock { state -> AWSCredentials? in
      guard let held = state.held, !state.isRefused else { return nil }
      return window.keepsExpired || held.expiration.map { wall < $0 } ?? true ? held : nil
    }
    if let old { return old }
    return try result.get()
  }
}
