// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Fuse
import Glibc
import Logging
import Telemetry

/// Shows a ``CatalogFilesystem`` to the FUSE bridge: types on both sides, errno, and the record of what failed.
final class CatalogFuseFileSystem: FuseFileSystem {
  let filesystem: CatalogFilesystem
  private let journal: ErrorJournal
  private let metrics: Metrics
  private let logger: Logger
  private let owner: (uid: UInt32, gid: UInt32)
  /// Nanoseconds since 1970, for the records of failures.
  private let now: @Sendable () -> Int64

  init(
    filesystem: CatalogFilesystem, journal: ErrorJournal, metrics: Metrics, logger: Logger, owner: (uid: UInt32, gid: UInt32),
    now: @escaping @Sendable () -> Int64
  ) {
    self.filesystem = filesystem
    self.journal = journal
    self.metrics = metrics
    self.logger = logger
    self.owner = owner
    self.now = now
  }

  func lookup(parent: UInt64, name: [UInt8]) async throws(Errno) -> FuseEntry {
    do throws(FilesystemError) {
      return fuseEntry(try await filesystem.lookup(parent: parent, name: name))
    } catch {
      throw failure(error, "lookup", inode: parent, name: EntryName(name))
    }
  }

  func forget(inode: UInt64, count: UInt64) {
    filesystem.forget(inode: inode, count: count)
  }

  func attributes(inode: UInt64) async throws(Errno) -> (FuseAttributes, Double) {
    do throws(FilesystemError) {
      let (attributes, lifetime) = try filesystem.attributes(inode: inode)
      return (fuseAttributes(attributes), Self.seconds(lifetime))
    } catch {
      throw failure(error, "getattr", inode: inode)
    }
  }

  func readlink(inode: UInt64) async throws(Errno) -> [UInt8] {
    do throws(FilesystemError) {
      return try await filesystem.readlink(inode: inode)
    } catch {
      throw failure(error, "readlink", inode: inode)
    }
  }

  func open(inode: UInt64, flags: Int32, caller: FuseCaller) async throws(Errno) -> FuseOpened {
    do throws(FilesystemError) {
      return fuseOpened(try await filesystem.open(inode: inode, flags: flags, thread: caller.thread))
    } catch {
      throw failure(error, "open", inode: inode)
    }
  }

  func read(inode: UInt64, handle: UInt64, offset: Int64, size: Int) async throws(Errno) -> FuseData {
    do throws(FilesystemError) {
      let bytes = try await filesystem.read(handle: handle, offset: offset, size: size)
      return FuseData(segments: bytes.segments, owner: bytes.owner)
    } catch {
      throw failure(error, "read", inode: inode)
    }
  }

  func release(inode: UInt64, handle: UInt64) {
    filesystem.release(handle: handle)
  }

  func openDirectory(inode: UInt64) async throws(Errno) -> FuseOpened {
    do throws(FilesystemError) {
      let opened = try await filesystem.openDirectory(inode: inode)
      return FuseOpened(handle: opened.handle, keepsCache: opened.keepsCache, cachesDirectory: opened.isCached)
    } catch {
      throw failure(error, "opendir", inode: inode)
    }
  }

  func readDirectory(inode: UInt64, handle: UInt64, cookie: UInt64, into reply: any FuseDirectoryReply) async throws(Errno) {
    do throws(FilesystemError) {
      try await filesystem.readDirectory(inode: inode, handle: handle, cookie: cookie, into: Receiver(reply: reply, bridge: self))
    } catch {
      throw failure(error, "readdir", inode: inode)
    }
  }

  func releaseDirectory(inode: UInt64, handle: UInt64) {
    filesystem.release(handle: handle)
  }

  /// 1 PiB of free space: nothing here is ever full, and `df` and installers see room.
  func statistics() async throws(Errno) -> FuseStatistics {
    let block: UInt64 = 4_096
    let blocks = (UInt64(1) << 50) / block
    let files = UInt64(1) << 40
    return FuseStatistics(blockSize: block, blocks: blocks, freeBlocks: blocks, files: files, freeFiles: files, nameLength: 255)
  }

  // MARK: Types

  func fuseEntry(_ entry: NodeEntry) -> FuseEntry {
    FuseEntry(
      attributes: fuseAttributes(entry.attributes), entrySeconds: Self.seconds(entry.entryLifetime),
      attributeSeconds: Self.seconds(entry.attributeLifetime))
  }

  func fuseOpened(_ opened: OpenedFile) -> FuseOpened {
    FuseOpened(
      handle: opened.handle, isDirect: opened.isDirect, keepsCache: opened.keepsCache && !opened.isDirect, noFlush: !opened.isWriter)
  }

  func fuseAttributes(_ attributes: NodeAttributes) -> FuseAttributes {
    FuseAttributes(
      inode: attributes.inode, kind: Self.kind(attributes.kind), mode: attributes.mode, size: attributes.size,
      modified: attributes.modified,
      uid: owner.uid, gid: owner.gid)
  }

  private static func kind(_ kind: NodeAttributes.Kind) -> FuseAttributes.Kind {
    switch kind {
    case .directory: .directory
    case .file: .file
    case .symbolicLink: .symbolicLink
    }
  }

  static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }

  // MARK: Failures

  func failure(_ error: FilesystemError, _ operation: String, inode: UInt64, name: EntryName? = nil) -> Errno {
    let errno = Errno(error.code)
    // A plain absence is an answer, not a failure; an interrupted caller knows what it did.
    if error.message.isEmpty || error.code == .interrupted { return errno }
    let head = filesystem.path(of: inode)
    let path = name.map { head == "/" ? "/\($0)" : "\(head)/\($0)" } ?? head
    journal.append(
      ErrorJournal.Record(
        time: now(), path: path, operation: operation, errno: errno.name, message: error.message, requestID: error.requestID))
    metrics.add(.errors, errno.name)
    let level: Logger.Level = error.code == .failed ? .error : error.code == .notFound ? .debug : .warning
    logger.log(
      level: level, "operation failed",
      metadata: [
        "operation": "\(operation)", "path": "\(path)", "errno": "\(errno.name)", "reason": "\(error.message)",
        "requestID": "\(error.requestID ?? "-")",
      ])
    return errno
  }

  private final class Receiver: DirectoryReceiver {
    let reply: any FuseDirectoryReply
    let bridge: CatalogFuseFileSystem

    init(reply: any FuseDirectoryReply, bridge: CatalogFuseFileSystem) {
      self.reply = reply
      self.bridge = bridge
    }

    var wantsAttributes: Bool { reply.wantsAttributes }

    func add(name: EntryName, entry: NodeEntry, next: UInt64) -> Bool {
      reply.add(name: name.bytes, entry: bridge.fuseEntry(entry), next: next)
    }

    func add(name: EntryName, inode: UInt64, kind: NodeAttributes.Kind, next: UInt64) -> Bool {
      reply.add(name: name.bytes, inode: inode, kind: CatalogFuseFileSystem.kind(kind), next: next)
    }
  }
}
