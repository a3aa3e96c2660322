// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// One owner's view of a lock that others may hold: decides when to put what. Source: spec/lock-manager.md §5.1, §9 (2).
///
/// No time stands in the table. A lease is over when the item was seen unchanged for as long as its holder said, by the clock of who waits.
struct DynamoDbLockContention: Sendable {
  enum Action: Sendable, Hashable {
    /// The lock is free.
    case create
    /// The lease is over.
    case takeOver(version: String)
    /// The lease has this long to go, unless the holder renews or frees the lock.
    case wait(Duration)
  }

  private var seen: (item: DynamoDbLockItem, since: Duration)?

  /// Who held it when it was last looked at.
  var holder: String? { seen?.item.ownerID }

  /// What to do about the lock as it was just read.
  ///
  /// - Parameters:
  ///   - item: nil if there is none.
  ///   - now: when the answer was there, so that a lease never seems longer than it is.
  mutating func next(_ item: DynamoDbLockItem?, now: Duration) -> Action {
    guard let item else {
      seen = nil
      return .create
    }
    guard let seen, seen.item.version.utf8.elementsEqual(item.version.utf8), seen.item.ownerID.utf8.elementsEqual(item.ownerID.utf8) else {
      self.seen = (item, now)
      return item.lease > .zero ? .wait(item.lease) : .takeOver(version: item.version)
    }
    let remaining = item.lease - (now - seen.since)
    return remaining > .zero ? .wait(remaining) : .takeOver(version: item.version)
  }
}
