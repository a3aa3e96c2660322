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
    if let known = objectListings.known(directory), let knowledge = known.listing.knowledge(of: name) {
      let isNewEnough = table.pointerSeen.map { $0 <= knowledge.asked } ?? true
      if isNewEnough, freshness.isFresh(knowledge.asked, epoch: known.epoch, at: freshness.now()) { return Found(knowledge) }
      if knowledge.hasDirectory, knowledge.object == nil, try await holdsAnything(directory.appending(name).asDirectoryAlways, of: table) {
        return Found(object: nil, hasDirectory: true)
      }
    }
    let listing = objectListing(directory, of: table)
    _ = try await listing.pages.page(0)
    if let knowledge = listing.knowledge(of: name) { return Found(knowledge) }
    async let object = Self.capture { () async throws(FilesystemError) in try await self.head(directory.appending(name), fileIO: fileIO) }
    async let hasDirectory = Self.capture { () async throws(FilesystemError) in
      try await self.holdsAnything(directory.appending(name).asDirectoryAlways, of: table)
    }
    return Found(object: try await object.get(), hasDirectory: try await hasDirectory.get())
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

  private func holdsAnything(_ directory: ObjectLocation, of table: TableState) async throws(FilesystemError) -> Bool {
    let listing = objectListing(directory, of: table)
    let first = try await listing.pages.page(0)
    return first.map { !$0.items.isEmpty } ?? false || !listing.pages.loaded.isComplete
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
