// SPDX-License-Identifier: Apache-2.0

/// What a setattr is to change; nil leaves the attribute as it is. All nil: nothing that a filesystem keeps (a bare change of ctime).
package struct FuseAttributeChanges: Sendable, Hashable {
  /// Permission bits, with setuid, setgid and sticky.
  package var mode: UInt16?
  package var uid: UInt32?
  package var gid: UInt32?
  /// Bytes: truncate(2), ftruncate(2). O_TRUNC comes in the flags of open and create instead.
  package var size: Int64?
  /// Nanoseconds since 1970; UTIME_NOW is resolved to the clock's time.
  package var modified: Int64?
  /// Nanoseconds since 1970; UTIME_NOW is resolved to the clock's time.
  package var accessed: Int64?

  package init(
    mode: UInt16? = nil, uid: UInt32? = nil, gid: UInt32? = nil, size: Int64? = nil, modified: Int64? = nil, accessed: Int64? = nil
  ) {
    self.mode = mode
    self.uid = uid
    self.gid = gid
    self.size = size
    self.modified = modified
    self.accessed = accessed
  }
}
