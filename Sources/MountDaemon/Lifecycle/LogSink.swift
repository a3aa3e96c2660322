// SPDX-License-Identifier: Apache-2.0

import CLinux
import Fuse
import Glibc
import Processes

/// Where log lines go: standard error, a file or the journal, one system call a line, so that lines of several threads and processes never mix.
package final class LogSink: Sendable {
  private enum Target: Sendable {
    case standardError
    /// The descriptor stays the same when the file is opened anew.
    case file(Int32, path: String)
    case journal(JournalSocket)
  }

  private let target: Target

  /// Standard error.
  package init() {
    target = .standardError
  }

  /// Appends to a file, made with mode 0600 (paths of tables may be private) if absent.
  package init(path: String) throws(LifecycleError) {
    target = .file(try Self.open(path), path: path)
  }

  init(journal: JournalSocket) {
    target = .journal(journal)
  }

  deinit {
    if case .file(let descriptor, _) = target { close(descriptor) }
  }

  /// Of the open log file; stays the sink's. Nil if there is none.
  package var file: Int32? {
    if case .file(let descriptor, _) = target { descriptor } else { nil }
  }

  /// Whether lines are entries of the journal.
  var isJournal: Bool {
    if case .journal = target { true } else { false }
  }

  /// Opens the log file anew, as whoever rotates it wants it; does nothing without one. On an error the old file goes on.
  func reopen() throws(LifecycleError) {
    guard case .file(let descriptor, let path) = target else { return }
    let new = try Self.open(path)
    defer { close(new) }
    // Whatever shares the old file follows: the daemon's standard output and error.
    let shared = [STDOUT_FILENO, STDERR_FILENO].filter { Self.isSame($0, descriptor) }
    for number in [descriptor] + shared { _ = bergfs_duplicate(new, number, number > STDERR_FILENO) }
  }

  func write(_ line: [UInt8]) {
    let descriptor: Int32
    switch target {
    case .journal(let journal): return journal.send(line)
    case .standardError: descriptor = STDERR_FILENO
    case .file(let number, _): descriptor = number
    }
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

  private static func open(_ path: String) throws(LifecycleError) -> Int32 {
    let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw LifecycleError(.system, "cannot write the log file \(path): \(SystemError.text(errno))") }
    return descriptor
  }

  private static func isSame(_ first: Int32, _ second: Int32) -> Bool {
    var (one, other) = (stat(), stat())
    return fstat(first, &one) == 0 && fstat(second, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino
  }
}
