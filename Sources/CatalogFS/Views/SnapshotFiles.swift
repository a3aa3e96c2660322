// SPDX-License-Identifier: Apache-2.0

import Iceberg
import WireFormats

/// Files by their path below a directory, and those that lie elsewhere by bucket and key.
struct PlacedFiles: Sendable {
  var inside = FileTree()
  /// `bucket/key`.
  var outside = FileTree()

  /// Where those are shown that lie elsewhere.
  static let outsideName = "external"

  var cost: Int { inside.cost + outside.cost }
}

/// The live files of a snapshot: what `data/` and `deletes/` of its directory show.
final class SnapshotFiles: Sendable {
  let data: PlacedFiles
  let deletes: PlacedFiles

  init(data: PlacedFiles, deletes: PlacedFiles) {
    self.data = data
    self.deletes = deletes
  }
}

extension SnapshotFiles: ViewCached {
  var cost: Int { data.cost + deletes.cost }
}

/// The manifests of a snapshot: what its list says of them.
final class SnapshotManifests: Sendable {
  let manifests: SnapshotReader.Manifests
  let placed: PlacedFiles

  init(_ manifests: SnapshotReader.Manifests, placed: PlacedFiles) {
    self.manifests = manifests
    self.placed = placed
  }
}

extension SnapshotManifests: ViewCached {
  var cost: Int { placed.cost + manifests.files.reduce(0) { $0 + 240 + $1.path.utf8.count + 100 * ($1.partitions?.count ?? 0) } }
}

/// Sorts locations into what lies below a directory and what does not.
struct FilePlacing {
  private let directory: ObjectLocation
  /// `bucket/key/` of the directory.
  private let prefix: [UInt8]
  private let files: any FileIO
  private(set) var inside = UnsortedPaths()
  private(set) var outside = UnsortedPaths()

  init(below directory: ObjectLocation, files: any FileIO) {
    self.directory = directory
    self.files = files
    prefix = Array("\(directory.bucket)/\(directory.key)".utf8)
  }

  /// - Parameter location: full URI.
  /// - Throws: `corrupt` for what is no location.
  mutating func append(_ location: ArraySlice<UInt8>, _ file: SnapshotFile) throws(AvroError) {
    // What holds neither `?` nor `#` is taken apart without making text of it: there may be a million.
    if let path = Self.path(location), path.starts(with: prefix), path.count > prefix.count, path.allSatisfy({ $0 < 0x80 }) {
      inside.append(path.dropFirst(prefix.count), file)
      return
    }
    guard let text = String(validating: location, as: UTF8.self) else {
      throw AvroError(code: .corrupt, message: "an entry's file_path is not UTF-8")
    }
    let object: ObjectLocation
    do throws(FileIOError) {
      object = try files.location(text)
    } catch {
      throw AvroError(code: .corrupt, message: "an entry's file_path is no location: \(text.prefix(200))")
    }
    let path = Array("\(object.bucket)/\(object.key)".utf8)
    if path.starts(with: prefix), path.count > prefix.count {
      inside.append(path.dropFirst(prefix.count), file)
    } else {
      outside.append(path, file)
    }
  }

  /// Behind `scheme://`.
  private static func path(_ location: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard let colon = location.firstIndex(of: UInt8(ascii: ":")), location[colon...].starts(with: "://".utf8) else { return nil }
    let path = location[(colon + 3)...]
    return path.contains { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: ":") } ? nil : path
  }
}

/// Finds out the live files of a snapshot: many manifests at once, each put in order by itself, then joined.
struct SnapshotFilesReading {
  let place: SnapshotPlace
  let manifests: SnapshotReader.Manifests
  let reader: SnapshotReader
  let files: any FileIO
  /// Bytes that the result may take.
  let limit: Int

  /// Manifests on their way at once.
  private static let readsInFlight = 8

  private struct Part: Sendable {
    var content: ManifestFile.Content
    var inside: FileTree
    var outside: FileTree
  }

  func run() async throws(FilesystemError) -> SnapshotFiles {
    if let encrypted = manifests.files.first(where: \.isEncrypted) {
      throw FilesystemError(SnapshotError.encrypted("manifest", encrypted.path), place)
    }
    let parts = try await readAll()
    func joined(_ content: ManifestFile.Content) throws(FilesystemError) -> PlacedFiles {
      let own = parts.filter { $0.content == content }
      guard let inside = FileTree.merged(own.map(\.inside), limit: limit),
        let outside = FileTree.merged(own.map(\.outside), limit: limit)
      else { throw tooLarge() }
      return PlacedFiles(inside: inside, outside: outside)
    }
    return SnapshotFiles(data: try joined(.data), deletes: try joined(.deletes))
  }

  private func tooLarge() -> FilesystemError {
    FilesystemError(
      .outOfMemory,
      "snapshot \(place.source.id): the names of its files take more than \(limit) bytes: mount with a larger --memory-limit")
  }

  private func readAll() async throws(FilesystemError) -> [Part] {
    let live = manifests.files.filter { !$0.isKnownEmpty }
    let result = await withTaskGroup(of: Result<Part, FilesystemError>.self) { group -> Result<[Part], FilesystemError> in
      var next = live.makeIterator()
      var parts: [Part] = []
      var cost = 0
      for _ in 0..<Self.readsInFlight {
        if let manifest = next.next() { group.addTask { await read(manifest) } }
      }
      while let result = await group.next() {
        switch result {
        case .success(let part):
          parts.append(part)
          cost += part.inside.cost + part.outside.cost
          if cost > limit {
            group.cancelAll()
            return .failure(tooLarge())
          }
        case .failure(let error):
          group.cancelAll()
          return .failure(error)
        }
        if let manifest = next.next() { group.addTask { await read(manifest) } }
      }
      return .success(parts)
    }
    return try result.get()
  }

  private func read(_ manifest: ManifestFile) async -> Result<Part, FilesystemError> {
    do throws(SnapshotError) {
      let bytes = try await reader.bytes(of: manifest)
      var placing = FilePlacing(below: place.dataDirectory, files: files)
      try SnapshotReader.forEachLiveEntry(in: bytes, of: manifest, columns: .files) { entry throws(AvroError) in
        try placing.append(entry.filePath, SnapshotFile(size: entry.fileSize, addedBy: place.times.index(of: entry.snapshotID)))
      }
      return .success(Part(content: manifest.content, inside: placing.inside.sorted(), outside: placing.outside.sorted()))
    } catch {
      return .failure(FilesystemError(error, place))
    }
  }
}

extension FilesystemError {
  /// - Parameter place: the snapshot that was looked into.
  init(_ error: SnapshotError, _ place: SnapshotPlace) {
    let code: Code =
      switch error.code {
      case .missing, .corrupt: .failed
      case .encrypted: .denied
      case .unavailable(let code): FilesystemError(FileIOError(code: code, message: "")).code
      }
    self.init(code, "snapshot \(place.source.id): \(error.message)", requestID: error.requestID)
  }
}
