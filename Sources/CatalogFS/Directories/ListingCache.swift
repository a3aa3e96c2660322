// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Listings by their place: a fresh one is shared by everyone who looks, an old one is replaced, and no more are kept than memory allows.
///
/// Lock order: this one's, then a listing's own.
final class ListingCache<Key: Hashable & Sendable, Listing: AnyObject & Sendable>: Sendable {
  private struct Slot {
    var listing: Listing
    var epoch: UInt64
    var used: UInt64
  }

  private struct State {
    var slots: [Key: Slot] = [:]
    var clock: UInt64 = 0
  }

  /// What is kept at most; open directories keep their own listing besides.
  struct Limits: Sendable {
    var listings: Int
    /// Rows of all listings together.
    var rows: Int
  }

  private let limits: Limits
  private let freshness: Freshness
  /// When a listing's first page was asked for.
  private let started: @Sendable (Listing) -> ContinuousClock.Instant
  private let rows: @Sendable (Listing) -> Int
  private let state = Mutex(State())

  init(
    limits: Limits, freshness: Freshness, started: @escaping @Sendable (Listing) -> ContinuousClock.Instant,
    rows: @escaping @Sendable (Listing) -> Int
  ) {
    self.limits = limits
    self.freshness = freshness
    self.started = started
    self.rows = rows
  }

  /// The listing of this place, however old, with the refresh generation in which it was made.
  func known(_ key: Key) -> (listing: Listing, epoch: UInt64)? {
    state.withLock { state in
      state.clock &+= 1
      state.slots[key]?.used = state.clock
      return state.slots[key].map { ($0.listing, $0.epoch) }
    }
  }

  /// A fresh listing of this place, made if there is none.
  ///
  /// - Parameter notBefore: one that was asked for earlier is too old, whatever its time to live.
  func fresh(_ key: Key, notBefore: ContinuousClock.Instant? = nil, make: () -> Listing) -> Listing {
    let epoch = freshness.epoch
    let known = known(key)
    if let known {
      let asked = started(known.listing)
      let isNewEnough = notBefore.map { $0 <= asked } ?? true
      if isNewEnough, freshness.isFresh(asked, epoch: known.epoch, at: freshness.now()) { return known.listing }
    }
    let made = make()
    let listing = state.withLock { state in
      // One that came between the look and now sends its requests after the look, as ours would.
      if let slot = state.slots[key], slot.listing !== known?.listing, slot.epoch == epoch { return slot.listing }
      state.slots[key] = Slot(listing: made, epoch: epoch, used: state.clock)
      return made
    }
    trim()
    return listing
  }

  /// Puts a listing in the place of what is known.
  func replace(_ key: Key, with listing: Listing) {
    let epoch = freshness.epoch
    let old = state.withLock { state in
      state.clock &+= 1
      return state.slots.updateValue(Slot(listing: listing, epoch: epoch, used: state.clock), forKey: key)
    }
    // Freed here, outside the lock.
    _ = old
    trim()
  }

  /// Lets go of a listing: the next look makes a new one.
  func forget(_ key: Key) {
    let old = state.withLock { $0.slots.removeValue(forKey: key) }
    // Freed here, outside the lock.
    _ = old
  }

  /// Lets go of the listings that were not used for longest, as far as there are too many or they are too large.
  ///
  /// One that an open directory reads stays: letting go of it would free nothing.
  func trim() {
    let gone = state.withLock { state -> [Listing] in
      var sum = state.slots.values.reduce(0) { $0 + rows($1.listing) }
      guard state.slots.count > limits.listings || sum > limits.rows else { return [] }
      var gone: [Listing] = []
      // A sixteenth more than need be, so that a walk through many directories does not sort them all for each.
      let (listings, most) = (limits.listings / 16 * 15, limits.rows / 16 * 15)
      for key in state.slots.map({ ($0.key, $0.value.used) }).sorted(by: { $0.1 < $1.1 }).map(\.0) {
        guard state.slots.count > listings || sum > most, var slot = state.slots.removeValue(forKey: key) else { break }
        let count = rows(slot.listing)
        if isKnownUniquelyReferenced(&slot.listing) {
          gone.append(slot.listing)
          sum -= count
        } else {
          state.slots[key] = slot
        }
      }
      return gone
    }
    // Freed here, outside the lock.
    _ = gone
  }
}
