// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc

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
