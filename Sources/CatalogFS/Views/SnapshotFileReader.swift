// SPDX-License-Identifier: Apache-2.0

import Iceberg
import ObjectCache
import Synchronization

/// Reads a file of a snapshot, of which the manifest says where it is and how long, but not which version of the object is meant.
///
/// The first answer says it: the handle is bound to that version, and each further request names it. So opening costs nothing, and reading as much
/// as reading the object by its own name, with the same blocks in the cache.
final class SnapshotFileReader: Sendable {
  private enum State {
    case unbound
    case binding(SharedFetch<ObjectReader>)
    case bound(ObjectReader)
    case closed
  }

  let object: ObjectAttributes
  private let fileIO: any FileIO
  private let cache: BlockCache
  private let tuning: Prefetcher.Tuning
  private let versions: ObjectVersions
  private let state = Mutex(State.unbound)

  /// - Parameters:
  ///   - object: without an etag; the size is believed.
  ///   - versions: what earlier handles have found out.
  init(object: ObjectAttributes, fileIO: any FileIO, cache: BlockCache, tuning: Prefetcher.Tuning, versions: ObjectVersions) {
    self.object = object
    self.fileIO = fileIO
    self.cache = cache
    self.tuning = tuning
    self.versions = versions
  }

  /// As ``ObjectReader/read(offset:size:)`` does.
  func read(offset: Int64, size: Int) async throws(FilesystemError) -> FileBytes {
    guard offset >= 0, size > 0, offset < object.size else { return FileBytes(segments: [], owner: nil) }
    let reader = try await reader(for: offset..<min(object.size, offset + Int64(min(size, ObjectReader.maximumReadSize))))
    do throws(FileIOError) {
      let bytes = try await reader.read(offset: offset, size: size)
      return FileBytes(segments: bytes.segments, owner: bytes.owner)
    } catch {
      if error.code == .changed { versions.forget(object.location) }
      throw error.code == .notFound ? FilesystemError(.stale, error.message, requestID: error.requestID) : FilesystemError(error)
    }
  }

  /// As ``ObjectReader/sequentialRead``.
  var sequentialRead: Range<Int64>? {
    state.withLock { state in if case .bound(let reader) = state { reader.sequentialRead } else { nil } }
  }

  func close() {
    let last = state.withLock { state in
      defer { state = .closed }
      return state
    }
    if case .bound(let reader) = last { reader.close() }
  }

  private func reader(for range: Range<Int64>) async throws(FilesystemError) -> ObjectReader {
    let known = versions.etag(of: object.location)
    enum Step {
      case bound(ObjectReader)
      case joined(SharedFetch<ObjectReader>)
      case begun(SharedFetch<ObjectReader>)
    }
    let step = state.withLock { state -> Step in
      switch state {
      case .bound(let reader): return .bound(reader)
      case .binding(let fetch):
        // A failure is the answer to that read alone.
        if case .failure? = fetch.outcome { break }
        return .joined(fetch)
      case .unbound, .closed: break
      }
      if let known {
        let reader = reader(etag: known, fileIO)
        state = .bound(reader)
        return .bound(reader)
      }
      let fetch = SharedFetch<ObjectReader>()
      state = .binding(fetch)
      return .begun(fetch)
    }
    switch step {
    case .bound(let reader): return reader
    case .joined(let fetch): return try await fetch.value()
    case .begun(let fetch):
      fetch.start { [self] in await bind(range) }
      return try await fetch.value()
    }
  }

  private func reader(etag: String, _ fileIO: any FileIO) -> ObjectReader {
    var bound = object
    bound.etag = etag
    return ObjectReader(object: bound, fileIO: fileIO, cache: cache, tuning: tuning)
  }

