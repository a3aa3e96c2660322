// SPDX-License-Identifier: Apache-2.0

import Iceberg
import WireFormats

/// What `.iceberg` of a table holds: finding names.
extension CatalogFilesystem {
  private static var currentName: String { "current" }
  private static var summaryName: String { "summary.json" }
  private static var manifestListName: String { "manifest-list.avro" }

  // MARK: What is known

  /// The views of the current metadata; nil for a pending table, which has none yet. Throws `notFound` if the table is gone.
  func currentView(_ table: TableState) async throws(FilesystemError) -> TableView? {
    guard let entry = try await table.entry() else {
      guard table.pending != nil else { throw .notFound }
      return nil
    }
    return try await view(table, entry.metadataLocation)
  }

  /// The views of a metadata file, current or not.
  func view(_ table: TableState, _ pointer: String) async throws(FilesystemError) -> TableView {
    try await views.value("table \(pointer)") { () async throws(FilesystemError) in try await table.view(of: pointer) }
  }

  func snapshotReader(_ table: TableState) -> SnapshotReader {
    SnapshotReader(files: table.fileIO, contents: manifestContents)
  }

  func manifests(_ table: TableState, _ place: SnapshotPlace) async throws(FilesystemError) -> SnapshotManifests {
    let reader = snapshotReader(table)
    return try await views.value("manifests \(table.identifier) \(place.identity)") { () async throws(FilesystemError) in
      do throws(SnapshotError) {
        let manifests = try await reader.manifests(of: place.source, summaries: true)
        var placing = FilePlacing(below: place.metadataDirectory, files: table.fileIO)
        for manifest in manifests.files {
          let file = SnapshotFile(size: manifest.length, addedBy: place.times.index(of: manifest.addedSnapshotID))
          do throws(AvroError) {
            try placing.append(Array(manifest.path.utf8)[...], file)
          } catch {
            throw SnapshotError(error, "manifest list", place.source.manifestList ?? manifest.path)
          }
        }
        let placed = PlacedFiles(
          inside: FileTree.merged([placing.inside.sorted()], limit: .max) ?? FileTree(),
          outside: FileTree.merged([placing.outside.sorted()], limit: .max) ?? FileTree())
        return SnapshotManifests(manifests, placed: placed)
      } catch {
        throw FilesystemError(error, place)
      }
    }
  }

  /// The files that one side of a snapshot's directory shows.
  func files(_ table: TableState, _ place: SnapshotPlace, _ side: SnapshotSide) async throws(FilesystemError) -> PlacedFiles {
    let manifests = try await explaining(table, place) { () async throws(FilesystemError) in
      try await self.manifests(table, place)
    }
    if side == .manifests { return manifests.placed }
    let reading = SnapshotFilesReading(
      place: place, manifests: manifests.manifests, reader: snapshotReader(table), files: table.fileIO, limit: options.viewMemory)
    let files = try await explaining(table, place) { () async throws(FilesystemError) in
      try await views.value("files \(table.identifier) \(place.identity)") { () async throws(FilesystemError) in try await reading.run() }
    }
    return side == .data ? files.data : files.deletes
  }

  /// What cannot be read of a snapshot that has expired meanwhile is stale rather than broken.
  private func explaining<Value: Sendable>(
    _ table: TableState, _ place: SnapshotPlace, _ body: () async throws(FilesystemError) -> Value
  ) async throws(FilesystemError) -> Value {
    do throws(FilesystemError) {
      return try await body()
    } catch {
      guard error.code == .failed, let view = try? await currentView(table), !view.holds(place.source.id) else { throw error }
      throw FilesystemError(.stale, "snapshot \(place.source.id) has expired: \(error.message)", requestID: error.requestID)
    }
  }

  // MARK: Lookup

  /// A name in `.iceberg` itself.
  func lookupInViews(_ table: TableState, parent: Node, name: EntryName) async throws(FilesystemError) -> NodeEntry {
    if name == Self.locationName {
      guard let text = try await table.layout().location else { throw .notFound }
      return reference(.locationText(table, text: text + "\n"), parent: parent, name: name)
    }
    let text = name.description
    let fixed = [ViewEntry.FixedDirectory.snapshots, .references, .byTime].first { $0.rawValue == text }
    let document = ViewDocument(rawValue: text)
    let rows = ViewRows(rawValue: text)
    guard fixed != nil || document != nil || rows != nil || text == Self.currentName, let view = try await currentView(table) else {
      throw .notFound
    }
    let entry: ViewEntry
    if let fixed {
      entry = .fixed(fixed)
    } else if let document {
      entry = try await self.entry(document, of: view, table)
    } else if let rows {
      entry = self.entry(rows, of: view, table)
    } else {
      guard let current = view.current else { throw .notFound }
      entry = Self.currentLink(current)
    }
    return reference(.view(table, entry), parent: parent, name: name)
  }

  static func currentLink(_ place: SnapshotPlace) -> ViewEntry {
    .link(target: "snapshots/\(place.source.id)", modified: place.modified)
  }

