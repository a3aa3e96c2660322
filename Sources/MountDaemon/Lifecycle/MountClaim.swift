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

  /// Looks at a place that is taken, in this rhythm.
  private static let interval: UInt32 = 50_000

  /// Claims a checked place, and checks it again. Blocks: never on the cooperative pool.
  ///
  /// A daemon keeps its claim until it has ended, so what was unmounted while commits and uploads ran is waited for.
  ///
  /// - Parameter patience: how long a place may be taken without a mount on it.
  /// - Throws: `alreadyMounted` if something is mounted there since the first check, or the place stays taken.
  init(_ mountpoint: Mountpoint, patience: Duration = Unmounter.patience + .seconds(5), logger: Logger) throws(LifecycleError) {
    descriptor = open(mountpoint.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    let end = ContinuousClock.now + patience
    // A filesystem that cannot lock directories leaves only the second check.
    while descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      _ = try Mountpoint.prepare(mountpoint.path, logger: logger)
      guard ContinuousClock.now < end else {
        throw LifecycleError(
          .alreadyMounted, "the daemon of an earlier mount at \(mountpoint.path) is not done: wait for it, or choose another directory")
      }
      usleep(Self.interval)
    }
    _ = try Mountpoint.prepare(mountpoint.path, logger: logger)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }
}
