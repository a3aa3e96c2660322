// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
package import Logging
import Processes

/// A directory on which a catalog can be mounted.
package struct Mountpoint: Sendable, Hashable {
  /// The filesystem type of our mounts in the mount table.
  static let filesystemType = "fuse.bergfs"

  /// Absolute, without symbolic links.
  package let path: String

  /// Checks a directory, and clears a dead mount that a killed daemon left there. Blocks: never on the cooperative pool.
  ///
  /// - Throws: one sentence if it is absent, no directory, not empty, not readable, or mounted already.
  package static func prepare(_ path: String, logger: Logger) throws(LifecycleError) -> Mountpoint {
    guard !path.isEmpty else { throw LifecycleError(.mountpoint, "the mountpoint is empty: give a directory") }
    // A killed daemon may have been mounted over by another one; eight of them is beyond any accident.
    for _ in 0..<8 {
      let (resolved, failure) = CanonicalPath.resolve(path)
      guard let resolved else { throw unusable(path, failure) }
      if let mount = MountTable.current().mount(at: resolved.text), mount.type == "fuse" || mount.type.hasPrefix("fuse.") {
        switch MountAnswer.ask(resolved.text) {
        case .dead:
          try clearDeadMount(resolved.text, type: mount.type, logger: logger)
          continue
        case .silent: throw silent(resolved.text, mount)
        case .status, .refused: try checkMounts(resolved.text, mount)
        }
      }
      guard resolved.errorNumber == 0 else { throw unusable(path, resolved.errorNumber) }
      try checkDirectory(resolved.text)
      return Mountpoint(path: resolved.text)
    }
    throw LifecycleError(.alreadyMounted, "dead mounts at \(path) cannot be cleared: unmount them with umount -l")
  }

  private static func clearDeadMount(_ path: String, type: String, logger: Logger) throws(LifecycleError) {
    guard type == filesystemType else {
      throw LifecycleError(.alreadyMounted, "\(path) is a dead \(type) mount: clear it with umount -l \(path)")
    }
    do throws(FuseError) {
      try Unmounting.unmount(path, lazily: true)
    } catch {
      throw LifecycleError(.alreadyMounted, "\(path) is a dead mount that cannot be cleared: \(error.message)")
    }
    logger.notice("cleared a dead mount that an earlier daemon left", metadata: ["mountpoint": "\(path)"])
  }

  private static func silent(_ path: String, _ mount: MountTable.Entry) -> LifecycleError {
    let daemon = mount.type == filesystemType ? MountedDaemon.find(path) : nil
    return LifecycleError(
      .alreadyMounted,
      "\(path) is mounted already (\(mount.source)) and does not answer: \(MountedDaemon.advice(daemon, path))")
  }

  private static func checkMounts(_ path: String, _ mount: MountTable.Entry) throws(LifecycleError) {
    guard mount.type == filesystemType else { return }
    throw LifecycleError(
      .alreadyMounted, "\(path) is mounted already (\(mount.source)): choose another directory or run bergfs umount \(path)")
  }

  private static func checkDirectory(_ path: String) throws(LifecycleError) {
    guard let directory = opendir(path) else {
      let number = errno
      if number == ENOTDIR { throw LifecycleError(.mountpoint, "mountpoint \(path) is a file: give a directory") }
      throw unusable(path, number)
    }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name != ".", name != ".." else { continue }
      throw LifecycleError(.mountpoint, "mountpoint \(path) is not empty (it holds \(name)): give an empty directory")
    }
  }

  private static func unusable(_ path: String, _ number: Int32) -> LifecycleError {
    switch number {
    case ENOENT: LifecycleError(.mountpoint, "mountpoint \(path) does not exist: create it with mkdir -p")
    case ENOTDIR: LifecycleError(.mountpoint, "mountpoint \(path) lies below a file: give a directory")
    case EACCES, EPERM: LifecycleError(.mountpoint, "mountpoint \(path) cannot be read: \(SystemError.text(number))")
    default: LifecycleError(.mountpoint, "mountpoint \(path) cannot be used: \(SystemError.text(number))")
    }
  }
}
