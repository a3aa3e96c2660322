// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// The listing of one object directory: S3's pages, with the names that are wanted twice settled before they are shown.
///
/// An object `a` and the prefix `a/` of one directory may stand on different pages (`a-b` sorts between them). An object whose prefix could
/// still come is held back to the next page; with S3's order that is rarely more than one.
final class ObjectDirectoryListing: Sendable {
  struct Cursor: Sendable {
    var position = ListPosition.start
    /// Objects that wait for the decision whether a directory of their name exists.
    var heldBack: [ObjectAttributes] = []
    /// The last prefix shown: some servers name it again on the next page.
    var lastPrefix: String?
  }

  /// What a listing knows of a name. Object and directory both absent: there is no such name.
  struct Knowledge: Sendable {
    var object: ObjectAttributes?
    var hasDirectory: Bool
    /// When the oldest page was asked for on which this rests.
    var asked: ContinuousClock.Instant
  }

  /// Bucket and prefix; the key ends in `/`, or is empty.
  let directory: ObjectLocation
  let pages: PagedListing<ObjectPage, Cursor>
  /// The name behind which it begins; nil for a whole listing.
  private let startName: [UInt8]?
  /// A directory bucket, which lists in no order; another server that does not is found out by its pages.
  private let isUnordered: Bool
  private let misses = Atomic<Int>(0)

  /// - Parameter startName: begins behind this name, for a look at a few names of a large directory.
  init(
    directory: ObjectLocation, fileIO: any FileIO, now: @escaping @Sendable () -> ContinuousClock.Instant, behind startName: String? = nil
  ) {
    self.directory = directory
    isUnordered = Self.isUnordered(directory)
    self.startName = startName.map { Array($0.utf8) }
    let start = Cursor(position: startName.map { .key(directory.key + $0) } ?? .start)
    self.pages = PagedListing(start: start, now: now) { cursor, _ in
      do throws(FileIOError) {
        let listing = try await fileIO.list(
          bucket: directory.bucket, prefix: directory.key, isDirectory: true, from: cursor.position)
        return .success(Self.page(of: listing, after: cursor, in: directory))
      } catch {
        return .failure(FilesystemError(error))
      }
    }
  }

  /// What the loaded pages say of a name, without a request; nil if they do not reach far enough.
  ///
  /// An object shown on a page was held back until no directory of its name could come any more.
  func knowledge(of name: String) -> Knowledge? {
    // What stands before the first name of a part of a listing is not known to it.
    guard covers(name) else { return nil }
    let (loaded, isComplete) = pages.loaded
    let wanted = Array(name.utf8)
    guard !isUnordered, loaded.allSatisfy(\.page.isSorted) else {
      return unorderedKnowledge(of: wanted, in: loaded, isComplete: isComplete)
    }
    // Object and directory of one name stand on one page: the first that reaches beyond both, where the object waited for the directory.
    // The last page of all reaches beyond everything.
    var low = 0
    var high = isComplete ? max(loaded.count - 1, 0) : loaded.count
    while low < high {
      let middle = low + (high - low) / 2
      if loaded[middle].page.reaches(beyond: wanted) { high = middle } else { low = middle + 1 }
    }
    guard low < loaded.count else { return nil }
    let (page, asked) = (loaded[low].page, loaded[low].asked)
    return Knowledge(
      object: page.object(named: wanted).map { page.attributes(ofObject: $0, in: directory) },
      hasDirectory: page.hasDirectory(named: wanted),
      asked: asked)
  }

  private func unorderedKnowledge(
    of wanted: [UInt8], in loaded: [PagedListing<ObjectPage, Cursor>.Dated], isComplete: Bool
  ) -> Knowledge? {
    var object: ObjectAttributes?
    var hasDirectory = false
    var asked: ContinuousClock.Instant?
    for dated in loaded {
      let index = dated.page.object(named: wanted)
      let isDirectory = dated.page.hasDirectory(named: wanted)
      if let index { object = dated.page.attributes(ofObject: index, in: directory) }
      if isDirectory { hasDirectory = true }
      if index != nil || isDirectory { asked = asked ?? dated.asked }
    }
    // That a name is absent is as old as the first page.
    if isComplete { asked = asked ?? loaded.first?.asked }
    return asked.map { Knowledge(object: object, hasDirectory: hasDirectory, asked: $0) }
  }

  /// Whether a name lies behind the start of the listing.
  func covers(_ name: String) -> Bool {
    startName.map { $0.lexicographicallyPrecedes(name.utf8) } ?? true
  }

  private static func isUnordered(_ directory: ObjectLocation) -> Bool { directory.bucket.hasSuffix("--x-s3") }

  /// Counts a name that this listing is too old for; true once there are so many that a new listing is the cheaper answer.
  func isOutworn() -> Bool {
    misses.wrappingAdd(1, ordering: .relaxed).newValue > max(8, pages.loaded.pages.count / 10)
  }

  /// How long names that this listing shows are believed without asking, besides the time to live. Reading a thousand names again costs a
  /// request, so at most ten are sent a second on average, whatever the order in which a program looks at the names (docs/decisions/0005).
  var belief: Duration {
    let rows = rowCount
    return rows > 1_000 ? max(.seconds(30), .milliseconds(rows / 10)) : .zero
  }

  /// Whether it has more than one page, as far as is known.
  var hasManyPages: Bool {
    let (loaded, isComplete) = pages.loaded
    return loaded.count > 1 || loaded.count == 1 && !isComplete
  }

  /// Rows of the pages that are here.
  var rowCount: Int { pages.loaded.pages.reduce(0) { $0 + $1.page.items.count } }

  private static func page(
    of listing: ObjectListing, after cursor: Cursor, in directory: ObjectLocation
  ) -> PagedListing<ObjectPage, Cursor>.Loaded {
    let prefixLength = directory.key.utf8.count
    var page = ObjectPage(isOrdered: !isUnordered(directory))
    let names = listing.prefixes.filter { $0 != cursor.lastPrefix }.map { $0.utf8.dropFirst(prefixLength).dropLast() }
    let directoryNames = Set(names.map { Array($0) })
    for name in names {
      page.append(directory: name)
    }
    let last = listing.next == nil ? nil : lastKey(of: listing)
    var waiting: [ObjectAttributes] = []
    for object in cursor.heldBack + listing.objects {
      if let last, mayStillGetDirectory(object.location.key, last: last) {
        waiting.append(object)
        continue
      }
      let name = object.location.key.utf8.dropFirst(prefixLength)
      page.append(object: object, name: name, isSecond: directoryNames.contains(Array(name)))
    }
    page.end = last.map { Array($0.utf8.dropFirst(prefixLength)) }
    return .init(
      page: page,
      next: listing.next.map { Cursor(position: .token($0), heldBack: waiting, lastPrefix: listing.prefixes.last ?? cursor.lastPrefix) })
  }

  /// The greatest key or prefix of a page, in S3's order (bytes).
  private static func lastKey(of listing: ObjectListing) -> String? {
    switch (listing.objects.last?.location.key, listing.prefixes.last) {
    case (let object?, let prefix?): object.utf8.lexicographicallyPrecedes(prefix.utf8) ? prefix : object
    case (let object?, nil): object
    case (nil, let prefix): prefix
    }
  }

  /// Whether `key + "/"` sorts after the last key seen, so that a directory of this name may still come.
  private static func mayStillGetDirectory(_ key: String, last: String) -> Bool {
    last.utf8.lexicographicallyPrecedes((key + "/").utf8)
  }
}
