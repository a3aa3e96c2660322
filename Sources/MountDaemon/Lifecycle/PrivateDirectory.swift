// SPDX-License-Identifier: Apache-2.0

import CLinux
import Fuse
import Glibc
import Processes

/// What is asked of a directory that holds what nobody else may see or change.
struct PrivateDirectory: Sendable {
  /// For messages: `staging directory`.
  var kind: String
  /// For messages: what to do instead.
  var advice: String
  /// For messages: what other users could do in it.
  var danger: String
  var user: UInt32

  /// Makes the directory unless it is there, mode 0700, and checks it. Blocks a moment.
  ///
  /// - Throws: `system` if it cannot be made, is a symbolic link, or is not the user's alone.
  func make(_ path: String) throws(LifecycleError) {
    if mkdir(path, 0o700) != 0, errno != EEXIST { throw unmakeable(path, errno) }
    // The directory itself is looked at, not a name that may lead elsewhere a moment later.
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else {
      guard errno != ELOOP, errno != ENOTDIR else {
        throw LifecycleError(.system, "the \(kind) \(path) is a symbolic link or no directory; \(advice)")
      }
      throw unusable(path, errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw unusable(path, errno) }
    guard status.st_uid == user else {
      throw LifecycleError(.system, "the \(kind) \(path) belongs to user \(status.st_uid), who \(danger); \(advice)")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw LifecycleError(.system, "the \(kind) \(path) is open to other users: run chmod 700 \(path), or \(advice)")
    }
  }

  func unmakeable(_ path: String, _ number: Int32) -> LifecycleError {
    LifecycleError(.system, "the \(kind) \(path) cannot be made: \(SystemError.text(number)); \(advice)")
  }

  func unusable(_ path: String, _ number: Int32) -> LifecycleError {
    LifecycleError(.system, "the \(kind) \(path) cannot be used: \(SystemError.text(number)); \(advice)")
  }
}
