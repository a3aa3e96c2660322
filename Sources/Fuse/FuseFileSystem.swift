// SPDX-License-Identifier: Apache-2.0

/// A POSIX error number, the only error that crosses into FUSE.
package struct Errno: Error, Sendable, Hashable, RawRepresentable {
  package var rawValue: Int32

  package init(rawValue: Int32) {
    self.rawValue = rawValue
  }
}

/// What `stat` shows.
package struct FuseAttributes: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    case directory, file, symbolicLink
  }
  package var inode: UInt64
  package var kind: Kind
  /// Permission bits only.
  package var mode: UInt16
  /// Bytes.
  package var size: Int64
  /// Nanoseconds since 1970.
  package var modified: Int64
  package var uid: UInt32
  package var gid: UInt32
  package var links: UInt32

  package init(inode: UInt64, kind: Kind, mode: UInt16, size: Int64, modified: Int64, uid: UInt32, gid: UInt32, links: UInt32 = 1) {
    self.inode = inode
    self.kind = kind
    self.mode = mode
    self.size = size
    self.modified = modified
    self.uid = uid
    self.gid = gid
    self.links = links
  }
}

/// Answer to a lookup. `attributes.inode == 0` is a negative entry that the kernel may cache for `entrySeconds`.
package struct FuseEntry: Sendable {
  package var attributes: FuseAttributes
  package var entrySeconds: Double
  package var attributeSeconds: Double

  package init(attributes: FuseAttributes, entrySeconds: Double, attributeSeconds: Double) {
    self.attributes = attributes
    self.entrySeconds = entrySeconds
    self.attributeSeconds = attributeSeconds
  }
}

/// Answer to open and opendir.
package struct FuseOpened: Sendable {
  package var handle: UInt64
  /// Reads bypass the page cache (sizes not known before).
  package var isDirect: Bool
  /// The page cache of earlier opens stays valid.
  package var keepsCache: Bool
  /// opendir: the kernel may cache the listing.
  package var cachesDirectory: Bool
  /// open: closing sends no FLUSH, a request saved for each close of a handle that nobody writes to. A handle that may hold bytes must have
  /// it false, or the writer never hears of a failure.
  package var noFlush: Bool

  package init(
    handle: UInt64, isDirect: Bool = false, keepsCache: Bool = true, cachesDirectory: Bool = false, noFlush: Bool = false
  ) {
    self.handle = handle
    self.isDirect = isDirect
    self.keepsCache = keepsCache
    self.cachesDirectory = cachesDirectory
    self.noFlush = noFlush
  }
}

/// Bytes that answer a read: segments of memory that `owner` keeps alive until the reply is out.
package struct FuseData: @unchecked Sendable {
  // SAFETY: the segments point into memory that `owner` holds and nobody writes to any more.
  package var segments: [UnsafeRawBufferPointer]
  package var owner: (any AnyObject & Sendable)?

  package init(segments: [UnsafeRawBufferPointer], owner: (any AnyObject & Sendable)?) {
    self.segments = segments
    self.owner = owner
  }

  package static let empty = FuseData(segments: [], owner: nil)
}

/// What `statvfs` shows.
package struct FuseStatistics: Sendable {
  package var blockSize: UInt64
  package var blocks: UInt64
  package var freeBlocks: UInt64
  package var files: UInt64
  package var freeFiles: UInt64
  package var nameLength: UInt64

  package init(blockSize: UInt64, blocks: UInt64, freeBlocks: UInt64, files: UInt64, freeFiles: UInt64, nameLength: UInt64) {
    self.blockSize = blockSize
    self.blocks = blocks
    self.freeBlocks = freeBlocks
    self.files = files
    self.freeFiles = freeFiles
    self.nameLength = nameLength
  }
}

/// One reply to readdir or readdirplus while it fills up.
package protocol FuseDirectoryReply: AnyObject, Sendable {
  /// Adds an entry; false when it does not fit (then it was not added, and no lookup is counted).
  ///
  /// - Parameters:
  ///   - name: raw bytes, no `/`, no NUL, 1–255 of them.
  ///   - entry: with readdirplus a full entry, for which the kernel takes one lookup count; plain readdir uses inode and kind only.
  ///   - next: the cookie with which the kernel goes on after this entry; never 0, below 2^63 - 2.
  func add(name: [UInt8], entry: FuseEntry, next: UInt64) -> Bool
  /// Adds a bare name, also to a readdirplus answer: the kernel takes no lookup count and asks for the attributes when it wants them.
  func add(name: [UInt8], inode: UInt64, kind: FuseAttributes.Kind, next: UInt64) -> Bool
  /// Whether the kernel asked for attributes too. `.` and `..` never count as lookups.
  var wantsAttributes: Bool { get }
}