  /// Asks for what the reader would ask for, without naming a version, and makes the reader of the version that came.
  private func bind(_ range: Range<Int64>) async -> Result<ObjectReader, FilesystemError> {
    let asked = ObjectReader.firstRequest(for: range, size: object.size, tuning: tuning)
    let first = FirstAnswer(fileIO, asked)
    do throws(FileIOError) {
      _ = try await fileIO.read(object.location, etag: nil, range: asked, into: first)
      guard let etag = first.etag, !etag.isEmpty else {
        throw FileIOError(code: .failed, message: "\(object.location): the answer does not say which version it holds (no ETag)")
      }
      let reader = reader(etag: etag, first)
      // The bytes go into the cache, so that whoever comes next finds them there.
      _ = try await reader.read(offset: range.lowerBound, size: range.count)
      first.drop()
      versions.keep(etag, of: object.location)
      let isOpen = state.withLock { state in
        if case .closed = state { return false }
        state = .bound(reader)
        return true
      }
      if !isOpen { reader.close() }
      return .success(reader)
    } catch {
      let isGone = error.code == .notFound || error.code == .changed
      let message = isGone ? "\(object.location) is gone, though a snapshot still names it: \(error.message)" : error.message
      return .failure(FilesystemError(isGone ? .stale : FilesystemError(error).code, message, requestID: error.requestID))
    }
  }

  /// Answers for the bytes that came first from memory, for all others from the files.
  private final class FirstAnswer: FileIO, RangeSink {
    private struct Answer {
      var bytes: [UInt8] = []
      var etag: String?
    }

    private let files: any FileIO
    private let range: Range<Int64>
    private let answer = Mutex(Answer())

    init(_ files: any FileIO, _ range: Range<Int64>) {
      self.files = files
      self.range = range
    }

    var etag: String? { answer.withLock { $0.etag } }

    /// The bytes are in the cache.
    func drop() { answer.withLock { $0.bytes = [] } }

    func begin(etag: String?) {
      answer.withLock { answer in
        if answer.etag == nil { answer.etag = etag }
      }
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
      answer.withLock { $0.bytes.append(contentsOf: bytes) }
      return true
    }

    func head(_ location: ObjectLocation) async throws(FileIOError) -> ObjectAttributes { try await files.head(location) }

    func read(
      _ location: ObjectLocation, etag: String?, range: Range<Int64>, into sink: any RangeSink
    ) async throws(FileIOError) -> Int64 {
      let known = answer.withLock { $0.bytes }
      let start = range.lowerBound - self.range.lowerBound
      guard start >= 0, start < known.count, range.upperBound - self.range.lowerBound <= known.count else {
        return try await files.read(location, etag: etag, range: range, into: sink)
      }
      let part = known[Int(start)..<Int(start) + range.count]
      _ = part.withUnsafeBytes { sink.receive($0) }
      return Int64(part.count)
    }

    func list(
      bucket: String, prefix: String, isDirectory: Bool, from position: ListPosition
    ) async throws(FileIOError) -> ObjectListing {
      try await files.list(bucket: bucket, prefix: prefix, isDirectory: isDirectory, from: position)
    }

    func location(_ text: String) throws(FileIOError) -> ObjectLocation { try files.location(text) }
  }
}

/// Versions of objects as answers have named them: a file of a snapshot never changes, so the next handle asks for the same at once.
final class ObjectVersions: Sendable {
  private let most: Int
  private let etags = Mutex<[ObjectLocation: String]>([:])

  /// - Parameter most: how many are kept, some 200 bytes each.
  init(most: Int) {
    self.most = most
  }

  func etag(of location: ObjectLocation) -> String? { etags.withLock { $0[location] } }

  func keep(_ etag: String, of location: ObjectLocation) {
    etags.withLock { etags in
      // All at once, rather than keeping their order: each costs its next reader one request without `If-Match`.
      if etags.count >= most, etags[location] == nil { etags = [:] }
      etags[location] = etag
    }
  }

  func forget(_ location: ObjectLocation) { etags.withLock { $0[location] = nil } }

  func forgetAll() { etags.withLock { $0 = [:] } }
}
