// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc

/// A filesystem of one empty directory.
struct EmptyFileSystem: FuseFileSystem {
  func lookup(parent: UInt64, name: [UInt8]) async throws(Errno) -> FuseEntry { throw Errno(rawValue: ENOENT) }

  func forget(inode: UInt64, count: UInt64) {}

  func attributes(inode: UInt64) async throws(Errno) -> (FuseAttributes, Double) {
    (FuseAttributes(inode: inode, kind: .directory, mode: 0o555, size: 0, modified: 0, uid: getuid(), gid: getgid()), 60)
  }

  func readlink(inode: UInt64) async throws(Errno) -> [UInt8] { throw Errno(rawValue: EINVAL) }

  func open(inode: UInt64, flags: Int32, caller: FuseCaller) async throws(Errno) -> FuseOpened { throw Errno(rawValue: EISDIR) }

  func read(inode: UInt64, handle: UInt64, offset: Int64, size: Int) async throws(Errno) -> FuseData { throw Errno(rawValue: EBADF) }

  func release(inode: UInt64, handle: UInt64) {}

  func openDirectory(inode: UInt64) async throws(Errno) -> FuseOpened { FuseOpened(handle: 1) }

  func readDirectory(inode: UInt64, handle: UInt64, cookie: UInt64, into reply: any FuseDirectoryReply) async throws(Errno) {}

  func releaseDirectory(inode: UInt64, handle: UInt64) {}

  func statistics() async throws(Errno) -> FuseStatistics {
    FuseStatistics(blockSize: 4096, blocks: 1, freeBlocks: 1, files: 1, freeFiles: 1, nameLength: 255)
  }
}
