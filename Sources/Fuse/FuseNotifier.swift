// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc
import Processes

/// Tells the kernel to forget what it has cached.
///
/// The kernel takes the directory's lock for an entry, so the call waits for requests under way in that directory: never await it from within a
/// CREATE, MKDIR, RMDIR, UNLINK or RENAME there, which would wait for itself. A task that such a request starts or wakes before its answer may
/// await it: it waits for that answer, and no longer. An inode's waits for reads of its pages only. Each call runs on a thread of its own, so
/// that waiting never blocks the cooperative pool. Sendable; the session lives as long as a notifier does. Source: spec/kernel.md.
package struct FuseNotifier: Sendable {
  let bridge: FuseBridge

  /// Forgets the entry `name` of a directory, positive or negative.
  ///
  /// - Returns: nil if it was done or the kernel did not know the entry; else why not.
  @discardableResult
  package func invalidateEntry(parent: UInt64, name: [UInt8]) async -> Errno? {
    await notify { session in
      withCString(name) { fuse_lowlevel_notify_inval_entry(session, parent, $0, name.count) }
    }
  }

  /// Forgets the attributes and the cached pages (for a directory, the cached listing) of inodes.
  ///
  /// - Returns: nil if it was done or the kernel did not know an inode; else why the first of those not done was not.
  @discardableResult
  package func invalidateInodes(_ inodes: [UInt64]) async -> Errno? {
    await notify { session in
      let results = inodes.map { fuse_lowlevel_notify_inval_inode(session, $0, 0, 0) }
      return results.first { $0 != 0 && $0 != -ENOENT } ?? 0
    }
  }

  /// Asks the kernel to let go of inodes with the pages it has of them; what is in use stays. FORGET tells which went.
  ///
  /// Linux 6.18 and later take whole batches and no lock. Earlier ones are told to forget the entries one by one, by the way of
  /// ``invalidateEntry(parent:name:)``: the kernel then lets go of the inodes by itself.
  /// - Returns: nil if it was done; else why not.
  @discardableResult
  package func drop(_ inodes: [(inode: UInt64, parent: UInt64, name: [UInt8])]) async -> Errno? {
    await notify { session in
      var rest = inodes[...]
      while !rest.isEmpty {
        let batch = rest.prefix(Self.batchSize)
        let result = Self.prune(session, batch.map(\.inode))
        guard result == 0 else {
          guard result == -EINVAL else { return result }
          for entry in rest {
            let result = withCString(entry.name) { fuse_lowlevel_notify_inval_entry(session, entry.parent, $0, entry.name.count) }
            guard result == 0 || result == -ENOENT else { return result }
          }
          return 0
        }
        rest = rest.dropFirst(batch.count)
      }
      return 0
    }
  }

  /// Inodes told with one notification: the kernel refuses messages longer than a request may be.
  private static let batchSize = 2_048

  /// FUSE_NOTIFY_PRUNE, which libfuse does not know yet. Source: include/uapi/linux/fuse.h of Linux 6.18, `fuse_notify_prune_out`.
  private static func prune(_ session: OpaquePointer, _ inodes: [UInt64]) -> Int32 {
    let code: UInt64 = 9
    let length = UInt64(MemoryLayout<UInt64>.size * (4 + inodes.count))
    // In the kernel's layout: length and code of the message; no request; the count; a spare word; then the inodes.
    let words = [code << 32 | length, 0, UInt64(inodes.count), 0] + inodes
    let written = words.withUnsafeBytes { write(fuse_session_fd(session), $0.baseAddress, $0.count) }
    return written < 0 ? -errno : 0
  }

  private func notify(_ call: @escaping @Sendable (OpaquePointer) -> Int32) async -> Errno? {
    let bridge = bridge
    let result = await NamedThread.run("bergfs-notify") { () -> Int32 in
      guard let session = bridge.current else { return -ENOTCONN }
      return call(session.pointer)
    }
    switch result {
    case .some(0), .some(-ENOENT): return nil
    case .some(let number): return Errno(rawValue: -number)
    case nil: return Errno(rawValue: EAGAIN)
    }
  }
}
