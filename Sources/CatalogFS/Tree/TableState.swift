// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// A table as this mount has met it under one name. Another one that gets the name of a renamed one is of the next generation.
struct TableKey: Sendable, Hashable {
  let identifier: TableIdentifier
  let generation: UInt64
}

/// What this mount knows of one table: the catalog's entry, for the TTL, and the layout that its metadata file gives, for as long as the
/// pointer stays.
final class TableState: Sendable {
  let key: TableKey
  let fileIO: any FileIO

  /// A question on its way, or answered.
  private struct Question<Answer: Sendable> {
    var fetch = SharedFetch<Answer>()
    var asked: ContinuousClock.Instant
    var epoch: UInt64
  }

  private struct State {
    var entry: TableEntry?
    var checked: ContinuousClock.Instant?
    var epoch: UInt64 = 0
    var pointerSeen: ContinuousClock.Instant?
    var loading: Question<TableEntry?>?
    var reading: Question<TableLayout>?
    /// The pointer whose file `reading` reads.
    var readingPointer = ""
    /// Made by mkdir, and no metadata committed yet.
    var pending: PendingTable?
    /// This mount has given the table another name.
    var isRenamed = false

    /// Takes an answer, unless one to a later question came before it.
    mutating func take(_ answer: TableEntry?, asked: ContinuousClock.Instant, epoch: UInt64, now: ContinuousClock.Instant) {
      if let checked, checked > asked || checked == asked && self.epoch > epoch { return }
      let isSame = answer.map { new in entry.map { $0.metadataLocation.utf8.elementsEqual(new.metadataLocation.utf8) } ?? false } ?? true
      if !isSame { pointerSeen = now }
      entry = answer
      checked = asked
      self.epoch = max(self.epoch, epoch)
    }
  }

  private let catalog: any Catalog
  private let freshness: Freshness
  private let largestMetadata: Int64
  /// Lock order: this one, then that of a fetch.
  private let state = Mutex(State())

  /// - Parameter largestMetadata: bytes; a metadata file larger than this is refused.
  init(key: TableKey, catalog: any Catalog, freshness: Freshness, largestMetadata: Int64) {
    self.key = key
    self.catalog = catalog
    self.fileIO = catalog.fileIO(for: key.identifier)
    self.freshness = freshness
    self.largestMetadata = largestMetadata
  }

  var identifier: TableIdentifier { key.identifier }

  /// Whether this mount has given the table another name: what the kernel holds of it by this state is to be looked up again.
  var isRenamed: Bool { state.withLock { $0.isRenamed } }

  func becomesRenamed() {
    state.withLock { $0.isRenamed = true }
  }

  /// Another pointer than the known one has been met: the next look asks the catalog.
  func expire() {
    state.withLock { state in
      state.checked = nil
      state.loading = nil
    }
  }

  /// Takes the entry that a listing brought, asked for at `asked`.
  func prime(_ entry: TableEntry, asked: ContinuousClock.Instant, epoch: UInt64) {
    let now = freshness.now()
    state.withLock { $0.take(entry, asked: asked, epoch: epoch, now: now) }
  }

  /// Takes the entry that a commit of this mount made, asked for at `time`: what was asked for earlier cannot replace it.
  func committed(_ entry: TableEntry, at time: ContinuousClock.Instant, epoch: UInt64) {
    state.withLock { state in
      state.take(entry, asked: time, epoch: epoch, now: time)
      state.pending = nil
    }
  }

  /// The table is gone, or has appeared, by this mount's own doing: the next look asks the catalog.
  func forgetEntry() {
    state.withLock { state in
      state.entry = nil
      state.checked = nil
      state.loading = nil
      state.reading = nil
    }
  }

  /// The file access, for writing.
  func writableFiles() throws(FilesystemError) -> any WritableFileIO {
    guard let files = fileIO as? any WritableFileIO else {
      throw FilesystemError(.readOnly, "table \(identifier): its files cannot be written through this catalog")
    }
    return files
  }

  // MARK: Pending

  /// The place of a table that mkdir made, until its first commit.
  var pending: PendingTable? { state.withLock { $0.pending } }

  /// Throws `invalid` if the location is none that files can be written to.
  func becomesPending(_ pending: PendingTable) throws(FilesystemError) {
    _ = try location(pending.location)
    state.withLock { $0.pending = pending }
  }

  /// The layout of a pending table; nil for any other.
  var pendingLayout: TableLayout? { pending.flatMap { try? pendingLayout($0) } }

  func endsPending() {
    state.withLock { $0.pending = nil }
  }

