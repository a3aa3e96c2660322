// SPDX-License-Identifier: Apache-2.0

import Iceberg

extension CatalogFilesystem {
  /// What a directory holds under one name.
  struct Found: Sendable {
    var object: ObjectAttributes?
    var hasDirectory = false

    init(object: ObjectAttributes?, hasDirectory: Bool) {
      self.object = object
      self.hasDirectory = hasDirectory
    }

    init(_ knowledge: ObjectDirectoryListing.Knowledge) {
      self.init(object: knowledge.object, hasDirectory: knowledge.hasDirectory)
    }
  }

  /// Looks for a name in an object directory of a table with as few requests as will do.
  ///
  /// A fresh listing answers for nothing. A name that an old listing knew as a directory is asked for by its own listing, which the next
  /// `readdir` uses: so walking D directories costs D listings however long it takes. Anything else brings the first page of a new listing;
  /// only where that page does not reach far enough is the single name asked for.
  func find(_ name: String, in directory: ObjectLocation, of table: TableState) async throws(FilesystemError) -> Found {
    let fileIO = table.fileIO
    var isLarge = false
    if let known = objectListings.known(directory) {
      if let knowledge = try await known.listing.settledKnowledge(of: name) {
        if isFresh(knowledge, epoch: known.epoch, for: table) { return Found(knowledge) }
        // Objects do not change under their name, and a new commit ends the belief: what is at stake is a file that someone deletes.
        if knowledge.object != nil, isFresh(knowledge, epoch: known.epoch, for: table, within: known.listing.belief) {
          return Found(knowledge)
        }
        if knowledge.hasDirectory, knowledge.object == nil, try await holdsAnything(directory.appending(name).asDirectoryAlways, of: table)
        {
          return Found(object: nil, hasDirectory: true)
        }
      }
      isLarge = known.listing.hasManyPages
      if isLarge, known.listing.isOutworn() { return try await findInWholeListing(name, in: directory, of: table) }
    }
    if !isLarge {
      let listing = objectListing(directory, of: table)
      _ = try await listing.pages.page(0)
      if let knowledge = listing.knowledge(of: name) { return Found(knowledge) }
    }
    if let knowledge = try await neighbourhood(of: name, in: directory, of: table) { return Found(knowledge) }
    async let object = Self.capture { () async throws(FilesystemError) in try await self.head(directory.appending(name), fileIO: fileIO) }
    async let hasDirectory = Self.capture { () async throws(FilesystemError) in
      try await self.holdsAnything(directory.appending(name).asDirectoryAlways, of: table)
    }
    return Found(object: try await object.get(), hasDirectory: try await hasDirectory.get())
  }

  private func isFresh(
    _ knowledge: ObjectDirectoryListing.Knowledge, epoch: UInt64, for table: TableState, within belief: Duration = .zero
  ) -> Bool {
    let isNewEnough = table.pointerSeen.map { $0 <= knowledge.asked } ?? true
    return isNewEnough && freshness.isFresh(knowledge.asked, epoch: epoch, at: freshness.now(), within: belief)
  }

  /// Reads a large directory anew, all of it: the names that come next are in it too.
  private func findInWholeListing(_ name: String, in directory: ObjectLocation, of table: TableState) async throws(FilesystemError) -> Found
  {
    let listing = objectListing(directory, of: table)
    var index = 0
    while try await listing.pages.page(index) != nil { index += 1 }
    return try await listing.settledKnowledge(of: name).map { Found($0) } ?? Found(object: nil, hasDirectory: false)
  }

  /// What a page of the listing that begins just before a name says of it.
  ///
  /// Programs look at the names of a directory in its order, often long after they listed it (`find`, `du`, `tar`): one page serves a thousand of
  /// them, so that a directory of any size is looked through for one request a thousand names, not two a name.
  private func neighbourhood(
    of name: String, in directory: ObjectLocation, of table: TableState
  ) async throws(FilesystemError) -> ObjectDirectoryListing.Knowledge? {
    if let known = neighbourhoods.known(directory), known.listing.covers(name) {
      _ = try await known.listing.pages.page(0)
      if let knowledge = known.listing.knowledge(of: name), isFresh(knowledge, epoch: known.epoch, for: table) { return knowledge }
    }
    guard !ObjectDirectoryListing.isUnordered(directory), let start = Self.nameBefore(name) else { return nil }
    let listing = ObjectDirectoryListing(directory: directory, fileIO: table.fileIO, now: freshness.now, behind: start)
    neighbourhoods.replace(directory, with: listing)
    _ = try await listing.pages.page(0)
    return listing.knowledge(of: name)
  }

  /// A name that sorts a little before another one; nil if none is at hand.
  static func nameBefore(_ name: String) -> String? {
    var scalars = name.unicodeScalars
    guard let last = scalars.popLast() else { return nil }
    let start = String(scalars)
    guard last.value > 0x21, let before = Unicode.Scalar(last.value - 1) else { return start.isEmpty ? nil : start }
    return start + String(before)
  }

  private static func capture<Value: Sendable>(
    _ work: @Sendable () async throws(FilesystemError) -> Value
  ) async -> Result<Value, FilesystemError> {
    do throws(FilesystemError) {
      return .success(try await work())
    } catch {
      return .failure(error)
    }
  }

  /// Attributes of one object; nil if there is none.
  func head(_ location: ObjectLocation, fileIO: any FileIO) async throws(FilesystemError) -> ObjectAttributes? {
    do throws(FileIOError) {
      return try await fileIO.head(location)
    } catch {
      if error.code == .notFound { return nil }
      throw FilesystemError(error)
    }
  }

  /// The next look at a directory asks S3.
  func forgetListing(of directory: ObjectLocation) {
    objectListings.forget(directory)
    neighbourhoods.forget(directory)
  }

  private func holdsAnything(_ directory: ObjectLocation, of table: TableState) async throws(FilesystemError) -> Bool {
    let listing = objectListing(directory, of: table)
    let first = try await listing.pages.page(0)
    return first.map { !$0.items.isEmpty } ?? false || !listing.pages.extent.isComplete
  }
}

extension ObjectLocation {
  /// The directory of this key: a `/` is added even to a key that ends in one (an empty segment is a name too).
  var asDirectoryAlways: ObjectLocation {
    var copy = self
    copy.key += "/"
    return copy
  }
}
