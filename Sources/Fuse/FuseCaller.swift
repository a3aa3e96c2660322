// SPDX-License-Identifier: Apache-2.0

/// Who asks, as the header of the request has it.
package struct FuseCaller: Sendable, Hashable {
  /// The caller's thread, not its process, in our own process namespace; 0 where the kernel itself asks or the caller lives in a namespace
  /// that we do not see. ``CallerProcess`` finds the process.
  package var thread: Int32
  /// The caller's filesystem user, in our own user namespace.
  package var uid: UInt32
  /// The caller's filesystem group.
  package var gid: UInt32

  package init(thread: Int32, uid: UInt32, gid: UInt32) {
    self.thread = thread
    self.uid = uid
    self.gid = gid
  }
}
