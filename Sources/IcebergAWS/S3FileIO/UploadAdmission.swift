// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// Gives uploads their memory so that those who wait for some never hold what others wait for.
///
/// A whole part is reserved before its first byte, by a writer that holds nothing but parts in flight, which end by themselves. The one exception is
/// a small first piece, so that many small files do not each take a part's memory: all such pieces together take a quarter of the memory
/// at the most, and so leave room for whoever waits for a part.
final class UploadAdmission: Sendable {
  /// Bytes: the largest write of the kernel.
  static let smallPiece = 1 << 20

  let memory: any UploadMemory
  private let smallBytes = Mutex(0)

  init(memory: any UploadMemory) {
    self.memory = memory
  }

  /// Bytes of the largest part: three of them fit beside the small pieces.
  var largestPart: Int { memory.limit / 4 }

  /// Whether one more small piece may be held; each goes back through ``endSmallPiece()``.
  func admitSmallPiece() -> Bool {
    let limit = memory.limit / 4
    return smallBytes.withLock { bytes in
      guard bytes + Self.smallPiece <= limit else { return false }
      bytes += Self.smallPiece
      return true
    }
  }

  func endSmallPiece() {
    smallBytes.withLock { $0 -= Self.smallPiece }
  }

  func reserve(_ bytes: Int, for location: ObjectLocation) async throws(FileIOError) {
    guard bytes > 0 else { return }
    guard await memory.reserve(bytes) else {
      if Task.isCancelled { throw FileIOError(code: .cancelled, message: "\(location): the upload was cancelled.") }
      throw FileIOError(
        code: .failed, message: "\(location): a piece of \(bytes) bytes does not fit the memory for uploads (\(memory.limit) bytes).")
    }
  }
}
