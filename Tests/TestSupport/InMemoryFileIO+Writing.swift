// SPDX-License-Identifier: Apache-2.0

package import Iceberg
import Synchronization

extension InMemoryFileIO: WritableFileIO {
  package func create(
    _ location: ObjectLocation, from content: any ObjectContent, options: WriteOptions
  ) async throws(FileIOError) -> ObjectAttributes {
    try await publish(try await content.bytes(0..<content.size), at: location, options)
  }

  package func writer(
    _ location: ObjectLocation, expectedSize: Int64?, options: WriteOptions
  ) throws(FileIOError) -> any ObjectWriter {
    InMemoryObjectWriter(self, location, options)
  }

  package func copy(
    _ source: ObjectAttributes, to location: ObjectLocation, options: WriteOptions
  ) async throws(FileIOError) -> ObjectAttributes {
    guard let object = object(at: source.location), object.etag == source.etag else { throw Self.changed(source.location) }
    return try await publish(object.bytes, at: location, options)
  }

  package func delete(_ location: ObjectLocation, etag: String?) async throws(FileIOError) {
    try await faults.enter(.delete(location, etag: etag))
    guard let object = object(at: location) else { return }
    if let etag, etag != object.etag { throw Self.changed(location) }
    delete(location)
  }

  package func deleteAll(_ locations: [ObjectLocation]) async -> [FileIOError?] {
    var errors: [FileIOError?] = []
    for location in locations {
      do throws(FileIOError) {
        try Self.checkKey(location)
        try await delete(location, etag: nil)
        errors.append(nil)
      } catch {
        errors.append(error)
      }
    }
    return errors
  }

  package func deleteOwn(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) -> Bool {
    guard let object = object(at: location), object.mark == mark else { return false }
    try await delete(location, etag: object.etag)
    return true
  }

  package func ownObject(at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) -> ObjectAttributes? {
    try await faults.enter(.head(location))
    guard let object = object(at: location), object.mark == mark else { return nil }
    return ObjectAttributes(location: location, size: Int64(object.bytes.count), etag: object.etag, modified: object.modified)
  }

  package func pendingUploads(at location: ObjectLocation) async throws(FileIOError) -> [PendingUpload] {
    try await faults.enter(.uploads(location))
    return state.withLock { $0.uploads[location.bucket]?[Array(location.key.utf8)] ?? [] }
  }

  package func probeConditionalWrites(in location: ObjectLocation) async -> ConditionalWrites { .kept }

  package func abandon(upload id: String, at location: ObjectLocation) async throws(FileIOError) {
    try await faults.enter(.abandon(location, upload: id))
    state.withLock { $0.uploads[location.bucket]?[Array(location.key.utf8)]?.removeAll { $0.id == id } }
  }

  /// Puts an upload under way, as another process would have begun it.
  package func begin(_ upload: PendingUpload, at location: ObjectLocation) {
    state.withLock { $0.uploads[location.bucket, default: [:]][Array(location.key.utf8), default: []].append(upload) }
  }

  /// The mark of the write that made an object; nil if there is no such object or it was only put there.
  package func mark(of location: ObjectLocation) -> WriteMark? {
    object(at: location)?.mark
  }

  func publish(_ bytes: [UInt8], at location: ObjectLocation, _ options: WriteOptions) async throws(FileIOError) -> ObjectAttributes {
    try Self.checkKey(location)
    try await options.journal?.willWrite(location, mark: options.mark)
    try await faults.enter(.write(location, size: Int64(bytes.count)))
    guard state.withLock({ $0.buckets[location.bucket] != nil }) else { throw Self.missing(bucket: location.bucket) }
    guard object(at: location) == nil else {
      await options.journal?.didEnd(location, mark: options.mark)
      throw FileIOError(code: .exists, message: "Location already exists: \(location)")
    }
    let attributes = put(location, bytes, mark: options.mark)
    await options.journal?.didEnd(location, mark: options.mark)
    return attributes
  }

  private static func checkKey(_ location: ObjectLocation) throws(FileIOError) {
    guard location.key.isEmpty else { return }
    throw FileIOError(code: .invalid, message: "\(location) names no object: its key is empty.")
  }

  private func object(at location: ObjectLocation) -> Object? {
    state.withLock { $0.buckets[location.bucket]?[Array(location.key.utf8)] }
  }
}

/// Collects the bytes and publishes them in one step.
private final class InMemoryObjectWriter: ObjectWriter {
  private let files: InMemoryFileIO
  private let location: ObjectLocation
  private let options: WriteOptions
  /// Nil once the writer has ended.
  private let content = Mutex<[UInt8]?>([])

  init(_ files: InMemoryFileIO, _ location: ObjectLocation, _ options: WriteOptions) {
    self.files = files
    self.location = location
    self.options = options
  }

  var count: Int64 { content.withLock { Int64($0?.count ?? 0) } }

  func append(_ bytes: [UInt8]) async throws(FileIOError) {
    let isOpen = content.withLock { content in
      content?.append(contentsOf: bytes)
      return content != nil
    }
    guard isOpen else { throw ended }
  }

  func finish() async throws(FileIOError) -> ObjectAttributes {
    let bytes = content.withLock { content in
      defer { content = nil }
      return content
    }
    guard let bytes else { throw ended }
    return try await files.publish(bytes, at: location, options)
  }

  func abort() async {
    content.withLock { $0 = nil }
  }

  private var ended: FileIOError { FileIOError(code: .cancelled, message: "\(location): the upload has ended.") }
}
