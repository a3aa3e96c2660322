// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Fuse

/// What changes something.
extension CatalogFuseFileSystem {
  func isReadOnly(directory inode: UInt64) -> Bool {
    filesystem.isView(inode: inode)
  }

  func create(
    parent: UInt64, name: [UInt8], mode: UInt16, flags: Int32, caller: FuseCaller
  ) async throws(Errno) -> (FuseEntry, FuseOpened) {
    do throws(FilesystemError) {
      let (entry, opened) = try await filesystem.create(parent: parent, name: name, mode: mode, flags: flags, thread: caller.thread)
      return (fuseEntry(entry), fuseOpened(opened))
    } catch {
      throw failure(error, "create", inode: parent, name: EntryName(name))
    }
  }

  func write(inode: UInt64, handle: UInt64, offset: Int64, bytes: [UInt8]) async throws(Errno) {
    do throws(FilesystemError) {
      try await filesystem.write(handle: handle, offset: offset, bytes: bytes)
    } catch {
      throw failure(error, "write", inode: inode)
    }
  }

  func flush(inode: UInt64, handle: UInt64, caller: FuseCaller) async throws(Errno) {
    do throws(FilesystemError) {
      try await filesystem.flush(handle: handle, thread: caller.thread)
    } catch {
      throw failure(error, "close", inode: inode)
    }
  }

  func fsync(inode: UInt64, handle: UInt64, caller: FuseCaller) async throws(Errno) {
    do throws(FilesystemError) {
      try await filesystem.fsync(handle: handle, thread: caller.thread)
    } catch {
      throw failure(error, "fsync", inode: inode)
    }
  }

  func setAttributes(
    inode: UInt64, handle: UInt64?, changes: FuseAttributeChanges, caller: FuseCaller
  ) async throws(Errno) -> (FuseAttributes, Double) {
    do throws(FilesystemError) {
      let (attributes, lifetime) = try await filesystem.setAttributes(
        inode: inode, mode: changes.mode, size: changes.size, modified: changes.modified)
      return (fuseAttributes(attributes), Self.seconds(lifetime))
    } catch {
      throw failure(error, "setattr", inode: inode)
    }
  }

  func makeDirectory(parent: UInt64, name: [UInt8], mode: UInt16, caller: FuseCaller) async throws(Errno) -> FuseEntry {
    do throws(FilesystemError) {
      return fuseEntry(try await filesystem.makeDirectory(parent: parent, name: name))
    } catch {
      throw failure(error, "mkdir", inode: parent, name: EntryName(name))
    }
  }

  func removeDirectory(parent: UInt64, name: [UInt8], caller: FuseCaller) async throws(Errno) {
    do throws(FilesystemError) {
      try await filesystem.removeDirectory(parent: parent, name: name)
    } catch {
      throw failure(error, "rmdir", inode: parent, name: EntryName(name))
    }
  }

  func unlink(parent: UInt64, name: [UInt8], caller: FuseCaller) async throws(Errno) {
    do throws(FilesystemError) {
      try await filesystem.unlink(parent: parent, name: name)
    } catch {
      throw failure(error, "unlink", inode: parent, name: EntryName(name))
    }
  }

  func rename(
    parent: UInt64, name: [UInt8], newParent: UInt64, newName: [UInt8], flags: FuseRenameFlags, caller: FuseCaller
  ) async throws(Errno) {
    do throws(FilesystemError) {
      try await filesystem.rename(
        parent: parent, name: name, newParent: newParent, newName: newName, isExchange: flags.contains(.exchange))
    } catch {
      throw failure(error, "rename", inode: newParent, name: EntryName(newName))
    }
  }

  func copyRange(
    source: (inode: UInt64, handle: UInt64, offset: Int64), destination: (inode: UInt64, handle: UInt64, offset: Int64), count: Int
  ) async throws(Errno) -> Int {
    do throws(FilesystemError) {
      return try await filesystem.copyRange(
        from: source.handle, at: source.offset, to: destination.handle, at: destination.offset, count: count)
    } catch {
      throw failure(error, "copy_file_range", inode: destination.inode)
    }
  }
}
