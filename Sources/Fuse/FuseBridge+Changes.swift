// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc

/// libfuse's callbacks for what changes something. On a read-only mount the kernel answers most of them itself; one that comes through
/// (another mount of the same superblock, a later kernel) is EROFS here, not ENOSYS, which would switch the call off for the whole mount.
extension FuseBridge {
  static func addChanges(_ operations: inout fuse_lowlevel_ops) {
    addWriting(&operations)
    addCopying(&operations)
    addNameChanges(&operations)
    addRenaming(&operations)
    addRefusals(&operations)
  }

  private static func addWriting(_ operations: inout fuse_lowlevel_ops) {
    operations.create = { request, parent, name, mode, info in
      let name = FuseBridge.bytes(name)
      let flags = info?.pointee.flags ?? 0
      FuseBridge.change(request, .create) { fileSystem, request throws(Errno) in
        let (entry, opened) = try await fileSystem.create(
          parent: parent, name: name, mode: FuseBridge.permissions(mode), flags: flags, caller: request.caller)
        request.reply(entry: entry, opened: opened)
      }
    }
    operations.write = { request, inode, start, size, offset, info in
      let handle = info?.pointee.fh ?? 0
      let bytes = FuseBridge.bytes(start, count: size)
      FuseBridge.change(request, .write) { fileSystem, request throws(Errno) in
        try await fileSystem.write(inode: inode, handle: handle, offset: Int64(offset), bytes: bytes)
        request.reply(written: bytes.count)
      }
    }
    // Not a change by itself, and read-only mounts have handles that flush.
    operations.flush = { request, inode, info in
      let handle = info?.pointee.fh ?? 0
      FuseBridge.serve(request, .flush) { fileSystem, request throws(Errno) in
        try await fileSystem.flush(inode: inode, handle: handle, caller: request.caller)
        request.replySuccess()
      }
    }
    operations.fsync = { request, inode, _, info in
      let handle = info?.pointee.fh ?? 0
      FuseBridge.serve(request, .fsync) { fileSystem, request throws(Errno) in
        try await fileSystem.fsync(inode: inode, handle: handle, caller: request.caller)
        request.replySuccess()
      }
    }
  }

  private static func addCopying(_ operations: inout fuse_lowlevel_ops) {
    operations.copy_file_range = { request, input, inputOffset, inputInfo, output, outputOffset, outputInfo, count, _ in
      let from = inputInfo?.pointee.fh ?? 0
      let to = outputInfo?.pointee.fh ?? 0
      FuseBridge.change(request, .copyFileRange) { fileSystem, request throws(Errno) in
        let copied = try await fileSystem.copyRange(
          source: (inode: input, handle: from, offset: Int64(inputOffset)),
          destination: (inode: output, handle: to, offset: Int64(outputOffset)), count: count)
        request.reply(written: copied)
      }
    }
  }

  private static func addNameChanges(_ operations: inout fuse_lowlevel_ops) {
    operations.setattr = { request, inode, attributes, mask, info in
      let handle = info?.pointee.fh
      let changes = attributes.map { FuseAttributeChanges($0.pointee, mask: mask) } ?? FuseAttributeChanges()
      FuseBridge.change(request, .setattr) { fileSystem, request throws(Errno) in
        let (attributes, seconds) = try await fileSystem.setAttributes(
          inode: inode, handle: handle, changes: changes, caller: request.caller)
        request.reply(attributes: attributes, seconds: seconds)
      }
    }
    operations.mkdir = { request, parent, name, mode in
      let name = FuseBridge.bytes(name)
      FuseBridge.change(request, .mkdir) { fileSystem, request throws(Errno) in
        request.reply(
          entry: try await fileSystem.makeDirectory(
            parent: parent, name: name, mode: FuseBridge.permissions(mode), caller: request.caller))
      }
    }
    operations.rmdir = { request, parent, name in
      let name = FuseBridge.bytes(name)
      FuseBridge.change(request, .rmdir) { fileSystem, request throws(Errno) in
        try await fileSystem.removeDirectory(parent: parent, name: name, caller: request.caller)
        request.replySuccess()
      }
    }
    operations.unlink = { request, parent, name in
      let name = FuseBridge.bytes(name)
      FuseBridge.change(request, .unlink) { fileSystem, request throws(Errno) in
        try await fileSystem.unlink(parent: parent, name: name, caller: request.caller)
        request.replySuccess()
      }
    }
  }

  private static func addRenaming(_ operations: inout fuse_lowlevel_ops) {
    operations.rename = { request, parent, name, newParent, newName, flags in
      let name = FuseBridge.bytes(name)
      let newName = FuseBridge.bytes(newName)
      let flags = FuseRenameFlags(rawValue: flags)
      FuseBridge.change(request, .rename) { fileSystem, request throws(Errno) in
        guard flags.isSubset(of: [.noReplace, .exchange]) else { throw Errno(rawValue: EINVAL) }
        try await fileSystem.rename(
          parent: parent, name: name, newParent: newParent, newName: newName, flags: flags, caller: request.caller)
        request.replySuccess()
      }
    }
  }

  /// What no mount of ours ever does: EPERM as on filesystems without links, and EOPNOTSUPP where callers then do without.
  private static func addRefusals(_ operations: inout fuse_lowlevel_ops) {
    operations.mknod = { request, parent, _, _, _ in FuseBridge.refuse(request, .mknod, EPERM, below: parent) }
    operations.symlink = { request, _, parent, _ in FuseBridge.refuse(request, .symlink, EPERM, below: parent) }
    operations.link = { request, _, parent, _ in FuseBridge.refuse(request, .link, EPERM, below: parent) }
    operations.fallocate = { request, _, _, _, _, _ in FuseBridge.refuse(request, .fallocate, EOPNOTSUPP) }
  }

  private static func refuse(_ request: fuse_req_t?, _ operation: FuseOperation, _ number: Int32, below parent: UInt64? = nil) {
    serveNow(request, operation) { fileSystem, request in
      let isReadOnly = request.bridge.options.isReadOnly || parent.map { fileSystem.isReadOnly(directory: $0) } ?? false
      request.reply(error: Errno(rawValue: isReadOnly ? EROFS : number))
    }
  }

  /// Serves a request that changes something; EROFS on a read-only mount.
  private static func change(
    _ request: fuse_req_t?, _ operation: FuseOperation,
    _ body: @escaping @Sendable (any FuseFileSystem, FuseRequest) async throws(Errno) -> Void
  ) {
    serve(request, operation) { fileSystem, request throws(Errno) in
      guard !request.bridge.options.isReadOnly else { throw Errno(rawValue: EROFS) }
      try await body(fileSystem, request)
    }
  }

  private static func permissions(_ mode: mode_t) -> UInt16 {
    UInt16(truncatingIfNeeded: mode & 0o7777)
  }

  /// A copy of what libfuse lends for the call, made without clearing the memory first.
  private static func bytes(_ start: UnsafePointer<CChar>?, count: Int) -> [UInt8] {
    guard let start, count > 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(start: start, count: count))
      used = count
    }
  }
}
