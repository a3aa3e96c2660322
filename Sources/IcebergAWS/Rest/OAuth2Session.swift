// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import HTTP
import Logging
import Synchronization
import Telemetry

/// A bearer token that is got when it is first needed, shared by all, and renewed in the background before it ends.
/// Source: spec/remote-signer.md §5.2, §5.4.
///
/// While a renewal fails, the old token stays in use: it is the service that decides when it is too old.
package final class OAuth2Session: RestAuthenticator {
  private struct State {
    var token: OAuth2Token?
    var lastUse = Duration.zero
    /// Not before this time, since 1970, is a token that could not be renewed tried again by those who use it.
    var nextAttempt = 0.0
    var keeper: Task<Void, Never>?
  }

  /// Renewals of one round in the background.
  private static let attempts = 6
  /// Seconds from a round that failed to the next.
  private static let pause = 60.0

  private let properties: OAuth2Properties
  private let client: OAuth2Client?
  private let clock: any AWSClock
  private let logger: Logger
  private let state = Mutex(State())
  private let flight = SharedFlight<OAuth2Token?>(operation: OAuth2Client.operation)

  package init(_ properties: OAuth2Properties, client: RestClient) {
    self.properties = properties
    self.client = properties.server.map {
      OAuth2Client(client: client, server: $0, scope: properties.scope, audience: properties.audience, resource: properties.resource)
    }
    clock = client.clock
    logger = client.logger
  }

  deinit {
    state.withLock { $0.keeper }?.cancel()
  }

  package func authorize(_ request: inout HTTPRequest) async throws(AWSError) {
    if request.headers.contains(where: { $0.name.lowercased() == "authorization" }) { return }
    guard let token = try await current() else { return }
    request.headers.append(("Authorization", "Bearer \(token.value.reveal())"))
  }

  package func renew(after refused: HTTPRequest) async -> Bool {
    guard let known = state.withLock({ $0.token }) else { return false }
    guard let header = refused.headers.first(where: { $0.name.lowercased() == "authorization" })?.value else { return false }
    // Another call has renewed it meanwhile.
    if header != "Bearer \(known.value.reveal())" { return true }
    guard canRenew else { return false }
    do {
      return try await flight.value { await self.replace(known) } != known
    } catch {
      logger.warning("a token that was refused cannot be renewed", metadata: ["reason": "\(error.message)"])
      return false
    }
  }

  private var canRenew: Bool {
    properties.isRefreshEnabled && (properties.isExchangeEnabled || properties.credential != nil)
  }

  /// The token to use now; nil where neither token nor credential is configured.
  private func current() async throws(AWSError) -> OAuth2Token? {
    let (now, wall) = (clock.elapsed(), clock.wallSeconds())
    let timeout = properties.sessionTimeout
    let (known, mayTry) = state.withLock { state in
      if state.token != nil, now - state.lastUse > timeout { state.token = nil }
      state.lastUse = now
      return (state.token, state.nextAttempt <= wall)
    }
    if let known, !known.isExpired(at: wall) || !canRenew || !mayTry {
      startKeeper()
      return known
    }
    do {
      let token = try await flight.value { await self.obtain(after: known) }
      startKeeper()
      return token
    } catch {
      guard let known, error.kind != .cancelled else { throw error }
      postpone()
      logger.warning("an expired token cannot be renewed and stays in use", metadata: ["reason": "\(error.message)"])
      return known
    }
  }

  private func obtain(after known: OAuth2Token?) async -> Result<OAuth2Token?, AWSError> {
    // Those who came together with the last one who was waiting have it already.
    if let newer = state.withLock({ $0.token }), newer != known { return .success(newer) }
    if let known { return await replace(known) }
    let wall = clock.wallSeconds()
    if let configured = properties.token {
      let token = OAuth2Token(configured, lifetime: properties.tokenLifetime?.inSeconds, now: wall)
      store(token)
      guard token.isExpired(at: wall), canRenew else { return .success(token) }
      if case .success(let fresh) = await replace(token) { return .success(fresh) }
      postpone()
      return .success(token)
    }
    guard let credential = properties.credential, let client else { return .success(nil) }
    do {
      let token = try await client.token(for: credential)
      store(token)
      return .success(token)
    } catch {
      return .failure(error)
    }
  }

  private func replace(_ token: OAuth2Token) async -> Result<OAuth2Token?, AWSError> {
    if let newer = state.withLock({ $0.token }), newer != token { return .success(newer) }
    do {
      let fresh = try await renewed(token)
      store(fresh)
      logger.debug("token is renewed", metadata: ["expires": "\(fresh.expiration.map { "\(Int($0))" } ?? "-")"])
      return .success(fresh)
    } catch {
      return .failure(error)
    }
  }

  /// The ways to another token, in order: by itself, by the credential, and, where it came from the credential, a new start.
  private func renewed(_ token: OAuth2Token) async throws(AWSError) -> OAuth2Token {
    guard let client else { throw Self.noWay }
    guard properties.isExchangeEnabled else {
      guard let credential = properties.credential else { throw Self.noWay }
      return try await client.token(for: credential)
    }
    var failure = Self.noWay
    if !token.isExpired(at: clock.wallSeconds()) {
      do throws(AWSError) { return try await client.exchange(token, .byToken) } catch { failure = error }
    }
    guard let credential = properties.credential else { throw failure }
    do throws(AWSError) { return try await client.exchange(token, .byCredential(credential)) } catch { failure = error }
    guard properties.token == nil else { throw failure }
    return try await client.token(for: credential)
  }

  private func store(_ token: OAuth2Token) {
    let sleeping = state.withLock { state in
      state.token = token
      state.nextAttempt = 0
      defer { state.keeper = nil }
      return state.keeper
    }
    // It sleeps until another token's time.
    sleeping?.cancel()
    startKeeper()
  }

  private func postpone() {
    let next = clock.wallSeconds() + Self.pause
    state.withLock { $0.nextAttempt = next }
  }

  private static let noWay = AWSError(
    kind: .credentials, code: "ExpiredToken", message: "the token has ended, and without a credential there is no way to another",
    operation: OAuth2Client.operation)

  // MARK: In the background

  /// Starts the task that renews in time, unless it runs or there is nothing for it to do.
  private func startKeeper() {
    guard canRenew else { return }
    let clock = clock
    state.withLock { state in
      guard state.keeper == nil, state.token?.renewal != nil else { return }
      state.keeper = Task { [weak self] in
        while let delay = self?.nextRenewal() {
          do { try await clock.sleep(for: delay) } catch { return }
          await self?.renewAhead()
        }
      }
    }
  }

  /// The time until the next renewal; nil ends the task: nobody uses the session any more, or its token does not end.
  private func nextRenewal() -> Duration? {
    if Task.isCancelled { return nil }
    let (now, wall) = (clock.elapsed(), clock.wallSeconds())
    let timeout = properties.sessionTimeout
    return state.withLock { state in
      guard now - state.lastUse <= timeout, let renewal = state.token?.renewal else {
        state.keeper = nil
        return nil
      }
      return .seconds(max(0.01, max(renewal, state.nextAttempt) - wall))
    }
  }

  private func renewAhead() async {
    let (now, wall) = (clock.elapsed(), clock.wallSeconds())
    let timeout = properties.sessionTimeout
    let known = state.withLock { state in
      now - state.lastUse <= timeout && (state.token?.renewal).map { $0 <= wall } == true ? state.token : nil
    }
    guard let known else { return }
    var reason = ""
    for attempt in 0..<Self.attempts {
      do {
        _ = try await flight.value { await self.replace(known) }
        return
      } catch {
        if error.kind == .cancelled { return }
        reason = error.message
      }
      guard attempt + 1 < Self.attempts else { break }
      do { try await clock.sleep(for: .milliseconds(100 << attempt)) } catch { return }
    }
    logger.warning("a token cannot be renewed; the old one stays in use", metadata: ["reason": "\(reason)"])
    postpone()
  }
}
