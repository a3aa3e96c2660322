// SPDX-License-Identifier: Apache-2.0

import Iceberg
import WireFormats

/// What `.iceberg` of a table holds: what files contain.
extension CatalogFilesystem {
  // MARK: Entries

  func entry(_ document: ViewDocument, of view: TableView, _ table: TableState) async throws(FilesystemError) -> ViewEntry {
    let text = try await text(document, of: view, table)
    return .document(document, pointer: view.pointer, size: Int64(text.bytes.count), modified: view.modified)
  }

  /// Sends no request.
  func entry(_ rows: ViewRows, of view: TableView, _ table: TableState) -> ViewEntry {
    .rows(rows, pointer: view.pointer, size: view.current == nil ? 0 : knownSize(rows, pointer: view.pointer), modified: view.modified)
  }

  /// Nil until the rows were made once.
  func knownSize(_ rows: ViewRows, pointer: String) -> Int64? {
    switch rows {
    case .files: views.known(Self.key(.files, pointer), as: FilesText.self)?.size
    case .partitions: views.known(Self.key(.partitions, pointer), as: ViewText.self).map { Int64($0.bytes.count) }
    }
  }

  private static func key(_ rows: ViewRows, _ pointer: String) -> String { "\(rows.rawValue) \(pointer)" }

  // MARK: Content

  func openView(_ entry: ViewEntry, of table: TableState) async throws(FilesystemError) -> OpenedFile {
    switch entry {
    case .fixed, .snapshot, .files: throw FilesystemError(.isDirectory)
    case .link: throw FilesystemError(.invalid)
    case .summary(let place): return opened(place.summary)
    case .document(let document, let pointer, let size, _):
      let text = try await text(document, of: try await view(table, pointer), table).bytes
      guard Int64(text.count) == size else { throw FilesystemError(.stale, "\(document.rawValue) is not what it was") }
      return opened(text)
    case .rows(let rows, let pointer, let size, _):
      let stream = try await stream(rows, of: try await view(table, pointer), table)
      return OpenedFile(handle: handles.insert(.stream(stream, isWhole: size != nil)), isDirect: size == nil)
    }
  }

  private func opened(_ bytes: [UInt8]) -> OpenedFile {
    OpenedFile(handle: handles.insert(.content(ContentBuffer(bytes))), isDirect: false)
  }

  /// Opens a file as a snapshot names it. Sends no request.
  func openSnapshotFile(_ object: ObjectAttributes, of table: TableState, _ node: Node) -> OpenedFile {
    let reader = SnapshotFileReader(
      object: object, fileIO: table.fileIO, cache: cache, tuning: options.tuning, versions: versions)
    return OpenedFile(handle: handles.insert(.snapshotFile(reader, .init(node: node))), isDirect: false)
  }

  private func text(_ document: ViewDocument, of view: TableView, _ table: TableState) async throws(FilesystemError) -> ViewText {
    try await views.value("\(document.rawValue) \(view.pointer)") { [self] () async throws(FilesystemError) in
      guard document == .manifests else { return ViewText(document.content(of: view)) }
      guard let place = view.current else { return ViewText([]) }
      return ViewText(MetadataRows(view.metadata).manifests(try await manifests(table, place).manifests.files))
    }
  }

  private func stream(_ rows: ViewRows, of view: TableView, _ table: TableState) async throws(FilesystemError) -> any ViewStream {
    guard let place = view.current else { return TextStream { () async throws(FilesystemError) in ViewText([]) } }
    let key = Self.key(rows, view.pointer)
    let reader = snapshotReader(table)
    let manifests: @Sendable () async throws(FilesystemError) -> [ManifestFile] = { [self] () async throws(FilesystemError) in
      let files = try await self.manifests(table, place).manifests.files
      if let encrypted = files.first(where: \.isEncrypted) {
        throw FilesystemError(SnapshotError.encrypted("manifest", encrypted.path), place)
      }
      return files
    }
    switch rows {
    case .files:
      let text = try await views.value(key) { [views] () async throws(FilesystemError) in
        FilesText(
          format: FileRows(view.metadata), place: place, reader: reader, manifests: manifests, completed: { views.update(key) })
      }
      return FilesStream(text)
    case .partitions:
      let empty = PartitionRows(view.metadata)
      return TextStream { [views] () async throws(FilesystemError) in
        try await views.value(key) { () async throws(FilesystemError) in
          try await PartitionsReading(place: place, manifests: try await manifests(), reader: reader, empty: empty).run()
        }
      }
    }
  }
}

/// Adds up the files of all manifests by partition: many at once, joined in their order, so that the same ones give the same text.
private struct PartitionsReading {
  let place: SnapshotPlace
  let manifests: [ManifestFile]
  let reader: SnapshotReader
  let empty: PartitionRows

  private static let readsInFlight = 8

  func run() async throws(FilesystemError) -> ViewText {
    let live = manifests.filter { !$0.isKnownEmpty }
    typealias Outcome = Result<PartitionRows, FilesystemError>
    let result = await withTaskGroup(of: (Int, Outcome).self) { group -> Outcome in
      var total = empty
      var waiting: [Int: PartitionRows] = [:]
      var (started, joined) = (0, 0)
      func startNext() {
        guard started < live.count else { return }
        let (index, manifest) = (started, live[started])
        group.addTask { (index, await read(manifest)) }
        started += 1
      }
      for _ in 0..<Self.readsInFlight { startNext() }
      while let (index, result) = await group.next() {
        switch result {
        case .success(let rows): waiting[index] = rows
        case .failure(let error):
          group.cancelAll()
          return .failure(error)
        }
        while let rows = waiting.removeValue(forKey: joined) {
          total.add(rows)
          joined += 1
          startNext()
        }
      }
      return .success(total)
    }
    return ViewText(try result.get().text())
  }

  private func read(_ manifest: ManifestFile) async -> Result<PartitionRows, FilesystemError> {
    do throws(SnapshotError) {
      let bytes = try await reader.bytes(of: manifest)
      var rows = empty
      try SnapshotReader.forEachLiveEntry(in: bytes, of: manifest, columns: .partitions) { entry throws(AvroError) in
        rows.add(entry, spec: manifest.specID)
      }
      return .success(rows)
    } catch {
      return .failure(FilesystemError(error, place))
    }
  }
}
