// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// The first bytes of an existing object, taken by reference: exactly the version that its etag names.
struct ReferencedContent: ObjectContent {
  /// Bytes read at once where the content has to come here after all: a request costs as much as some megabytes.
  static let chunk: Int64 = 8 << 20

  let source: ObjectAttributes
  let files: any WritableFileIO
  /// Bytes of the source that count.
  var size: Int64

  var isWhole: Bool { size == source.size }

  func isSameVersion(as other: ObjectAttributes) -> Bool {
    source.location == other.location && source.etag == other.etag && source.size == other.size
  }

  /// - Throws: `changed` if the version is gone.
  func bytes(_ range: Range<Int64>) async throws(FileIOError) -> [UInt8] {
    let sink = CollectingSink(capacity: range.count)
    _ = try await files.read(source.location, etag: source.etag, range: range, into: sink)
    let bytes = sink.take()
    guard bytes.count == range.count else {
      throw FileIOError(
        code: .failed,
        message: "\(source.location): \(bytes.count) bytes came instead of the \(range.count) from byte \(range.lowerBound) on.")
    }
    return bytes
  }
}

/// Keeps what it gets.
private final class CollectingSink: RangeSink {
  private let bytes: Mutex<[UInt8]>

  init(capacity: Int) {
    var empty: [UInt8] = []
    empty.reserveCapacity(capacity)
    bytes = Mutex(empty)
  }

  func receive(_ part: UnsafeRawBufferPointer) -> Bool {
    bytes.withLock { $0.append(contentsOf: part) }
    return true
  }

  func take() -> [UInt8] {
    bytes.withLock { bytes in
      defer { bytes = [] }
      return bytes
    }
  }
}
