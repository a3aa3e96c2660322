// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Reads a small object whole.
enum ObjectReader {
  /// Collects the bytes of one read, up to what the object's attributes promised.
  private final class Collector: RangeSink {
    private let bytes = Mutex<[UInt8]>([])
    private let limit: Int

    init(limit: Int) {
      self.limit = limit
    }

    func receive(_ part: UnsafeRawBufferPointer) -> Bool {
      bytes.withLock { bytes in
        bytes.append(contentsOf: part.prefix(limit - bytes.count))
        return bytes.count < limit
      }
    }

    func take() -> [UInt8] { bytes.withLock { $0 } }
  }

  /// - Parameter limit: bytes; a larger object is an error of code `invalid`.
  static func read(_ location: ObjectLocation, limit: Int64, from files: any FileIO) async throws(FileIOError) -> [UInt8] {
    let attributes = try await files.head(location)
    guard attributes.size <= limit else {
      throw FileIOError(code: .invalid, message: "\(location) has \(attributes.size) bytes, more than \(limit)")
    }
    guard attributes.size > 0 else { return [] }
    let collector = Collector(limit: Int(attributes.size))
    _ = try await files.read(location, etag: attributes.etag, range: 0..<attributes.size, into: collector)
    return collector.take()
  }
}
