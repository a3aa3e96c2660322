// SPDX-License-Identifier: Apache-2.0

package import Iceberg
import Synchronization

/// One call of an ``InMemoryFileIO``.
package enum InMemoryFileIOCall: Sendable, Hashable {
  case head(ObjectLocation)
  case read(ObjectLocation, etag: String?, range: Range<Int64>)
  case list(bucket: String, prefix: String, isDirectory: Bool, position: ListPosition)
  /// A new object, however it is written; at the moment when it would come to be.
  case write(ObjectLocation, size: Int64)
  case delete(ObjectLocation, etag: String?)
  /// A look at the uploads under way.
  case uploads(ObjectLocation)
  case abandon(ObjectLocation, upload: String)

  package var isHead: Bool { if case .head = self { true } else { false } }
  package var isRead: Bool { if case .read = self { true } else { false } }
  package var isList: Bool { if case .list = self { true } else { false } }
  package var isWrite: Bool { if case .write = self { true } else { false } }
  package var isDelete: Bool { if case .delete = self { true } else { false } }
}

/// Objects in memory behind the ``FileIO`` protocol, with faults on demand. Runs the same conformance suite as S3.
package final class InMemoryFileIO: FileIO {
  struct Object {
    var bytes: [UInt8]
    var etag: String
    var modified: Int64?
    var mark: WriteMark?
  }

  struct State {
    var buckets: [String: [[UInt8]: Object]] = [:]
    /// Keys of a bucket in the order of their bytes; made at a listing, dropped at a change.
    var sortedKeys: [String: [[UInt8]]] = [:]
    var generation = 0
    /// Uploads under way by bucket and key.
    var uploads: [String: [[UInt8]: [PendingUpload]]] = [:]
    var breaks: [(remaining: Int, bytes: Int, error: FileIOError)] = []
  }

  let state = Mutex(State())
  private let pageSize: Int
  private let chunkSize: Int

  /// Failures, gates and the record of calls.
  package let faults = InMemoryFaults<InMemoryFileIOCall, FileIOError>(
    cancellation: FileIOError(code: .cancelled, message: "The call was cancelled."))

  /// - Parameters:
  ///   - buckets: exist from the start; ``put(_:_:modified:isUndated:mark:)`` makes others.
  ///   - pageSize: entries in one page of a listing, 1 to 1,000.
  ///   - chunkSize: the most bytes given to a sink at once.
  package init(buckets: [String] = [], pageSize: Int = 1000, chunkSize: Int = 64 * 1024) {
    self.pageSize = min(max(pageSize, 1), 1000)
    self.chunkSize = max(chunkSize, 1)
    state.withLock { state in
      for bucket in buckets { state.buckets[bucket] = [:] }
    }
  }

  /// Writes an object and makes its bucket. Every write gives a new etag.
  ///
  /// - Parameters:
  ///   - modified: nanoseconds since 1970; by default one second later at every write.
  ///   - isUndated: whether the object has no time at all.
  @discardableResult
  package func put(
    _ location: ObjectLocation, _ bytes: [UInt8], modified: Int64? = nil, isUndated: Bool = false, mark: WriteMark? = nil
  ) -> ObjectAttributes {
    state.withLock { state in
      state.generation += 1
      let object = Object(
        bytes: bytes, etag: "\"etag-\(state.generation)\"",
        modified: isUndated ? nil : modified ?? (1_700_000_000 + Int64(state.generation)) * 1_000_000_000, mark: mark)
      state.buckets[location.bucket, default: [:]][Array(location.key.utf8)] = object
      state.sortedKeys[location.bucket] = nil
      return ObjectAttributes(location: location, size: Int64(bytes.count), etag: object.etag, modified: object.modified)
    }
  }

  /// What an object holds; nil if there is none. No call is recorded.
  package func bytes(_ location: ObjectLocation) -> [UInt8]? {
    state.withLock { $0.buckets[location.bucket]?[Array(location.key.utf8)]?.bytes }
  }

  package func delete(_ location: ObjectLocation) {
    state.withLock { state in
      state.buckets[location.bucket]?[Array(location.key.utf8)] = nil
      state.sortedKeys[location.bucket] = nil
    }
  }

  /// The next `reads` reads give the sink only `bytes` bytes and then fail.
  package func breakReads(after bytes: Int, next reads: Int = 1, with error: FileIOError) {
    state.withLock { $0.breaks.append((reads, bytes, error)) }
  }

  package func head(_ location: ObjectLocation) async throws(FileIOError) -> ObjectAttributes {
    try await faults.enter(.head(location))
    guard let object = state.withLock({ $0.buckets[location.bucket]?[Array(location.key.utf8)] }) else {
      throw Self.missing(location)
    }
    return ObjectAttributes(location: location, size: Int64(object.bytes.count), etag: object.etag, modified: object.modified)
  }

  package func read(
    _ location: ObjectLocation, etag: String?, range: Range<Int64>, into sink: any RangeSink
  ) async throws(FileIOError) -> Int64 {
    guard range.lowerBound >= 0 else {
      throw FileIOError(code: .invalid, message: "position is negative: \(range.lowerBound)")
    }
    if range.isEmpty { return 0 }
    try await faults.enter(.read(location, etag: etag, range: range))
    let (bucket, object) = state.withLock { ($0.buckets[location.bucket], $0.buckets[location.bucket]?[Array(location.key.utf8)]) }
    guard bucket != nil else { throw Self.missing(bucket: location.bucket) }
    guard let object else {
      guard etag == nil else { throw Self.changed(location) }
      throw Self.missing(location)
    }
    if let etag, etag != object.etag { throw Self.changed(location) }
    let end = Int(min(range.upperBound, Int64(object.bytes.count)))
    let start = min(Int(range.lowerBound), end)
    sink.begin(etag: object.etag)
    return try deliver(object.bytes[start..<end], to: sink)
  }

  package func list(
    bucket: String, prefix: String, isDirectory: Bool, from position: ListPosition
  ) async throws(FileIOError) -> ObjectListing {
    try await faults.enter(.list(bucket: bucket, prefix: prefix, isDirectory: isDirectory, position: position))
    let prefixBytes = Array(prefix.utf8)
    let found = state.withLock { state -> (keys: [[UInt8]], objects: [[UInt8]: Object])? in
      guard let objects = state.buckets[bucket] else { return nil }
      let keys = state.sortedKeys[bucket] ?? objects.keys.sorted { $0.lexicographicallyPrecedes($1) }
      state.sortedKeys[bucket] = keys
      return (keys, objects)
    }
    guard let (keys, objects) = found else { throw Self.missing(bucket: bucket) }
    let (text, isToken) =
      switch position {
      case .start: (prefix, false)
      case .token(let token): (token, true)
      case .key(let key): (key.utf8.lexicographicallyPrecedes(prefix.utf8) ? prefix : key, true)
      }
    let after = Array(text.utf8)
    var index = Self.firstIndex(in: keys) { !$0.lexicographicallyPrecedes(after) }
    var listing = ObjectListing(objects: [], prefixes: [], next: nil)
    while index < keys.count, keys[index].starts(with: prefixBytes) {
      let key = keys[index]
      index += 1
      var group: [UInt8]?
      if isDirectory, let end = key[prefixBytes.count...].firstIndex(of: UInt8(ascii: "/")) {
        let whole = Array(key[...end])
        index = Self.firstIndex(in: keys) { whole.lexicographicallyPrecedes($0) && !$0.starts(with: whole) }
        group = whole
      }
      if isToken, (group ?? key) == after { continue }
      guard listing.objects.count + listing.prefixes.count < pageSize else { return listing }
      listing.next = String(decoding: group ?? key, as: UTF8.self)
      if let group {
        listing.prefixes.append(String(decoding: group, as: UTF8.self))
      } else if let object = objects[key] {
        listing.objects.append(
          ObjectAttributes(
            location: ObjectLocation(bucket: bucket, key: String(decoding: key, as: UTF8.self)), size: Int64(object.bytes.count),
            etag: object.etag, modified: object.modified))
      }
    }
    listing.next = nil
    return listing
  }

  package func location(_ text: String) throws(FileIOError) -> ObjectLocation {
    let bytes = Array(text.utf8)
    let marks = bytes.indices.filter { bytes[$0...].starts(with: "://".utf8) }
    guard let mark = marks.first, marks.count == 1, mark + 3 < bytes.count else {
      throw FileIOError(code: .invalid, message: "Invalid S3 URI, cannot determine scheme: \(text)")
    }
    let rest = bytes[(mark + 3)...]
    let bucket = rest.prefix { $0 != UInt8(ascii: "/") }
    let key = rest.dropFirst(bucket.count + 1).prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    return ObjectLocation(
      scheme: String(decoding: bytes[..<mark], as: UTF8.self), bucket: String(decoding: bucket, as: UTF8.self),
      key: String(decoding: key, as: UTF8.self))
  }

  private func deliver(_ bytes: ArraySlice<UInt8>, to sink: any RangeSink) throws(FileIOError) -> Int64 {
    let fault = state.withLock { state -> (bytes: Int, error: FileIOError)? in
      guard let index = state.breaks.firstIndex(where: { $0.remaining > 0 }) else { return nil }
      state.breaks[index].remaining -= 1
      return (state.breaks[index].bytes, state.breaks[index].error)
    }
    let allowed = fault.map { bytes.prefix($0.bytes) } ?? bytes
    var delivered: Int64 = 0
    var next = allowed.startIndex
    while next < allowed.endIndex {
      let chunk = allowed[next..<min(next + chunkSize, allowed.endIndex)]
      guard chunk.withUnsafeBytes({ sink.receive($0) }) else { return delivered }
      delivered += Int64(chunk.count)
      next = chunk.endIndex
    }
    if let fault { throw fault.error }
    return delivered
  }

  /// The first index whose key satisfies a condition that holds for all keys from some place on.
  private static func firstIndex(in keys: [[UInt8]], where holds: ([UInt8]) -> Bool) -> Int {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if holds(keys[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  static func missing(_ location: ObjectLocation) -> FileIOError {
    FileIOError(code: .notFound, message: "Location does not exist: \(location)")
  }

  static func missing(bucket: String) -> FileIOError {
    FileIOError(code: .failed, message: "s3://\(bucket): the bucket '\(bucket)' does not exist.")
  }

  static func changed(_ location: ObjectLocation) -> FileIOError {
    FileIOError(code: .changed, message: "\(location) was replaced or deleted after it was opened.")
  }
}
