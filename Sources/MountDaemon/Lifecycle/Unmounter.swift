// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import WireFormats

/// `bergfs umount`: takes a mount away and waits until its daemon has ended.
package struct Unmounter: Sendable {
  /// How long to wait for the daemon after the mount is gone: commits and uploads in flight get so much time.
  package static let patience = Duration.seconds(60)

  package enum Outcome: Sendable, Hashable {
    /// Unmounted, and the daemon (if its pid was known) has ended.
    case unmounted
    /// A mount whose daemon had died was cleared.
    case clearedDeadMount
  }

  /// Unmounts. Blocks up to ``patience``: never on the cooperative pool.
  ///
  /// - Parameter path: the mountpoint as the user wrote it.
  /// - Throws: `notMounted`, `busy` (with the processes that hold it), `daemon` if the daemon outlives the patience.
  package static func unmount(_ path: String, patience: Duration = Self.patience) throws(LifecycleError) -> Outcome {
    let (resolved, failure) = CanonicalPath.resolve(path)
    guard let resolved else {
      throw LifecycleError(.notMounted, failure == ENOENT ? "\(path) does not exist" : "\(path) cannot be used: \(Errno.text(failure))")
    }
    guard let mount = MountTable.current().mount(at: resolved.text) else {
      throw LifecycleError(.notMounted, "\(resolved.text) is not a mount point")
    }
    guard mount.type == Mountpoint.filesystemType else {
      throw LifecycleError(.notMounted, "\(resolved.text) is a \(mount.type) mount, not one of bergfs: use umount")
    }
    if resolved.errorNumber == ENOTCONN {
      try detach(resolved.text, lazily: true, daemon: nil)
      return .clearedDeadMount
    }
    let process = daemonProcess(of: resolved.text)
    let daemon = process.flatMap { ProcessDescriptor($0) }
    try detach(resolved.text, lazily: false, daemon: process)
    guard daemon?.waitForEnd(patience) ?? true else {
      throw LifecycleError(
        .daemon, "\(resolved.text) is unmounted, but its daemon (pid \(process ?? 0)) still runs after \(patience.components.seconds) s")
    }
    return .unmounted
  }

  private static func detach(_ path: String, lazily: Bool, daemon: pid_t?) throws(LifecycleError) {
    do throws(FuseError) {
      try Unmounting.unmount(path, lazily: lazily)
    } catch {
      switch error.code {
      case .busy:
        var excluded: Set<pid_t> = [getpid()]
        if let daemon { excluded.insert(daemon) }
        throw LifecycleError(.busy, "\(path) is busy, held by \(MountHolders.find(path, excluding: excluded).description)")
      case .notMounted: throw LifecycleError(.notMounted, error.message)
      case .noDevice, .refused, .broken: throw LifecycleError(.system, error.message)
      }
    }
  }

  /// The daemon's pid as the mount itself tells it; nil if it does not, or if there is no such process (a pid of another namespace).
  private static func daemonProcess(of path: String) -> pid_t? {
    guard let bytes = SmallFile.read("\(path)/.bergfs/status.json"), let process = processIdentifier(inStatus: bytes) else { return nil }
    return kill(process, 0) == 0 || errno == EPERM ? process : nil
  }

  /// The member `pid` of a status document.
  static func processIdentifier(inStatus bytes: [UInt8]) -> pid_t? {
    do throws(JSONError) {
      guard let number = try JSONDocument(parsing: bytes).root["pid"]?.int64, let process = pid_t(exactly: number), process > 1 else {
        return nil
      }
      return process
    } catch {
      return nil
    }
  }
}
