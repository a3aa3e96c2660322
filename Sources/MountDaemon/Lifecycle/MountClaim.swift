// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Logging

/// Keeps other commands from mounting at the same place while one does, for as long as it lives.
///
/// Between the check that nothing is mounted and the mount lies a moment in which a second command would pass the same check, and its mount
/// would hide the first. A lock on the directory itself needs no file of its own and goes with the process.
final class MountClaim: Sendable {
  private let descriptor: Int32

  /// Claims a checked place, and checks it again. Blocks: never on the cooperative pool.
  ///
  /// - Throws: `alreadyMounted` if another command is mounting there, or has mounted since the first check.
  init(_ mountpoint: Mountpoint, logger: Logger) throws(LifecycleError) {
    descriptor = open(mountpoint.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A filesystem that cannot lock directories leaves only the second check.
    if descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      throw LifecycleError(.alreadyMounted, "another command is mounting at \(mountpoint.path): choose another directory")
    }
    _ = try Mountpoint.prepare(mountpoint.path, logger: logger)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }
}
