// SPDX-License-Identifier: Apache-2.0

import Glibc
import Processes

/// Reads a shared AWS file at mount; blocks, as such files are small and local.
package enum SharedFileReader {
  /// Larger files are refused: 4 MiB is far above any real one.
  private static let limit = 4 << 20

  /// The file's bytes; nil if it does not exist. Any other failure is an error with the system's words.
  package static func read(_ path: String) throws(AWSError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure(path)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      var failed = false
      let chunk = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
        let received = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        failed = received < 0
        count = max(0, received)
      }
      if failed {
        if errno == EINTR { continue }
        throw failure(path)
      }
      if chunk.isEmpty { return bytes }
      bytes += chunk
    }
    throw .configuration("\(path) is larger than 4 MiB: not an AWS configuration file")
  }

  private static func failure(_ path: String) -> AWSError {
    .configuration("\(path) cannot be read: \(SystemError.text(errno))")
  }
}
