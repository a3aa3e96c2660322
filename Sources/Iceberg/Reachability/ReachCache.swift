// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What an immutable file says, by its location.
enum ReachFacts: Sendable {
  /// A manifest as its list names it.
  struct Manifest: Sendable {
    /// Full URI.
    var path: String
    /// Bytes.
    var length: Int64
    /// Whether it can only be read with a key.
    var isEncrypted: Bool
  }

  case metadata(MetadataReach)
  case manifestList([Manifest])
  /// The files it holds as live.
  case manifest(DigestSet)
  /// There is no such object. What once was there is not written anew: names hold a UUID.
  case missing
  /// It was read, and says nothing that could be relied on; why, as the end of a sentence.
  case unreadable(String)

  fileprivate var cost: Int {
    switch self {
    case .metadata(let reach): reach.cost
    case .manifestList(let manifests): manifests.reduce(64) { $0 + 64 + $1.path.utf8.count }
    case .manifest(let digests): 64 + digests.count * MemoryLayout<PathDigest>.stride
    case .missing: 16
    case .unreadable(let reason): 32 + reason.utf8.count
    }
  }
}

/// Keeps what was read of immutable files, the least recently used leaving first when the memory is full.
///
/// Safe from any thread; nothing is called with the lock held.
final class ReachCache: Sendable {
  private enum Value {
    case facts(ReachFacts)
    case outline(TableOutline)
    case plan(ReachPlan)

    var cost: Int {
      switch self {
      case .facts(let facts): facts.cost
      case .outline(let outline): outline.cost
      case .plan(let plan): plan.cost
      }
    }
  }

  private enum Key: Hashable {
    case facts(String), outline(String), plan(String)

    var cost: Int {
      switch self {
      case .facts(let text), .outline(let text), .plan(let text): 96 + text.utf8.count
      }
    }
  }

  private struct Entry {
    var value: Value
    var cost: Int
    var lastUse: UInt64
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    var cost = 0
    var uses: UInt64 = 0
  }

  private let state = Mutex(State())
  private let limit: Int

  /// - Parameter limit: bytes.
  init(limit: Int) {
    self.limit = limit
  }

  func facts(_ location: String) -> ReachFacts? {
    if case .facts(let facts)? = value(.facts(location)) { facts } else { nil }
  }

  func keep(_ facts: ReachFacts, of location: String) { keep(.facts(facts), .facts(location)) }

  /// Of the table whose pointer this is.
  func outline(_ pointer: String) -> TableOutline? {
    if case .outline(let outline)? = value(.outline(pointer)) { outline } else { nil }
  }

  func keep(_ outline: TableOutline, of pointer: String) { keep(.outline(outline), .outline(pointer)) }

  /// Of the table whose pointer this is.
  func plan(_ pointer: String) -> ReachPlan? {
    if case .plan(let plan)? = value(.plan(pointer)) { plan } else { nil }
  }

  func keep(_ plan: ReachPlan, of pointer: String) { keep(.plan(plan), .plan(pointer)) }

  /// Bytes in use, about.
  var cost: Int { state.withLock { $0.cost } }

  private func value(_ key: Key) -> Value? {
    state.withLock { state in
      state.uses += 1
      state.entries[key]?.lastUse = state.uses
      return state.entries[key]?.value
    }
  }

  private func keep(_ value: Value, _ key: Key) {
    let cost = value.cost + key.cost
    state.withLock { state in
      if let old = state.entries.removeValue(forKey: key) { state.cost -= old.cost }
      guard cost <= limit else { return }
      state.uses += 1
      state.entries[key] = Entry(value: value, cost: cost, lastUse: state.uses)
      state.cost += cost
      if state.cost > limit { Self.evict(&state, to: limit - limit / 8) }
    }
  }

  /// An eighth of the room at a time, so that sorting by age is done rarely.
  private static func evict(_ state: inout State, to goal: Int) {
    for (key, entry) in state.entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
      guard state.cost > goal else { return }
      state.entries[key] = nil
      state.cost -= entry.cost
    }
  }
}