/// A filesystem as the FUSE bridge calls it. Called from many threads; every method is started with `Task.immediate` on a libfuse thread, so
/// what needs no waiting answers without leaving it. Cancelled when the kernel interrupts the request by a fatal signal, and when the session
/// ends. What a reading operation throws then counts as EINTR; what cancellation means to a change, and until when, the filesystem decides.
///
/// What changes something has default implementations (`FuseFileSystem+ReadOnly.swift`) that answer EROFS. The kernel sends RENAME, MKDIR,
/// RMDIR and OPEN once more at once when they are answered with ESTALE; it holds the directory's lock during each of CREATE, MKDIR, RMDIR, UNLINK
/// and RENAME, so ``FuseNotifier/invalidateEntry(parent:name:)`` for that directory must not be awaited there (spec/kernel.md).
package protocol FuseFileSystem: Sendable {
  /// Raises the lookup count of the inode it returns by one (not for a negative entry).
  func lookup(parent: UInt64, name: [UInt8]) async throws(Errno) -> FuseEntry
  /// Lowers the lookup count; also called to undo a lookup whose reply could not be sent.
  func forget(inode: UInt64, count: UInt64)
  /// Attributes and their TTL in seconds.
  func attributes(inode: UInt64) async throws(Errno) -> (FuseAttributes, Double)
  func readlink(inode: UInt64) async throws(Errno) -> [UInt8]
  /// `flags` as open(2) has them, O_TRUNC among them: the file is then to be empty from here on. Never O_CREAT, O_EXCL.
  func open(inode: UInt64, flags: Int32, caller: FuseCaller) async throws(Errno) -> FuseOpened
  /// At most `size` bytes from `offset`; fewer only at the end of the file.
  func read(inode: UInt64, handle: UInt64, offset: Int64, size: Int) async throws(Errno) -> FuseData
  /// Comes once for each handle, after every FLUSH of it, from no process (the kernel tells no caller). It must not wait: it is answered at once.
  func release(inode: UInt64, handle: UInt64)
  func openDirectory(inode: UInt64) async throws(Errno) -> FuseOpened
  /// Fills the reply with entries after `cookie` (0: from the start), from one task. `.` and `..` are the bridge's. Where `wantsAttributes`,
  /// each entry that `add` took has one lookup count; the bridge forgets them again if this throws or the reply cannot be sent.
  func readDirectory(inode: UInt64, handle: UInt64, cookie: UInt64, into reply: any FuseDirectoryReply) async throws(Errno)
  func releaseDirectory(inode: UInt64, handle: UInt64)
  func statistics() async throws(Errno) -> FuseStatistics
  /// Whether nothing can be changed in a directory, on a mount that can be written otherwise: links and devices, which there are none of anywhere, are
  /// refused by EROFS then, else by EPERM. Sends no request.
  func isReadOnly(directory inode: UInt64) -> Bool

  /// Makes a file and opens it. Raises the lookup count of its inode by one; both are undone by ``forget(inode:count:)`` and
  /// ``release(inode:handle:)`` if the reply is not taken.
  ///
  /// - Parameters:
  ///   - mode: permission bits, the umask taken off.
  ///   - flags: as open(2) has them. Without O_EXCL the name may have come into being since the kernel looked for it; then it is to be opened.
  func create(
    parent: UInt64, name: [UInt8], mode: UInt16, flags: Int32, caller: FuseCaller
  ) async throws(Errno) -> (FuseEntry, FuseOpened)
  /// Takes all bytes or throws. At most 1 MiB; several writes to one handle may be under way at once only where several threads write it.
  func write(inode: UInt64, handle: UInt64, offset: Int64, bytes: [UInt8]) async throws(Errno)
  /// One of the descriptors of the handle is closed, by close(2), dup2(2) or the end of a process. What it throws is close(2)'s error. Comes as
  /// often as there are descriptors, from any process that has one, and also before anything was written.
  func flush(inode: UInt64, handle: UInt64, caller: FuseCaller) async throws(Errno)
  /// fsync(2) and fdatasync(2).
  func fsync(inode: UInt64, handle: UInt64, caller: FuseCaller) async throws(Errno)
  /// chmod, chown, utimens and truncate.
  ///
  /// - Parameter handle: of ftruncate(2) only; the others say no handle, also where they were called by descriptor.
  /// - Returns: the attributes after it and their TTL in seconds.
  func setAttributes(
    inode: UInt64, handle: UInt64?, changes: FuseAttributeChanges, caller: FuseCaller
  ) async throws(Errno) -> (FuseAttributes, Double)
  /// Raises the lookup count of the inode it returns by one. `mode`: permission bits, the umask taken off.
  func makeDirectory(parent: UInt64, name: [UInt8], mode: UInt16, caller: FuseCaller) async throws(Errno) -> FuseEntry
  func removeDirectory(parent: UInt64, name: [UInt8], caller: FuseCaller) async throws(Errno)
  func unlink(parent: UInt64, name: [UInt8], caller: FuseCaller) async throws(Errno)
  func rename(
    parent: UInt64, name: [UInt8], newParent: UInt64, newName: [UInt8], flags: FuseRenameFlags, caller: FuseCaller
  ) async throws(Errno)
  /// Copies between two open files of the mount: copy_file_range(2).
  ///
  /// - Returns: bytes copied, 0 only at the end of the source. EOPNOTSUPP and EXDEV make the kernel copy by reads and writes; ENOSYS must not be
  ///   thrown, it would switch the call off for the whole mount.
  func copyRange(
    source: (inode: UInt64, handle: UInt64, offset: Int64), destination: (inode: UInt64, handle: UInt64, offset: Int64), count: Int
  ) async throws(Errno) -> Int
}
