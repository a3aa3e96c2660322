// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc

/// Where log lines go: standard error or a file, one write(2) a line, so that lines of several threads and processes never mix.
package final class LogSink: Sendable {
  /// Of the open file; stays the sink's.
  package let descriptor: Int32
  private let isOwned: Bool

  /// Standard error.
  package init() {
    descriptor = STDERR_FILENO
    isOwned = false
  }

  /// Appends to a file, made with mode 0600 (paths of tables may be private) if absent.
  package init(path: String) throws(LifecycleError) {
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    isOwned = true
    guard descriptor >= 0 else { throw LifecycleError(.system, "cannot write the log file \(path): \(Errno.text(errno))") }
  }

  deinit {
    if isOwned, descriptor >= 0 { close(descriptor) }
  }

  func write(_ line: [UInt8]) {
    var rest = line[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        // A full disk or a closed terminal must not stop the mount.
        guard errno == EINTR else { return }
      } else {
        rest = rest.dropFirst(count)
      }
    }
  }
}
