// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Listings by their place: a fresh one is shared by everyone who looks, an old one is replaced, few are kept.
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

  /// More listings than this are not remembered; open directories keep their own.
  private let capacity: Int
  private let freshness: Freshness
  private let asked: @Sendable (Listing) -> ContinuousClock.Instant
  private let state = Mutex(State())

  init(capacity: Int, freshness: Freshness, asked: @escaping @Sendable (Listing) -> ContinuousClock.Instant) {
    self.capacity = capacity
    self.freshness = freshness
    self.asked = asked
  }

  /// The listing of this place and whether it is fresh; however old.
  func known(_ key: Key) -> (listing: Listing, isFresh: Bool)? {
    guard let slot = state.withLock({ $0.slots[key] }) else { return nil }
    return (slot.listing, freshness.isFresh(asked(slot.listing), epoch: slot.epoch))
  }

  /// A fresh listing of this place, made if there is none.
  func fresh(_ key: Key, make: () -> Listing) -> Listing {
    if let known = known(key), known.isFresh { return known.listing }
    let listing = make()
    let epoch = freshness.epoch
    return state.withLock { state in
      state.clock &+= 1
      // Another caller may have made one between the look and now.
      if let slot = state.slots[key], slot.epoch == epoch, asked(slot.listing) >= asked(listing) {
        return slot.listing
      }
      state.slots[key] = Slot(listing: listing, epoch: epoch, used: state.clock)
      if state.slots.count > capacity, let oldest = state.slots.min(by: { $0.value.used < $1.value.used })?.key {
        state.slots[oldest] = nil
      }
      return listing
    }
  }
}
