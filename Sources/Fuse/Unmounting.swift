// SPDX-License-Identifier: Apache-2.0

import Glibc
import Processes

/// Taking a mount away: umount2(2) as root, `fusermount3 -u` for others.
package enum Unmounting {
  /// Unmounts what is mounted at a path. Blocks, and may ask the mounted filesystem: never on the cooperative pool.
  ///
  /// - Parameters:
  ///   - path: absolute, without symbolic links.
  ///   - lazily: detaches it from the tree at once even if files are open; they stay readable as long as the daemon runs.
  /// - Throws: `busy` (EBUSY), `notMounted` (EINVAL, ENOENT), `refused` for everything else.
  package static func unmount(_ path: String, lazily: Bool) throws(FuseError) {
    if geteuid() == 0 {
      // UMOUNT_NOFOLLOW: the path has been resolved, a link put there since is not followed.
      let flags = Int32(UMOUNT_NOFOLLOW) | (lazily ? Int32(MNT_DETACH) : 0)
      guard umount2(path, flags) != 0 else { return }
      throw error(errno, path)
    }
    let result = ChildProcess.run("fusermount3", [lazily ? "-uz" : "-u", "--", path])
    guard result.status != 0 else { return }
    let reason = result.errors.split(separator: "\n").last.map(String.init) ?? "exit status \(result.status)"
    if MountTable.current().mount(at: path) == nil { throw error(EINVAL, path) }
    // fusermount3 has one exit status for everything, so its words decide.
    if reason.contains("busy") { throw error(EBUSY, path) }
    throw FuseError(.refused, "cannot unmount \(path): \(reason)", errno: EPERM)
  }

  private static func error(_ number: Int32, _ path: String) -> FuseError {
    switch number {
    case EBUSY: FuseError(.busy, "\(path) is busy", errno: number)
    case EINVAL, ENOENT: FuseError(.notMounted, "\(path) is not a mount point", errno: number)
    default: FuseError(.refused, "cannot unmount \(path): \(SystemError.text(number))", errno: number)
    }
  }
}
