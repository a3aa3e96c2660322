// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Reads a small object whole.
enum ObjectReader {
  /// Collects the bytes of one read, up to a limit.
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
    guard attributes.size <= limit else { throw tooLarge(location, limit) }
    return try await read(attributes, from: files)
  }

  /// Reads with one request, without asking for the size first.
  ///
  /// - Parameter limit: bytes; a larger object is an error of code `invalid`.
  static func readAll(_ location: ObjectLocation, limit: Int64, from files: any FileIO) async throws(FileIOError) -> [UInt8] {
    let collector = Collector(limit: Int(limit) + 1)
    let count = try await files.read(location, etag: nil, range: 0..<limit + 1, into: collector)
    guard count <= limit else { throw tooLarge(location, limit) }
    return collector.take()
  }

  /// The attributes of an object that holds exactly these bytes; nil if it does not, or there is none.
  static func attributes(
    of location: ObjectLocation, ifEqualTo bytes: [UInt8], from files: any FileIO
  ) async throws(FileIOError) -> ObjectAttributes? {
    do throws(FileIOError) {
      let attributes = try await files.head(location)
      guard attributes.size == Int64(bytes.count) else { return nil }
      return try await read(attributes, from: files) == bytes ? attributes : nil
    } catch {
      if error.code == .notFound || error.code == .changed { return nil }
      throw error
    }
  }

  private static func read(_ attributes: ObjectAttributes, from files: any FileIO) async throws(FileIOError) -> [UInt8] {
    guard attributes.size > 0 else { return [] }
    let collector = Collector(limit: Int(attributes.size))
    _ = try await files.read(attributes.location, etag: attributes.etag, range: 0..<attributes.size, into: collector)
    return collector.take()
  }

  private static func tooLarge(_ location: ObjectLocation, _ limit: Int64) -> FileIOError {
    FileIOError(code: .invalid, message: "\(location) has more than \(limit) bytes")
  }
}
