// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What a filesystem that never changes answers: EROFS to every change, success to flush and fsync, which have nothing to do there. Only a copy
/// between files is EOPNOTSUPP: then the kernel copies by reads and writes, which a writable filesystem without this operation wants.
extension FuseFileSystem {
  package func create(
    parent: UInt64, name: [UInt8], mode: UInt16, flags: Int32, caller: FuseCaller
  ) async throws(Errno) -> (FuseEntry, FuseOpened) {
    throw Errno(rawValue: EROFS)
  }

  package func write(inode: UInt64, handle: UInt64, offset: Int64, bytes: [UInt8]) async throws(Errno) {
    throw Errno(rawValue: EROFS)
  }

  package func isReadOnly(directory inode: UInt64) -> Bool { false }

  package func flush(inode: UInt64, handle: UInt64, caller: FuseCaller) async throws(Errno) {}

  package func fsync(inode: UInt64, handle: UInt64, caller: FuseCaller) async throws(Errno) {}

  package func setAttributes(
    inode: UInt64, handle: UInt64?, changes: FuseAttributeChanges, caller: FuseCaller
  ) async throws(Errno) -> (FuseAttributes, Double) {
    throw Errno(rawValue: EROFS)
  }

  package func makeDirectory(parent: UInt64, name: [UInt8], mode: UInt16, caller: FuseCaller) async throws(Errno) -> FuseEntry {
    throw Errno(rawValue: EROFS)
  }

  package func removeDirectory(parent: UInt64, name: [UInt8], caller: FuseCaller) async throws(Errno) {
    throw Errno(rawValue: EROFS)
  }

  package func unlink(parent: UInt64, name: [UInt8], caller: FuseCaller) async throws(Errno) {
    throw Errno(rawValue: EROFS)
  }

  package func rename(
    parent: UInt64, name: [UInt8], newParent: UInt64, newName: [UInt8], flags: FuseRenameFlags, caller: FuseCaller
  ) async throws(Errno) {
    throw Errno(rawValue: EROFS)
  }

  package func copyRange(
    source: (inode: UInt64, handle: UInt64, offset: Int64), destination: (inode: UInt64, handle: UInt64, offset: Int64), count: Int
  ) async throws(Errno) -> Int {
    throw Errno(rawValue: EOPNOTSUPP)
  }
}
