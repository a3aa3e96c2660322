// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// Recognises a walk through the directories of a tree: one sibling opened after the other, in the order in which they are listed.
struct WalkDetector {
  private struct Walk {
    /// The sibling that comes next if this is a walk.
    var next: String?
    var opened: ContinuousClock.Instant
  }

  /// Siblings whose first pages are asked for before they are opened: eight requests of 20 ms hide the time of each.
  static let depth = 8
  /// Directories in which walks are followed at once.
  private static let mostWalks = 64

  private var walks: [ObjectLocation: Walk] = [:]

  /// Takes note that a directory is opened.
  ///
  /// - Parameters:
  ///   - siblings: the directories that follow it, in the order of the listing.
  ///   - lifetime: how long an answer of this moment stays fresh.
  /// - Returns: how many of the siblings are worth asking for: none at the first, and no more than a walk of this pace reaches in half of the lifetime.
  mutating func opened(
    _ name: String, in parent: ObjectLocation, siblings: [String], lifetime: Duration, at now: ContinuousClock.Instant
  ) -> Int {
    let walk = walks[parent]
    if walks.count >= Self.mostWalks, walk == nil { walks.removeAll() }
    walks[parent] = Walk(next: siblings.first, opened: now)
    guard let walk, walk.next == name else { return 0 }
    let pace = walk.opened.duration(to: now)
    guard pace * (2 * Self.depth) > lifetime else { return Self.depth }
    return Int(lifetime / (pace * 2))
  }
}

extension CatalogFilesystem {
  /// Asks for the listings that a walk will want next, while it reads this one.
  ///
  /// A walk sends as many requests as without: each directory's first page is asked for once. Whoever opens a single directory causes none.
  func lookAhead(from directory: ObjectLocation, of table: TableState) {
    var place = directory
    place.key = String(directory.key.dropLast())
    let (parent, name) = (place.parent, place.fileName)
    guard let known = objectListings.known(parent)?.listing else { return }
    let siblings = known.directories(after: name, atMost: WalkDetector.depth)
    let now = freshness.now()
    let count = walks.withLock { $0.opened(name, in: parent, siblings: siblings, lifetime: freshness.timeToLive, at: now) }
    for sibling in siblings.prefix(count) {
      objectListing(parent.appending(sibling).asDirectoryAlways, of: table).pages.prefetch(0)
    }
  }
}
