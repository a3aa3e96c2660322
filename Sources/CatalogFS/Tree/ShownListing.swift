// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What the kernel's own copy of a directory's listing was filled from.
///
/// The kernel fills its copy from whatever handle reads on, and one that was opened earlier may read an older listing. So a copy is kept only
/// for the very listing that filled it, and none is made while a handle with another listing is open (docs/decisions/0009).
final class ShownListing: Sendable {
  /// What the kernel may do at an open.
  struct Permission: Sendable, Equatable {
    /// Fill a copy, and read from the one it has.
    var isCached: Bool
    /// Keep the copy it has.
    var isKept: Bool

    static let none = Permission(isCached: false, isKept: false)
  }

  private struct State {
    weak var listing: (any AnyObject & Sendable)?
    /// Inode numbers of what the mount itself shows beside the listing.
    var beside: [UInt64] = []
    /// Open handles that read this listing and fill the copy.
    var readers = 0
  }

  private let state = Mutex(State())

  /// A handle on this listing opens.
  ///
  /// - Parameter isSmall: whether the kernel can hold what it names; else the next look is to bring attributes anew.
  func open(_ listing: any AnyObject & Sendable, beside: [UInt64], isSmall: Bool) -> Permission {
    state.withLock { state in
      if state.listing === listing, state.beside == beside {
        state.readers += 1
        return Permission(isCached: true, isKept: isSmall)
      }
      guard state.readers == 0 else { return .none }
      state = State(listing: listing, beside: beside, readers: 1)
      return Permission(isCached: true, isKept: false)
    }
  }

  /// A handle for which a copy was allowed is closed.
  func close() {
    state.withLock { $0.readers -= 1 }
  }
}
