// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// Where a table's files are, as its current metadata says.
struct TableLayout: Sendable {
  /// The file the catalog points at.
  var pointer: ObjectLocation
  /// Key ends in `/`.
  var metadataDirectory: ObjectLocation
  /// Key ends in `/`.
  var dataDirectory: ObjectLocation
  /// Present when the metadata could be read.
  var metadata: TableMetadataHead?
  /// Why it could not: the table still lists, from where the pointer lies.
  var failure: FilesystemError?

  func directory(_ directory: TableDirectory) -> ObjectLocation {
    switch directory {
    case .metadata: metadataDirectory
    case .data: dataDirectory
    }
  }
}

/// What this mount knows of one table: the catalog's entry, for the TTL, and the layout that its metadata file gives, for as long as the
/// pointer stays.
final class TableState: Sendable {
  let identifier: TableIdentifier
  let fileIO: any FileIO

  private struct State {
    var entry: TableEntry?
    var checked: ContinuousClock.Instant?
    var epoch: UInt64 = 0
    var loading: SharedFetch<TableEntry?>?
    var layout: SharedFetch<TableLayout>?
    var layoutPointer: String?
  }

  private let catalog: any Catalog
  private let freshness: Freshness
  private let state = Mutex(State())

  init(identifier: TableIdentifier, catalog: any Catalog, freshness: Freshness) {
    self.identifier = identifier
    self.catalog = catalog
    self.fileIO = catalog.fileIO(for: identifier)
    self.freshness = freshness
  }

  /// Takes the entry that a listing brought, asked for at `asked`.
  func prime(_ entry: TableEntry, asked: ContinuousClock.Instant, epoch: UInt64) {
    state.withLock { state in
      if let checked = state.checked, checked > asked { return }
      state.entry = entry
      state.checked = asked
      state.epoch = epoch
    }
  }

  /// The last entry seen, however old; for attributes that cost nothing.
  var knownEntry: TableEntry? { state.withLock { $0.entry } }

  /// The last layout read, however old.
  var knownLayout: TableLayout? {
    if case .success(let layout)? = state.withLock({ $0.layout })?.outcome { layout } else { nil }
  }

  /// The catalog's entry, not older than the TTL; nil if the table is gone.
  func entry() async throws(FilesystemError) -> TableEntry? {
    let (entry, fetch) = state.withLock { state -> (TableEntry?, SharedFetch<TableEntry?>?) in
      if let checked = state.checked, freshness.isFresh(checked, epoch: state.epoch) { return (state.entry, nil) }
      if let loading = state.loading { return (nil, loading) }
      let asked = freshness.now()
      let epoch = freshness.epoch
      let fetch = SharedFetch<TableEntry?> { [self] in await load(asked: asked, epoch: epoch) }
      state.loading = fetch
      return (nil, fetch)
    }
    return try await fetch?.value() ?? entry
  }

  private func load(asked: ContinuousClock.Instant, epoch: UInt64) async -> Result<TableEntry?, FilesystemError> {
    let result: Result<TableEntry?, FilesystemError>
    do throws(CatalogError) {
      result = .success(try await catalog.loadTable(identifier))
    } catch {
      result = .failure(FilesystemError(error))
    }
    state.withLock { state in
      state.loading = nil
      if case .success(let entry) = result {
        state.entry = entry
        state.checked = asked
        state.epoch = epoch
      }
    }
    return result
  }

  /// The layout of the current metadata. Throws only if the table is gone or the catalog does not answer; a metadata file that cannot be used
  /// is a ``TableLayout/failure``, and is asked for again with the next look.
  func layout() async throws(FilesystemError) -> TableLayout {
    guard let entry = try await entry() else { throw .notFound }
    let fetch = state.withLock { state -> SharedFetch<TableLayout> in
      if let layout = state.layout, state.layoutPointer == entry.metadataLocation {
        if case .success(let known)? = layout.outcome, known.failure != nil {
          // A failed reading is not kept.
        } else {
          return layout
        }
      }
      let fetch = SharedFetch<TableLayout> { [fileIO] in await Self.readLayout(of: entry, fileIO: fileIO) }
      state.layout = fetch
      state.layoutPointer = entry.metadataLocation
      return fetch
    }
    return try await fetch.value()
  }

  private static func readLayout(of entry: TableEntry, fileIO: any FileIO) async -> Result<TableLayout, FilesystemError> {
    do throws(FilesystemError) {
      let pointer = try location(entry.metadataLocation, fileIO: fileIO)
      do throws(FilesystemError) {
        let bytes = try await wholeObject(pointer, fileIO: fileIO)
        let metadata: TableMetadataHead
        do throws(TableMetadataError) {
          metadata = try TableMetadataHead(parsing: bytes, fileName: pointer.description)
        } catch {
          throw FilesystemError(.failed, "table \(entry.identifier): \(error.message)")
        }
        return .success(
          TableLayout(
            pointer: pointer, metadataDirectory: try location(metadata.metadataLocation, fileIO: fileIO).asDirectory,
            dataDirectory: try location(metadata.dataLocation, fileIO: fileIO).asDirectory, metadata: metadata))
      } catch {
        return .success(guessedLayout(pointer: pointer, failure: error))
      }
    } catch {
      return .failure(error)
    }
  }

  /// Where the files of a table are whose metadata cannot be read: beside the pointer, as Iceberg lays them out by default.
  private static func guessedLayout(pointer: ObjectLocation, failure: FilesystemError) -> TableLayout {
    let metadata = pointer.parent
    var data = metadata
    data.key = metadata.key.hasSuffix("metadata/") ? metadata.key.dropLast("metadata/".count) + "data/" : metadata.key + "data/"
    return TableLayout(pointer: pointer, metadataDirectory: metadata, dataDirectory: data, failure: failure)
  }

  private static func location(_ text: String, fileIO: any FileIO) throws(FilesystemError) -> ObjectLocation {
    do throws(FileIOError) {
      return try fileIO.location(text)
    } catch {
      throw FilesystemError(error)
    }
  }

  /// A metadata file larger than this is refused rather than read into memory: 20 MB is a large one, 1 GiB is none.
  private static let largestMetadata: Int64 = 1 << 30

  private static func wholeObject(_ location: ObjectLocation, fileIO: any FileIO) async throws(FilesystemError) -> [UInt8] {
    let sink = CollectingSink()
    do throws(FileIOError) {
      _ = try await fileIO.read(location, etag: nil, range: 0..<largestMetadata, into: sink)
    } catch {
      throw FilesystemError(error)
    }
    return sink.bytes
  }
}

/// Keeps all bytes of a read.
private final class CollectingSink: RangeSink {
  private let collected = Mutex<[UInt8]>([])

  var bytes: [UInt8] { collected.withLock { $0 } }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    collected.withLock { $0.append(contentsOf: bytes) }
    return true
  }
}
