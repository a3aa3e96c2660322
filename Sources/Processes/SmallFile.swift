// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Reads and writes the kernel's small text files (`/proc`, `/sys`), whose sizes are shown as 0.
package enum SmallFile {
  /// Reads a file to its end; nil if it cannot be opened or read, or is longer than `limit` bytes.
  package static func read(_ path: String, limit: Int = 16 << 20) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return read(descriptor: descriptor, limit: limit)
  }

  /// Reads an open file from its position to its end; the caller keeps the descriptor.
  package static func read(descriptor: Int32, limit: Int = 16 << 20) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      guard let chunk = Pipe.readChunk(descriptor) else { return nil }
      if chunk.isEmpty { return bytes }
      bytes += chunk
    }
    return nil
  }

  /// Writes a text in one call; the error number, 0 for success.
  package static func write(_ text: String, to path: String) -> Int32 {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    var text = text
    let written = text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    return written < 0 ? errno : 0
  }
}
