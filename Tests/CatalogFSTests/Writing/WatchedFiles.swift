// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import TestSupport

/// Files in memory that count the uploads under way, and whose appends can be held and fail.
///
/// Other than ``InMemoryFileIO`` alone, a writer's append waits and fails, and content is read in parts as S3 does.
final class WatchedFiles: WritableFileIO {
  struct Append: Sendable, Hashable {
    let offset: Int64
    let size: Int
  }

  private struct State {
    var open = 0
    var opened = 0
    /// Bytes that the writer opened last has taken.
    var taken: Int64 = 0
    var created = 0
    var copied = 0
  }

  let objects: InMemoryFileIO
  let appends = InMemoryFaults<Append, FileIOError>(cancellation: FileIOError(code: .cancelled, message: "The append was cancelled."))
  private let keepsBytes: Bool
  private let state = Mutex(State())

  /// - Parameter keepsBytes: false for writers that only count, for sizes beyond what a test should keep.
  init(_ objects: InMemoryFileIO = InMemoryFileIO(buckets: ["lake"]), keepsBytes: Bool = true) {
    self.objects = objects
    self.keepsBytes = keepsBytes
  }

  /// Writers neither finished nor aborted.
  var openUploads: Int { state.withLock { $0.open } }
  /// Writers made so far.
  var uploads: Int { state.withLock { $0.opened } }
  var taken: Int64 { state.withLock { $0.taken } }
  /// Objects written from content, and by copying.
  var created: Int { state.withLock { $0.created } }
  var copied: Int { state.withLock { $0.copied } }

  func content(_ location: ObjectLocation) async throws -> [UInt8] {
    let size = try await objects.head(location).size
    let collected = Collected()
    _ = try await objects.read(location, etag: nil, range: 0..<size, into: collected)
    return collected.bytes.withLock { $0 }
  }

  fileprivate func didTake(_ count: Int64) { state.withLock { $0.taken = count } }
  fileprivate func didEnd() { state.withLock { $0.open -= 1 } }

  func create(
    _ location: ObjectLocation, from content: any ObjectContent, options: WriteOptions
  ) async throws(FileIOError) -> ObjectAttributes {
    state.withLock { $0.created += 1 }
    var bytes: [UInt8] = []
    while Int64(bytes.count) < content.size {
      bytes += try await content.bytes(Int64(bytes.count)..<min(Int64(bytes.count) + 3000, content.size))
    }
    return try await objects.create(location, from: BytesContent(bytes), options: options)
  }

  func writer(_ location: ObjectLocation, expectedSize: Int64?, options: WriteOptions) throws(FileIOError) -> any ObjectWriter {
    let writer = try objects.writer(location, expectedSize: expectedSize, options: options)
    state.withLock { state in
      state.open += 1
      state.opened += 1
      state.taken = 0
    }
    return WatchedWriter(self, writer, keepsBytes: keepsBytes)
  }

  func copy(
    _ source: ObjectAttributes, to location: ObjectLocation, options: WriteOptions
  ) async throws(FileIOError) -> ObjectAttributes {
    state.withLock { $0.copied += 1 }
    return try await objects.copy(source, to: location, options: options)
  }

  func delete(_ location: ObjectLocation, etag: String?) async throws(FileIOError) { try await objects.delete(location, etag: etag) }

  func deleteOwn(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) -> Bool {
    try await objects.deleteOwn(location, mark: mark)
  }

  func deleteAll(_ locations: [ObjectLocation]) async -> [FileIOError?] { await objects.deleteAll(locations) }

  func ownObject(at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) -> ObjectAttributes? {
    try await objects.ownObject(at: location, mark: mark)
  }

  func pendingUploads(at location: ObjectLocation) async throws(FileIOError) -> [PendingUpload] {
    try await objects.pendingUploads(at: location)
  }

  func probeConditionalWrites(in location: ObjectLocation) async -> ConditionalWrites {
    await objects.probeConditionalWrites(in: location)
  }

  func abandon(upload id: String, at location: ObjectLocation) async throws(FileIOError) {}

  func head(_ location: ObjectLocation) async throws(FileIOError) -> ObjectAttributes { try await objects.head(location) }

  func read(
    _ location: ObjectLocation, etag: String?, range: Range<Int64>, into sink: any RangeSink
  ) async throws(FileIOError) -> Int64 {
    try await objects.read(location, etag: etag, range: range, into: sink)
  }

  func list(bucket: String, prefix: String, isDirectory: Bool, from position: ListPosition) async throws(FileIOError) -> ObjectListing {
    try await objects.list(bucket: bucket, prefix: prefix, isDirectory: isDirectory, from: position)
  }

  func location(_ text: String) throws(FileIOError) -> ObjectLocation { try objects.location(text) }
}

private final class WatchedWriter: ObjectWriter {
  private let files: WatchedFiles
  private let writer: any ObjectWriter
  private let keepsBytes: Bool
  private let state = Mutex<(isOpen: Bool, count: Int64)>((true, 0))

  init(_ files: WatchedFiles, _ writer: any ObjectWriter, keepsBytes: Bool) {
    self.files = files
    self.writer = writer
    self.keepsBytes = keepsBytes
  }

  var count: Int64 { state.withLock { $0.count } }

  func append(_ bytes: [UInt8]) async throws(FileIOError) {
    guard state.withLock({ $0.isOpen }) else { throw FileIOError(code: .cancelled, message: "the upload has ended") }
    try await files.appends.enter(WatchedFiles.Append(offset: count, size: bytes.count))
    try await writer.append(keepsBytes ? bytes : [])
    files.didTake(
      state.withLock { state in
        state.count += Int64(bytes.count)
        return state.count
      })
  }

  func finish() async throws(FileIOError) -> ObjectAttributes {
    end()
    return try await writer.finish()
  }

  func abort() async {
    end()
    await writer.abort()
  }

  private func end() {
    let wasOpen = state.withLock { state in
      defer { state.isOpen = false }
      return state.isOpen
    }
    if wasOpen { files.didEnd() }
  }
}

private final class Collected: RangeSink {
  let bytes = Mutex<[UInt8]>([])

  func receive(_ part: UnsafeRawBufferPointer) -> Bool {
    bytes.withLock { $0.append(contentsOf: part) }
    return true
  }
}
