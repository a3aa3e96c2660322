// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc

/// libfuse's table of callbacks: each copies what C lends it, then serves the request.
///
/// Left out on purpose, so that libfuse answers ENOSYS and the kernel asks once a mount and never again: extended attributes (two requests
/// saved for each file of `ls -l`; callers see EOPNOTSUPP, which cp, mv and install pass over), access (mode bits are the kernel's), lseek,
/// fsyncdir (the kernel takes ENOSYS for success), locks (the kernel keeps them), ioctl.
extension FuseBridge {
  static func makeOperations() -> fuse_lowlevel_ops {
    var operations = fuse_lowlevel_ops()
    operations.`init` = { context, connection in
      guard let context, let connection else { return }
      // SAFETY: the context is the bridge given in `open()`, which outlives the session.
      Unmanaged<FuseBridge>.fromOpaque(context).takeUnretainedValue().configure(&connection.pointee)
    }
    addNodeOperations(&operations)
    addFileOperations(&operations)
    addDirectoryOperations(&operations)
    addChanges(&operations)
    return operations
  }

  private static func addNodeOperations(_ operations: inout fuse_lowlevel_ops) {
    operations.lookup = { request, parent, name in
      let name = FuseBridge.bytes(name)
      FuseBridge.serve(request, .lookup) { fileSystem, request throws(Errno) in
        request.reply(entry: try await fileSystem.lookup(parent: parent, name: name))
      }
    }
    operations.forget = { request, inode, count in
      FuseBridge.serveNow(request, .forget) { fileSystem, request in
        fileSystem.forget(inode: inode, count: count)
        request.replyNone()
      }
    }
    operations.forget_multi = { request, count, items in
      FuseBridge.serveNow(request, .forget) { fileSystem, request in
        for item in UnsafeBufferPointer(start: items, count: count) {
          fileSystem.forget(inode: item.ino, count: item.nlookup)
        }
        request.replyNone()
      }
    }
    operations.getattr = { request, inode, _ in
      FuseBridge.serve(request, .getattr) { fileSystem, request throws(Errno) in
        let (attributes, seconds) = try await fileSystem.attributes(inode: inode)
        request.reply(attributes: attributes, seconds: seconds)
      }
    }
    operations.readlink = { request, inode in
      FuseBridge.serve(request, .readlink) { fileSystem, request throws(Errno) in
        request.reply(link: try await fileSystem.readlink(inode: inode))
      }
    }
    operations.statfs = { request, _ in
      FuseBridge.serve(request, .statfs) { fileSystem, request throws(Errno) in
        request.reply(statistics: try await fileSystem.statistics())
      }
    }
  }

  private static func addFileOperations(_ operations: inout fuse_lowlevel_ops) {
    operations.open = { request, inode, info in
      let flags = info?.pointee.flags ?? 0
      FuseBridge.serve(request, .open) { fileSystem, request throws(Errno) in
        if request.bridge.options.isReadOnly, flags & O_ACCMODE != O_RDONLY { throw Errno(rawValue: EROFS) }
        let opened = try await fileSystem.open(inode: inode, flags: flags, caller: request.caller)
        if !request.reply(opened: opened) {
          fileSystem.release(inode: inode, handle: opened.handle)
        }
      }
    }
    operations.read = { request, inode, size, offset, info in
      let handle = info?.pointee.fh ?? 0
      FuseBridge.serve(request, .read) { fileSystem, request throws(Errno) in
        let data = try await fileSystem.read(inode: inode, handle: handle, offset: Int64(offset), size: size)
        request.reply(data: data, limit: size)
      }
    }
    operations.release = { request, inode, info in
      let handle = info?.pointee.fh ?? 0
      FuseBridge.serveNow(request, .release) { fileSystem, request in
        fileSystem.release(inode: inode, handle: handle)
        request.replySuccess()
      }
    }
  }

  private static func addDirectoryOperations(_ operations: inout fuse_lowlevel_ops) {
    operations.opendir = { request, inode, _ in
      FuseBridge.serve(request, .opendir) { fileSystem, request throws(Errno) in
        let opened = try await fileSystem.openDirectory(inode: inode)
        if !request.reply(opened: opened) {
          fileSystem.releaseDirectory(inode: inode, handle: opened.handle)
        }
      }
    }
    operations.readdir = { request, inode, size, offset, info in
      FuseBridge.list(request, .readdir, inode: inode, handle: info?.pointee.fh ?? 0, size: size, offset: offset)
    }
    operations.readdirplus = { request, inode, size, offset, info in
      FuseBridge.list(request, .readdirplus, inode: inode, handle: info?.pointee.fh ?? 0, size: size, offset: offset)
    }
    operations.releasedir = { request, inode, info in
      let handle = info?.pointee.fh ?? 0
      FuseBridge.serveNow(request, .releasedir) { fileSystem, request in
        fileSystem.releaseDirectory(inode: inode, handle: handle)
        request.replySuccess()
      }
    }
  }

  private static func list(
    _ request: fuse_req_t?, _ operation: FuseOperation, inode: UInt64, handle: UInt64, size: Int, offset: off_t
  ) {
    FuseBridge.serve(request, operation) { fileSystem, request throws(Errno) in
      let reply = DirectoryReplyBuffer(size: size, wantsAttributes: operation == .readdirplus)
      let cookie = reply.addOwnEntries(inode: inode, after: UInt64(bitPattern: Int64(offset)))
      var isTaken = false
      // Lookups that were counted for entries which the kernel never saw.
      defer {
        if !isTaken {
          for inode in reply.counted { fileSystem.forget(inode: inode, count: 1) }
        }
      }
      try await fileSystem.readDirectory(inode: inode, handle: handle, cookie: cookie, into: reply)
      isTaken = request.answer { request in
        fuse_reply_buf(request, reply.bytes.baseAddress?.assumingMemoryBound(to: CChar.self), reply.bytes.count)
      }
    }
  }

  /// A C string's bytes.
  static func bytes(_ text: UnsafePointer<CChar>?) -> [UInt8] {
    guard let text else { return [] }
    return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }
}
