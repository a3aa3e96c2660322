// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import TestSupport

/// What becomes of a write's answer.
enum LossyAnswer: Sendable, Hashable {
  /// It takes effect, and nobody knows.
  case lostAfter
  /// It takes no effect, and nobody knows.
  case lostBefore
}

/// A catalog in memory that loses answers: what it did, it did, and says `unknown`.
final class LossyCatalog: WritableCatalog {
  let inner: InMemoryCatalog
  let files: LossyFiles
  private let answers = Mutex<[LossyAnswer?]>([])
  private let chance = Mutex<(@Sendable () -> LossyAnswer?)?>(nil)

  init(_ inner: InMemoryCatalog, _ files: InMemoryFileIO) {
    self.inner = inner
    self.files = LossyFiles(files)
  }

  /// The next commits' answers, nil for a plain one.
  func answer(_ next: LossyAnswer?...) {
    answers.withLock { $0 += next }
  }

  /// Asked at every commit that no ``answer(_:)`` was set for.
  func answer(by chance: @escaping @Sendable () -> LossyAnswer?) {
    self.chance.withLock { $0 = chance }
  }

  var kind: String { inner.kind }
  var nestsNamespaces: Bool { inner.nestsNamespaces }
  var tableOperations: any TableOperations { Operations(catalog: self) }
  func fileIO(for identifier: TableIdentifier) -> any FileIO { files }

  func listNamespaces(under parent: Namespace, after token: String?) async throws(CatalogError) -> CatalogPage<NamespaceEntry> {
    try await inner.listNamespaces(under: parent, after: token)
  }
  func listTables(in namespace: Namespace, after token: String?) async throws(CatalogError) -> CatalogPage<TableEntry> {
    try await inner.listTables(in: namespace, after: token)
  }
  func loadNamespace(_ namespace: Namespace) async throws(CatalogError) -> NamespaceEntry? { try await inner.loadNamespace(namespace) }
  func loadTable(_ identifier: TableIdentifier) async throws(CatalogError) -> TableEntry? { try await inner.loadTable(identifier) }
  func checkTableName(_ identifier: TableIdentifier) throws(CatalogError) { try inner.checkTableName(identifier) }
  func checkNamespaceName(_ namespace: Namespace) throws(CatalogError) { try inner.checkNamespaceName(namespace) }
  func defaultLocation(of identifier: TableIdentifier) async throws(CatalogError) -> String {
    try await inner.defaultLocation(of: identifier)
  }
  func createNamespace(_ namespace: Namespace, properties: [String: String]) async throws(CatalogError) {
    try await inner.createNamespace(namespace, properties: properties)
  }
  func dropNamespace(_ namespace: Namespace) async throws(CatalogError) { try await inner.dropNamespace(namespace) as Void }
  func dropTable(_ identifier: TableIdentifier) async throws(CatalogError) { try await inner.dropTable(identifier) }
  func renameTable(_ entry: TableEntry, to target: TableIdentifier) async throws(CatalogError) {
    try await inner.renameTable(entry, to: target)
  }

  private struct Operations: TableOperations {
    let catalog: LossyCatalog

    func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome {
      let set = catalog.answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
      let chance = catalog.chance.withLock { $0 }
      switch set ?? chance?() {
      case .lostBefore: return .unknown("the answer was lost")
      case .lostAfter:
        let outcome = try await catalog.inner.tableOperations.commit(commit)
        guard case .committed = outcome else { return outcome }
        return .unknown("the answer was lost")
      case nil: return try await catalog.inner.tableOperations.commit(commit)
      }
    }
  }
}

/// Files in memory that lose the answers of uploads.
final class LossyFiles: WritableFileIO {
  let lake: InMemoryFileIO
  private let answers = Mutex<[LossyAnswer?]>([])

  init(_ lake: InMemoryFileIO) {
    self.lake = lake
  }

  /// The next uploads' answers, nil for a plain one.
  func answer(_ next: LossyAnswer?...) {
    answers.withLock { $0 += next }
  }

  func create(
    _ location: ObjectLocation, from content: any ObjectContent, options: WriteOptions
  ) async throws(FileIOError) -> ObjectAttributes {
    let answer = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    if answer == .lostBefore { throw FileIOError(code: .unknown, message: "the answer was lost") }
    let attributes = try await lake.create(location, from: content, options: options)
    if answer == .lostAfter { throw FileIOError(code: .unknown, message: "the answer was lost") }
    return attributes
  }

  func head(_ location: ObjectLocation) async throws(FileIOError) -> ObjectAttributes { try await lake.head(location) }
  func read(
    _ location: ObjectLocation, etag: String?, range: Range<Int64>, into sink: any RangeSink
  ) async throws(FileIOError) -> Int64 {
    try await lake.read(location, etag: etag, range: range, into: sink)
  }
  func list(
    bucket: String, prefix: String, isDirectory: Bool, from position: ListPosition
  ) async throws(FileIOError) -> ObjectListing {
    try await lake.list(bucket: bucket, prefix: prefix, isDirectory: isDirectory, from: position)
  }
  func location(_ text: String) throws(FileIOError) -> ObjectLocation { try lake.location(text) }
  func writer(_ location: ObjectLocation, expectedSize: Int64?, options: WriteOptions) throws(FileIOError) -> any ObjectWriter {
    try lake.writer(location, expectedSize: expectedSize, options: options)
  }
  func copy(
    _ source: ObjectAttributes, to location: ObjectLocation, options: WriteOptions
  ) async throws(FileIOError) -> ObjectAttributes {
    try await lake.copy(source, to: location, options: options)
  }
  func delete(_ location: ObjectLocation, etag: String?) async throws(FileIOError) { try await lake.delete(location, etag: etag) }
  func deleteOwn(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) -> Bool {
    try await lake.deleteOwn(location, mark: mark)
  }
  func deleteAll(_ locations: [ObjectLocation]) async -> [FileIOError?] { await lake.deleteAll(locations) }
  func ownObject(at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) -> ObjectAttributes? {
    try await lake.ownObject(at: location, mark: mark)
  }
  func pendingUploads(at location: ObjectLocation) async throws(FileIOError) -> [PendingUpload] {
    try await lake.pendingUploads(at: location)
  }
  func probeConditionalWrites(in location: ObjectLocation) async -> ConditionalWrites {
    await lake.probeConditionalWrites(in: location)
  }
  func abandon(upload id: String, at location: ObjectLocation) async throws(FileIOError) {
    try await lake.abandon(upload: id, at: location)
  }
}