  /// Whether the table shows: the catalog has it, or it is pending here.
  func isThere() async throws(FilesystemError) -> Bool {
    if pending != nil { return true }
    return try await entry() != nil
  }

  /// The last entry seen, however old; for attributes that cost nothing.
  var knownEntry: TableEntry? { state.withLock { $0.entry } }

  /// The last layout read, however old.
  var knownLayout: TableLayout? {
    if case .success(let layout)? = state.withLock({ $0.reading })?.fetch.outcome { layout } else { nil }
  }

  /// When the present pointer was first seen: what was listed before may lack the files that it names.
  var pointerSeen: ContinuousClock.Instant? { state.withLock { $0.pointerSeen } }

  /// Whether the entry is still within its time to live.
  func isFresh(at now: ContinuousClock.Instant) -> Bool {
    state.withLock { state in state.checked.map { freshness.isFresh($0, epoch: state.epoch, at: now) } ?? false }
  }

  /// The catalog's entry, not older than the TTL; nil if the table is gone.
  func entry() async throws(FilesystemError) -> TableEntry? {
    let epoch = freshness.epoch
    let now = freshness.now()
    enum Step {
      case known(TableEntry?)
      case joined(SharedFetch<TableEntry?>)
      case asked(SharedFetch<TableEntry?>)
    }
    let step = state.withLock { state -> Step in
      if let checked = state.checked, freshness.isFresh(checked, epoch: state.epoch, at: now) { return .known(state.entry) }
      // A question from before a refresh, or older than the TTL, may be answered with what was true then.
      if let loading = state.loading, freshness.isFresh(loading.asked, epoch: loading.epoch, at: now) { return .joined(loading.fetch) }
      let question = Question<TableEntry?>(asked: now, epoch: epoch)
      state.loading = question
      return .asked(question.fetch)
    }
    switch step {
    case .known(let entry): return entry
    case .joined(let fetch): return try await fetch.value()
    case .asked(let fetch):
      fetch.start { [self] in await load(fetch, asked: now, epoch: epoch) }
      return try await fetch.value()
    }
  }

  private func load(
    _ fetch: SharedFetch<TableEntry?>, asked: ContinuousClock.Instant, epoch: UInt64
  ) async -> Result<TableEntry?, FilesystemError> {
    let result: Result<TableEntry?, FilesystemError>
    do throws(CatalogError) {
      result = .success(try await catalog.loadTable(identifier))
    } catch {
      result = .failure(FilesystemError(error))
    }
    let now = freshness.now()
    state.withLock { state in
      // What was asked before this mount itself changed the table says nothing any more.
      guard state.loading?.fetch === fetch else { return }
      state.loading = nil
      if case .success(let entry) = result { state.take(entry, asked: asked, epoch: epoch, now: now) }
    }
    return result
  }

  /// The layout of the current metadata. Throws if the table is gone, or catalog or S3 do not answer; a metadata file that is absent or no
  /// metadata is a ``TableLayout/failure``, and is asked for again after the TTL.
  func layout() async throws(FilesystemError) -> TableLayout {
    guard let entry = try await entry() else {
      guard let pending else { throw .notFound }
      return try pendingLayout(pending)
    }
    let epoch = freshness.epoch
    let now = freshness.now()
    let (fetch, isNew) = state.withLock { state -> (SharedFetch<TableLayout>, Bool) in
      if let reading = state.reading, state.readingPointer.utf8.elementsEqual(entry.metadataLocation.utf8) {
        switch reading.fetch.outcome {
        case nil: return (reading.fetch, false)
        case .success(let layout)? where layout.failure == nil: return (reading.fetch, false)
        case .success? where freshness.isFresh(reading.asked, epoch: reading.epoch, at: now): return (reading.fetch, false)
        case .success?, .failure?: break
        }
      }
      let question = Question<TableLayout>(asked: now, epoch: epoch)
      state.reading = question
      state.readingPointer = entry.metadataLocation
      return (question.fetch, true)
    }
    if isNew { fetch.start { [self] in await readLayout(of: entry) } }
    return try await fetch.value()
  }

  private func readLayout(of entry: TableEntry) async -> Result<TableLayout, FilesystemError> {
    do throws(FilesystemError) {
      let pointer = try location(entry.metadataLocation)
      switch try await metadata(at: pointer) {
      case .success(let metadata): return .success(layout(pointer, metadata))
      case .failure(let failure): return .success(Self.guessedLayout(pointer, failure))
      }
    } catch {
      return .failure(error)
    }
  }

