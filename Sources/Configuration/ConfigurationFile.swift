// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Small files that people write.
package enum ConfigurationFile {
  /// Bytes; more is no configuration.
  private static let sizeLimit = 4 << 20

  /// The bytes of a file; nil if there is none of that name, or it is a directory.
  package static func contents(_ path: String) throws(ConfigurationError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code = errno
      if code == ENOENT || code == ENOTDIR { return nil }
      throw failure(path, code)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      guard count > 0 else {
        let code = errno
        if code == EINTR { continue }
        if code == EISDIR { return nil }
        throw failure(path, code)
      }
      bytes += chunk[..<count]
      guard bytes.count <= sizeLimit else { throw ConfigurationError(.unreadable, "\(path): larger than 4 MiB") }
    }
  }

  private static func failure(_ path: String, _ code: Int32) -> ConfigurationError {
    ConfigurationError(.unreadable, "\(path): \(String(cString: strerror(code)))")
  }
}
