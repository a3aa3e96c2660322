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

  /// - Parameters:
  ///   - startName: begins behind this name, for a look at a few names of a large directory.
  ///   - rowsKept: rows that stay in memory.
  init(
    directory: ObjectLocation, fileIO: any FileIO, now: @escaping @Sendable () -> ContinuousClock.Instant, behind startName: String? = nil,
    rowsKept: Int = rowsKept
  ) {
    self.directory = directory
    isUnordered = Self.isUnordered(directory)
    self.startName = startName.map { Array($0.utf8) }
    let start = Cursor(position: startName.map { .key(directory.key + $0) } ?? .start)
    self.pages = PagedListing(start: start, limit: rowsKept, now: now) { cursor, _, emptied in
      do throws(FileIOError) {
        var listing = try await fileIO.list(bucket: directory.bucket, prefix: directory.key, isDirectory: true, from: cursor.position)
        guard let end = emptied?.end else { return .success(Self.page(of: listing, after: cursor, in: directory)) }
        while let next = listing.next, !Self.reaches(end, listing, in: directory) {
          let more = try await fileIO.list(bucket: directory.bucket, prefix: directory.key, isDirectory: true, from: .token(next))
          listing.objects += more.objects
          listing.prefixes += more.prefixes.filter { $0 != listing.prefixes.last }
          listing.next = more.next
        }
        return .success(Self.page(of: listing, after: cursor, in: directory, until: end))
      } catch {
        return .failure(FilesystemError(error))
      }
    }
  }

  /// Rows of one listing that stay in memory: about 12 MB. A longer listing costs a request for each page that is read again.
  static var rowsKept: Int { 120_000 }

  /// What a listing says of a name before anyone asks.
  enum Sight: Sendable {
    case known(Knowledge)
    /// The page that would say it is not in memory.
    case emptied(page: Int)
    /// No page reaches far enough.
    case beyond
  }

  /// What the loaded pages say of a name, without a request; nil if they do not reach far enough or are not in memory.
  func knowledge(of name: String) -> Knowledge? {
    if case .known(let knowledge) = look(for: name) { knowledge } else { nil }
  }

  /// The same; a page that is not in memory is asked for.
  func settledKnowledge(of name: String) async throws(FilesystemError) -> Knowledge? {
    while true {
      switch look(for: name) {
      case .known(let knowledge): return knowledge
      case .emptied(let page): _ = try await pages.page(page)
      case .beyond: return nil
      }
    }
  }

  /// Looks for a name on the loaded pages, without a request.
  ///
  /// An object shown on a page was held back until no directory of its name could come any more.
  func look(for name: String) -> Sight {
    // What stands before the first name of a part of a listing is not known to it.
    guard covers(name) else { return .beyond }
    let known = pages.known
    let loaded = known.pages
    let wanted = Array(name.utf8)
    guard !isUnordered, known.isSorted else {
      return unorderedKnowledge(of: wanted, in: loaded, isComplete: known.isComplete).map { .known($0) } ?? .beyond
    }
    // Object and directory of one name stand on one page: the first that reaches beyond both, where the object waited for the directory.
    // The last page of all reaches beyond everything.
    let directoryName = wanted + [UInt8(ascii: "/")]
    var low = 0
    var high = known.isComplete ? max(loaded.count - 1, 0) : loaded.count
    while low < high {
      let middle = low + (high - low) / 2
      if loaded[middle].page.reaches(beyond: directoryName) { high = middle } else { low = middle + 1 }
    }
    guard low < loaded.count else { return .beyond }
    let (page, asked) = (loaded[low].page, loaded[low].asked)
    if loaded[low].isEmptied { return .emptied(page: low) }
    return .known(
      Knowledge(
        object: page.object(named: wanted).map { page.attributes(ofObject: $0, in: directory) },
        hasDirectory: page.hasDirectory(named: wanted),
        asked: asked))
  }

  /// The directories that follow a name, as far as the loaded pages show them; none where they come in no order.
  func directories(after name: String, atMost count: Int) -> [String] {
    let known = pages.known
    guard !isUnordered, known.isSorted else { return [] }
    let wanted = Array(name.utf8)
    var low = 0
    var high = known.pages.count
    while low < high {
      let middle = low + (high - low) / 2
      if known.pages[middle].page.reaches(beyond: wanted) { high = middle } else { low = middle + 1 }
    }
    var found: [String] = []
    // A page or two: beyond that there are only files.
    for dated in known.pages[min(low, max(known.pages.count - 1, 0))...].prefix(2) where found.count < count {
      found += dated.page.directories(after: wanted, atMost: count - found.count)
    }
    return found
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

  /// Whether it lies in a bucket that lists in no order, so that no listing can begin at a name.
  static func isUnordered(_ directory: ObjectLocation) -> Bool { directory.bucket.hasSuffix("--x-s3") }

  /// Counts a name that this listing is too old for; true once there are so many that a new listing is the cheaper answer.
  func isOutworn() -> Bool {
    misses.wrappingAdd(1, ordering: .relaxed).newValue > max(8, pages.extent.pages / 10)
  }

  /// How long names that this listing shows are believed without asking, besides the time to live. Reading a thousand names again costs a
  /// request, so at most ten are sent a second on average, whatever the order in which a program looks at the names (docs/decisions/0005).
  var belief: Duration {
    let rows = rowCount
    return rows > 1_000 ? max(.seconds(30), .milliseconds(rows / 10)) : .zero
  }

  /// Whether it has more than one page, as far as is known.
  var hasManyPages: Bool {
    let (count, isComplete) = pages.extent
    return count > 1 || count == 1 && !isComplete
  }

  /// Rows of all pages that were loaded.
  var rowCount: Int { pages.rowCount }

  /// - Parameter end: where the page ended when it was loaded first; what comes behind it stands on the pages that follow.
  private static func page(
    of listing: ObjectListing, after cursor: Cursor, in directory: ObjectLocation, until end: [UInt8]? = nil
  ) -> PagedListing<ObjectPage, Cursor>.Loaded {
    let prefixLength = directory.key.utf8.count
    func isWithin(_ key: String) -> Bool { end.map { !$0.lexicographicallyPrecedes(key.utf8.dropFirst(prefixLength)) } ?? true }
    let names = listing.prefixes.filter { $0 != cursor.lastPrefix && isWithin($0) }.map { $0.utf8.dropFirst(prefixLength).dropLast() }
    let directoryNames = Set(names.map { Array($0) })
    let last = end.map { directory.key + String(decoding: $0, as: UTF8.self) } ?? (listing.next == nil ? nil : lastKey(of: listing))
    var waiting: [ObjectAttributes] = []
    var shown: [ObjectAttributes] = []
    for object in cursor.heldBack + listing.objects where isWithin(object.location.key) {
      if let last, mayStillGetDirectory(object.location.key, last: last) { waiting.append(object) } else { shown.append(object) }
    }
    let bytes = shown.reduce(names.reduce(0) { $0 + $1.count }) {
      $0 + $1.location.key.utf8.count - prefixLength + PackedETag.length($1.etag)
    }
    var page = ObjectPage(isOrdered: !isUnordered(directory), objects: shown.count, directories: names.count, bytes: bytes)
    for name in names {
      page.append(directory: name)
    }
    for object in shown {
      let name = object.location.key.utf8.dropFirst(prefixLength)
      page.append(object: object, name: name, isSecond: !directoryNames.isEmpty && directoryNames.contains(Array(name)))
    }
    page.end = last.map { Array($0.utf8.dropFirst(prefixLength)) }
    return .init(
      page: page,
      next: listing.next.map { Cursor(position: .token($0), heldBack: waiting, lastPrefix: listing.prefixes.last ?? cursor.lastPrefix) })
  }

  /// Whether a listing goes as far as the end of a page, or beyond it.
  private static func reaches(_ end: [UInt8], _ listing: ObjectListing, in directory: ObjectLocation) -> Bool {
    lastKey(of: listing).map { !$0.utf8.dropFirst(directory.key.utf8.count).lexicographicallyPrecedes(end) } ?? false
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