  /// The metadata in a file; an inner failure is one of the file, which asking again would not mend.
  private func metadata(at pointer: ObjectLocation) async throws(FilesystemError) -> Result<TableMetadataHead, FilesystemError> {
    switch try await content(of: pointer) {
    case .failure(let failure): return .failure(failure)
    case .success(let bytes):
      do throws(TableMetadataError) {
        return .success(try TableMetadataHead(parsing: bytes, fileName: pointer.description))
      } catch {
        return .failure(FilesystemError(.failed, "table \(identifier): \(error.message)"))
      }
    }
  }

  /// The bytes of a metadata file; an inner failure is one of the file.
  private func content(of pointer: ObjectLocation) async throws(FilesystemError) -> Result<[UInt8], FilesystemError> {
    let sink = CollectingSink()
    do throws(FileIOError) {
      _ = try await fileIO.read(pointer, etag: nil, range: 0..<min(largestMetadata, .max - 1) + 1, into: sink)
    } catch {
      let failure = FilesystemError(error)
      guard error.code == .notFound || error.code == .invalid else { throw failure }
      return .failure(failure)
    }
    let bytes = sink.take()
    guard bytes.count <= largestMetadata else {
      return .failure(FilesystemError(.failed, "table \(identifier): \(pointer) is larger than \(largestMetadata) bytes"))
    }
    return .success(bytes)
  }

  /// A metadata file, current or not, read whole, with the places of the table's files as it says.
  func view(of text: String) async throws(FilesystemError) -> TableView {
    let pointer = try location(text)
    let bytes: [UInt8]
    switch try await content(of: pointer) {
    case .success(let content): bytes = content
    case .failure(let failure):
      throw FilesystemError(.failed, "table \(identifier): the metadata file \(pointer) cannot be read: \(failure.message)")
    }
    let metadata: TableMetadata
    do throws(TableMetadataError) {
      metadata = try TableMetadata(parsing: bytes, fileName: pointer.description)
    } catch {
      throw FilesystemError(.failed, "table \(identifier): \(error.message)")
    }
    let layout = layout(pointer, metadata.head)
    return TableView(
      metadata, pointer: text, dataDirectory: try layout.dataDirectory.get(), metadataDirectory: layout.metadataDirectory)
  }

  private func layout(_ pointer: ObjectLocation, _ metadata: TableMetadataHead) -> TableLayout {
    func directory(_ text: String) -> Result<ObjectLocation, FilesystemError> {
      do throws(FilesystemError) {
        return .success(try location(text).asDirectory)
      } catch {
        return .failure(FilesystemError(error.code, "table \(identifier): \(error.message)", requestID: error.requestID))
      }
    }
    // Where the table names no place for them, its metadata files are where this one is.
    let place = if case .success(let place) = directory(metadata.metadataLocation) { place } else { pointer.parent }
    return TableLayout(
      location: metadata.location, metadataDirectory: place, dataDirectory: directory(metadata.dataLocation),
      names: MetadataNames(pointer: pointer, metadataDirectory: place, log: metadata.metadataLog), failure: nil)
  }

  /// Where the files of a table are whose metadata cannot be used: beside the pointer, as Iceberg lays them out by default.
  private static func guessedLayout(_ pointer: ObjectLocation, _ failure: FilesystemError) -> TableLayout {
    let metadata = pointer.parent
    let suffix = "metadata/"
    var data = metadata
    data.key = metadata.key.hasSuffix(suffix) ? metadata.key.dropLast(suffix.count) + "data/" : metadata.key + "data/"
    return TableLayout(
      location: nil, metadataDirectory: metadata, dataDirectory: .success(data),
      names: MetadataNames(pointer: pointer, metadataDirectory: metadata, log: []), failure: failure)
  }

  /// Where the files of a new table go, as Iceberg lays them out by default.
  private func pendingLayout(_ pending: PendingTable) throws(FilesystemError) -> TableLayout {
    let place = try location(pending.location).asDirectory
    return TableLayout(
      location: pending.location, metadataDirectory: place.appending("metadata").asDirectory,
      dataDirectory: .success(place.appending("data").asDirectory), names: nil, failure: nil)
  }

  private func location(_ text: String) throws(FilesystemError) -> ObjectLocation {
    do throws(FileIOError) {
      return try fileIO.location(text)
    } catch {
      throw FilesystemError(error)
    }
  }
}

/// Keeps all bytes of a read.
private final class CollectingSink: RangeSink {
  private let collected = Mutex<[UInt8]>([])

  /// The bytes, which are then no longer kept here.
  func take() -> [UInt8] {
    collected.withLock { bytes in
      defer { bytes = [] }
      return bytes
    }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    collected.withLock { $0.append(contentsOf: bytes) }
    return true
  }
}
