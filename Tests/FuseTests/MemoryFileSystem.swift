// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Synchronization

/// A filesystem in memory with one of everything, that counts lookups and handles.
final class MemoryFileSystem: FuseFileSystem {
  enum Content: Sendable {
    case directory([(name: [UInt8], inode: UInt64)])
    /// `count` entries `f000000`…, inodes from `firstInode`, each an empty file.
    case generatedDirectory(count: Int, firstInode: UInt64)
    case bytes(Block)
    /// `size` bytes made of the block again and again.
    case repeated(Block, size: Int64)
    case link([UInt8])
    /// Reads wait until they are cancelled. They bypass the page cache: the kernel tells of signals only where the caller waits for the
    /// request itself, not for a page.
    case waiting
    /// Reads fail.
    case failing(Int32)

    static func files(_ children: [(String, UInt64)]) -> Content {
      .directory(children.map { (name: Array($0.0.utf8), inode: $0.1) })
    }
  }

  /// Memory that reads hand out without copying.
  final class Block: @unchecked Sendable {
    // SAFETY: written in init only.
    let memory: UnsafeMutableRawBufferPointer

    init(_ bytes: [UInt8]) {
      memory = .allocate(byteCount: bytes.count, alignment: 4096)
      memory.copyBytes(from: bytes)
    }

    deinit { memory.deallocate() }
  }

  struct Counts {
    var lookups: [UInt64: Int64] = [:]
    var openFiles = 0
    var openDirectories = 0
    var lookupRequests = 0
    var waitingReads = 0
    var cancelledReads = 0
    var requestedReadSizes: Set<Int> = []
  }

  /// Entries and attributes are cached so long.
  let seconds: Double
  /// Every operation suspends first, so that replies come from the pool.
  let suspends: Bool
  private let nodes: Mutex<[UInt64: Content]>
  private let counts = Mutex(Counts())

  init(_ nodes: [UInt64: Content], seconds: Double = 3600, suspends: Bool = false) {
    self.nodes = Mutex(nodes)
    self.seconds = seconds
    self.suspends = suspends
  }

  func count<Value: Sendable>(_ path: KeyPath<Counts, Value>) -> Value { counts.withLock { $0[keyPath: path] } }

  func set(_ inode: UInt64, _ content: Content) { nodes.withLock { $0[inode] = content } }

  private func content(_ inode: UInt64) throws(Errno) -> Content {
    let content = nodes.withLock { nodes -> Content? in
      if let content = nodes[inode] { return content }
      for case .generatedDirectory(let count, let first) in nodes.values where inode >= first && inode < first + UInt64(count) {
        return .bytes(Block([]))
      }
      return nil
    }
    guard let content else { throw Errno(rawValue: ESTALE) }
    return content
  }

  private func pause() async {
    if suspends { await Task.yield() }
  }

  private func attributes(of inode: UInt64) throws(Errno) -> FuseAttributes {
    let kind: FuseAttributes.Kind
    var size: Int64 = 0
    switch try content(inode) {
    case .directory, .generatedDirectory: kind = .directory
    case .bytes(let block): (kind, size) = (.file, Int64(block.memory.count))
    case .repeated(_, let length): (kind, size) = (.file, length)
    case .link(let target): (kind, size) = (.symbolicLink, Int64(target.count))
    case .waiting, .failing: (kind, size) = (.file, 4096)
    }
    return FuseAttributes(
      inode: inode, kind: kind, mode: kind == .directory ? 0o555 : 0o444, size: size, modified: 1_700_000_000_123_456_789, uid: getuid(),
      gid: getgid())
  }

  private func entry(_ inode: UInt64) throws(Errno) -> FuseEntry {
    FuseEntry(attributes: try attributes(of: inode), entrySeconds: seconds, attributeSeconds: seconds)
  }

  func lookup(parent: UInt64, name: [UInt8]) async throws(Errno) -> FuseEntry {
    await pause()
    counts.withLock { $0.lookupRequests += 1 }
    var found: UInt64?
    switch try content(parent) {
    case .directory(let children): found = children.first { $0.name == name }?.inode
    case .generatedDirectory(let count, let first):
      let digits = String(decoding: name.dropFirst(), as: UTF8.self)
      if name.first == UInt8(ascii: "f"), let index = Int(digits), index < count { found = first + UInt64(index) }
    default: throw Errno(rawValue: ENOTDIR)
    }
    guard let found else { throw Errno(rawValue: ENOENT) }
    counts.withLock { $0.lookups[found, default: 0] += 1 }
    return try entry(found)
  }