  /// A name below `.iceberg`.
  func lookup(_ name: EntryName, in entry: ViewEntry, of table: TableState, parent: Node) async throws(FilesystemError) -> NodeEntry {
    switch entry {
    case .fixed(let directory): return try await lookup(name, in: directory, of: table, parent: parent)
    case .snapshot(let place): return try await lookup(name, in: place, of: table, parent: parent)
    case .files(let place, let side, let path, let isOutside):
      let files = try await files(table, place, side)
      let directory = ViewFilesDirectory(files: files, place: place, side: side, path: path, isOutside: isOutside, table: table)
      guard let kind = directory.find(name, codec) else { throw .notFound }
      return reference(kind, parent: parent, name: name)
    case .link, .summary, .document, .rows: throw FilesystemError(.notDirectory)
    }
  }

  private func lookup(
    _ name: EntryName, in directory: ViewEntry.FixedDirectory, of table: TableState, parent: Node
  ) async throws(FilesystemError) -> NodeEntry {
    guard let view = try await currentView(table) else { throw .notFound }
    let found: ViewEntry?
    switch directory {
    case .snapshots:
      let id = Int64(name.description).flatMap { EntryName(String($0)) == name ? $0 : nil }
      found = id.flatMap { view.place(of: $0) }.map { .snapshot($0) }
    case .references: found = [ViewEntry.FixedDirectory.branches, .tags].first { $0.rawValue == name.description }.map { .fixed($0) }
    case .branches: found = Self.references(of: view, .branch, codec).first { $0.name == name }?.entry
    case .tags: found = Self.references(of: view, .tag, codec).first { $0.name == name }?.entry
    case .byTime:
      guard let instant = InstantName.milliseconds(name.bytes), let id = view.metadata.snapshotID(at: instant) else { throw .notFound }
      guard let place = view.place(of: id) else {
        throw FilesystemError(.notFound, "snapshot \(id), which was current then, has expired")
      }
      found = Self.instantLink(place)
    }
    guard let found else { throw .notFound }
    return reference(.view(table, found), parent: parent, name: name)
  }

  static func instantLink(_ place: SnapshotPlace) -> ViewEntry {
    .link(target: "../snapshots/\(place.source.id)", modified: place.modified)
  }

  /// Branches or tags as links, by their names.
  static func references(
    of view: TableView, _ kind: TableMetadataHead.Reference.Kind, _ codec: NameCodec
  ) -> [(name: EntryName, entry: ViewEntry)] {
    view.references.filter { $0.kind == kind }.compactMap { reference in
      view.place(of: reference.snapshotID).map {
        (codec.encode(reference.name), .link(target: "../../snapshots/\(reference.snapshotID)", modified: $0.modified))
      }
    }
  }

  private func lookup(
    _ name: EntryName, in place: SnapshotPlace, of table: TableState, parent: Node
  ) async throws(FilesystemError) -> NodeEntry {
    let text = name.description
    if text == Self.summaryName { return reference(.view(table, .summary(place)), parent: parent, name: name) }
    if let side = SnapshotSide(rawValue: text) {
      return reference(.view(table, .files(place, side, path: [], isOutside: false)), parent: parent, name: name)
    }
    guard text == Self.manifestListName, let kind = try await manifestList(table, place) else { throw .notFound }
    return reference(kind, parent: parent, name: name)
  }

  /// Nil if the snapshot has none.
  private func manifestList(_ table: TableState, _ place: SnapshotPlace) async throws(FilesystemError) -> Node.Kind? {
    guard let text = place.source.manifestList else { return nil }
    let location: ObjectLocation
    do throws(FileIOError) {
      location = try table.fileIO.location(text)
    } catch {
      throw FilesystemError(error)
    }
    // Its length stands nowhere. It is known once it was read; one that cannot be read shows as it is.
    let length: Int64
    do throws(FilesystemError) {
      length = try await manifests(table, place).manifests.listLength ?? 0
    } catch {
      guard error.code == .denied || error.code == .failed, let object = try await head(location, fileIO: table.fileIO) else { throw error }
      length = object.size
    }
    return .snapshotFile(table, ObjectAttributes(location: location, size: length, etag: "", modified: place.modified))
  }

  /// What a snapshot's directory holds.
  func entries(of place: SnapshotPlace, _ table: TableState) async -> [ViewName] {
    var names = [ViewName(Self.summaryName, .view(table, .summary(place)))]
    if place.source.manifestList != nil {
      // One whose length cannot be found out is listed by its name.
      names.append(ViewName(Self.manifestListName, (try? await manifestList(table, place)) ?? nil))
    }
    for side in [SnapshotSide.manifests, .data, .deletes] {
      names.append(ViewName(side.rawValue, .view(table, .files(place, side, path: [], isOutside: false))))
    }
    return names
  }
}

/// A name that a listing shows. What it stands for is nil where that could not be found out: then only looking at it tells why.
struct ViewName: Sendable {
  let name: EntryName
  let kind: Node.Kind?

  init(_ name: String, _ kind: Node.Kind?) {
    self.init(EntryName(name), kind)
  }

  init(_ name: EntryName, _ kind: Node.Kind?) {
    self.name = name
    self.kind = kind
  }
}
