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

  package init(handle: UInt64, isDirect: Bool = false, keepsCache: Bool = true, cachesDirectory: Bool = false) {
    self.handle = handle
    self.isDirect = isDirect
    self.keepsCache = keepsCache
    self.cachesDirectory = cachesDirectory
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
/// what needs no waiting answers without leaving it. Cancelled when the kernel interrupts the request by a fatal signal.
package protocol FuseFileSystem: Sendable {
  /// Raises the lookup count of the inode it returns by one (not for a negative entry).
  func lookup(parent: UInt64, name: [UInt8]) async throws(Errno) -> FuseEntry
  /// Lowers the lookup count; also called to undo a lookup whose reply could not be sent.
  func forget(inode: UInt64, count: UInt64)
  /// Attributes and their TTL in seconds.
  func attributes(inode: UInt64) async throws(Errno) -> (FuseAttributes, Double)
  func readlink(inode: UInt64) async throws(Errno) -> [UInt8]
  /// `flags` as open(2) has them.
  func open(inode: UInt64, flags: Int32) async throws(Errno) -> FuseOpened
  /// At most `size` bytes from `offset`; fewer only at the end of the file.
  func read(inode: UInt64, handle: UInt64, offset: Int64, size: Int) async throws(Errno) -> FuseData
  func release(inode: UInt64, handle: UInt64)
  func openDirectory(inode: UInt64) async throws(Errno) -> FuseOpened
  /// Fills the reply with entries after `cookie` (0: from the start), from one task. `.` and `..` are the bridge's. Where `wantsAttributes`,
  /// each entry that `add` took has one lookup count; the bridge forgets them again if this throws or the reply cannot be sent.
  func readDirectory(inode: UInt64, handle: UInt64, cookie: UInt64, into reply: any FuseDirectoryReply) async throws(Errno)
  func releaseDirectory(inode: UInt64, handle: UInt64)
  func statistics() async throws(Errno) -> FuseStatistics
}