  func forget(inode: UInt64, count: UInt64) {
    counts.withLock { $0.lookups[inode, default: 0] -= Int64(count) }
  }

  func attributes(inode: UInt64) async throws(Errno) -> (FuseAttributes, Double) {
    await pause()
    return (try attributes(of: inode), seconds)
  }

  func readlink(inode: UInt64) async throws(Errno) -> [UInt8] {
    guard case .link(let target) = try content(inode) else { throw Errno(rawValue: EINVAL) }
    return target
  }

  func open(inode: UInt64, flags: Int32, caller: FuseCaller) async throws(Errno) -> FuseOpened {
    await pause()
    counts.withLock { $0.openFiles += 1 }
    if case .waiting = try content(inode) { return FuseOpened(handle: inode &+ 1000, isDirect: true, noFlush: true) }
    return FuseOpened(handle: inode &+ 1000, noFlush: true)
  }

  func read(inode: UInt64, handle: UInt64, offset: Int64, size: Int) async throws(Errno) -> FuseData {
    guard handle == inode &+ 1000 else { throw Errno(rawValue: EBADF) }
    await pause()
    counts.withLock { _ = $0.requestedReadSizes.insert(size) }
    switch try content(inode) {
    case .bytes(let block): return Self.data(block, offset: offset, size: size, length: Int64(block.memory.count))
    case .repeated(let block, let length): return Self.data(block, offset: offset, size: size, length: length)
    case .failing(let number): throw Errno(rawValue: number)
    case .waiting:
      counts.withLock { $0.waitingReads += 1 }
      do { try await Task.sleep(for: .seconds(600)) } catch { counts.withLock { $0.cancelledReads += 1 } }
      throw Errno(rawValue: EIO)
    default: throw Errno(rawValue: EISDIR)
    }
  }

  private static func data(_ block: Block, offset: Int64, size: Int, length: Int64) -> FuseData {
    var segments: [UnsafeRawBufferPointer] = []
    var position = offset
    let end = min(length, offset + Int64(size))
    while position < end {
      let start = Int(position % Int64(block.memory.count))
      let count = min(Int(end - position), block.memory.count - start)
      segments.append(UnsafeRawBufferPointer(rebasing: block.memory[start..<start + count]))
      position += Int64(count)
    }
    return FuseData(segments: segments, owner: block)
  }

  func release(inode: UInt64, handle: UInt64) { counts.withLock { $0.openFiles -= 1 } }

  func openDirectory(inode: UInt64) async throws(Errno) -> FuseOpened {
    counts.withLock { $0.openDirectories += 1 }
    return FuseOpened(handle: 7)
  }

  func readDirectory(inode: UInt64, handle: UInt64, cookie: UInt64, into reply: any FuseDirectoryReply) async throws(Errno) {
    await pause()
    let count: Int
    let content = try content(inode)
    switch content {
    case .directory(let children): count = children.count
    case .generatedDirectory(let number, _): count = number
    default: throw Errno(rawValue: ENOTDIR)
    }
    guard var index = Int(exactly: cookie) else { throw Errno(rawValue: EINVAL) }
    while index < count {
      let (name, child) = Self.child(index, content)
      let entry = try entry(child)
      guard reply.add(name: name, entry: entry, next: UInt64(index + 1)) else { return }
      if reply.wantsAttributes { counts.withLock { $0.lookups[child, default: 0] += 1 } }
      index += 1
    }
  }

  private static func child(_ index: Int, _ content: Content) -> ([UInt8], UInt64) {
    switch content {
    case .directory(let children): return (children[index].name, children[index].inode)
    case .generatedDirectory(_, let first):
      let digits = String(index)
      return (Array(("f" + String(repeating: "0", count: 6 - digits.count) + digits).utf8), first + UInt64(index))
    default: return ([], 0)
    }
  }

  func releaseDirectory(inode: UInt64, handle: UInt64) { counts.withLock { $0.openDirectories -= 1 } }

  func statistics() async throws(Errno) -> FuseStatistics {
    FuseStatistics(blockSize: 4096, blocks: 1 << 38, freeBlocks: 1 << 38, files: 1 << 32, freeFiles: 1 << 31, nameLength: 255)
  }
}
