// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a look into the views of a table has found out, and what it takes to keep it.
protocol ViewCached: AnyObject, Sendable {
  /// Bytes in memory, about.
  var cost: Int { get }
}

/// Keeps what was found out about snapshots, which never changes, as long as somebody looks: what was not used for a minute goes, and before
/// that what was not used for longest, as memory demands.
///
/// Each thing is found out once, whoever asks meanwhile; failures are not kept. Lock order: this one's alone, nothing is called with it held.
final class ViewCache: Sendable {
  private struct Slot {
    let fetch: SharedFetch<any ViewCached>
    var cost = 0
    var used: ContinuousClock.Instant
  }

  private struct State {
    var slots: [String: Slot] = [:]
    var cost = 0
    var isSweeping = false

    mutating func take(_ key: String) -> Slot? {
      guard let slot = slots.removeValue(forKey: key) else { return nil }
      cost -= slot.cost
      return slot
    }
  }

  /// After the last use.
  static let lifetime = Duration.seconds(60)

  /// Bytes.
  private let limit: Int
  private let now: @Sendable () -> ContinuousClock.Instant
  /// Called when things have gone for lack of use.
  private let alsoSweep: @Sendable () -> Void
  private let state = Mutex(State())

  init(limit: Int, now: @escaping @Sendable () -> ContinuousClock.Instant, alsoSweep: @escaping @Sendable () -> Void = {}) {
    self.limit = limit
    self.now = now
    self.alsoSweep = alsoSweep
  }

  /// Bytes in memory, about.
  var cost: Int { state.withLock { $0.cost } }
  var count: Int { state.withLock { $0.slots.count } }

  /// What is known under a key, if it is.
  func known<Value: ViewCached>(_ key: String, as type: Value.Type = Value.self) -> Value? {
    let now = now()
    return state.withLock { state in
      guard case .success(let value)? = state.slots[key]?.fetch.outcome else { return nil }
      state.slots[key]?.used = now
      return value as? Value
    }
  }

  /// What is known under a key, found out if it is not.
  func value<Value: ViewCached>(
    _ key: String, make: @escaping @Sendable () async throws(FilesystemError) -> Value
  ) async throws(FilesystemError) -> Value {
    let now = now()
    let (fetch, isNew) = state.withLock { state -> (SharedFetch<any ViewCached>, Bool) in
      if let slot = state.slots[key] {
        if case .failure? = slot.fetch.outcome {
        } else {
          state.slots[key]?.used = now
          return (slot.fetch, false)
        }
      }
      let slot = Slot(fetch: SharedFetch(), used: now)
      state.slots[key] = slot
      return (slot.fetch, true)
    }
    if isNew {
      startSweeping()
      fetch.start { [self] in
        do throws(FilesystemError) {
          let value = try await make()
          keep(value.cost, of: key, fetch)
          return .success(value)
        } catch {
          forget(key, fetch)
          return .failure(error)
        }
      }
    }
    guard let value = try await fetch.value() as? Value else { throw FilesystemError(.failed, "two things of one name: \(key)") }
    return value
  }

  /// Takes note that a thing has become larger.
  func update(_ key: String) {
    let fetch = state.withLock { $0.slots[key]?.fetch }
    guard let fetch, case .success(let value)? = fetch.outcome else { return }
    keep(value.cost, of: key, fetch)
  }

  private func keep(_ cost: Int, of key: String, _ fetch: SharedFetch<any ViewCached>) {
    let gone = state.withLock { state -> [Slot] in
      guard let slot = state.slots[key], slot.fetch === fetch else { return [] }
      state.cost += cost - slot.cost
      state.slots[key]?.cost = cost
      guard state.cost > limit else { return [] }
      var gone: [Slot] = []
      for (other, _) in state.slots.map({ ($0.key, $0.value.used) }).sorted(by: { $0.1 < $1.1 }) where other != key {
        guard state.cost > limit else { break }
        if let slot = state.take(other) { gone.append(slot) }
      }
      return gone
    }
    // Freed here, outside the lock.
    _ = gone
  }

  private func forget(_ key: String, _ fetch: SharedFetch<any ViewCached>) {
    let gone = state.withLock { state in state.slots[key]?.fetch === fetch ? state.take(key) : nil }
    _ = gone
  }

  // MARK: Disuse

  /// Lets go of what was not used for ``lifetime``; false once nothing is left.
  @discardableResult
  func sweep() -> Bool {
    let now = now()
    let (gone, isEmpty) = state.withLock { state -> ([Slot], Bool) in
      let old = state.slots.filter { $0.value.used.duration(to: now) > Self.lifetime && $0.value.fetch.outcome != nil }.map(\.key)
      let gone = old.compactMap { state.take($0) }
      if state.slots.isEmpty { state.isSweeping = false }
      return (gone, state.slots.isEmpty)
    }
    _ = gone
    alsoSweep()
    return !isEmpty
  }

  /// Looks through the cache while there is anything in it.
  private func startSweeping() {
    let isFirst = state.withLock { state in
      defer { state.isSweeping = true }
      return !state.isSweeping
    }
    guard isFirst else { return }
    Task.detached { [weak self] in
      while true {
        try? await Task.sleep(for: Self.lifetime / 4)
        guard let self, self.sweep() else { return }
      }
    }
  }
}
