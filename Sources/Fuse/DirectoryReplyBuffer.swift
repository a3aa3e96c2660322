// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc

/// The buffer of one READDIR or READDIRPLUS answer.
///
/// The bridge itself answers `.` and `..` under the cookies 1 and 2, so the filesystem's own cookies are shifted by two on their way to the
/// kernel and back.
final class DirectoryReplyBuffer: FuseDirectoryReply, @unchecked Sendable {
  // SAFETY: the one task that serves the request fills the buffer, and only then the answer reads it.
  static let ownCookies: UInt64 = 2
  /// What libfuse itself shows as the inode of a parent that it does not know.
  private static let unknownInode: UInt64 = 0xffff_ffff

  let wantsAttributes: Bool
  /// Inodes of the entries for which the kernel takes a lookup count with this answer.
  private(set) var counted: [UInt64] = []
  private let buffer: UnsafeMutableRawBufferPointer
  private var used = 0

  init(size: Int, wantsAttributes: Bool) {
    self.wantsAttributes = wantsAttributes
    buffer = .allocate(byteCount: size, alignment: 8)
  }

  deinit {
    buffer.deallocate()
  }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<used]) }

  func add(name: [UInt8], entry: FuseEntry, next: UInt64) -> Bool {
    guard append(name: name, parameters: entry.parameters, next: next) else { return false }
    if wantsAttributes, entry.attributes.inode != 0 { counted.append(entry.attributes.inode) }
    return true
  }

  func add(name: [UInt8], inode: UInt64, kind: FuseAttributes.Kind, next: UInt64) -> Bool {
    append(name: name, parameters: Self.bareEntry(inode, type: kind.typeBits), next: next)
  }

  /// Adds the bridge's own entries that come after a kernel cookie, and translates the cookie for the filesystem.
  func addOwnEntries(inode: UInt64, after cookie: UInt64) -> UInt64 {
    if cookie < 1 { _ = append(name: Array(".".utf8), parameters: Self.bareEntry(inode, type: S_IFDIR), offset: 1) }
    if cookie < 2 { _ = append(name: Array("..".utf8), parameters: Self.bareEntry(Self.unknownInode, type: S_IFDIR), offset: 2) }
    return cookie < Self.ownCookies ? 0 : cookie - Self.ownCookies
  }

  /// A node id of 0 tells the kernel to take no lookup count and no attributes.
  private static func bareEntry(_ inode: UInt64, type: mode_t) -> fuse_entry_param {
    var parameters = fuse_entry_param()
    parameters.attr.st_ino = UInt(inode)
    parameters.attr.st_mode = type
    return parameters
  }

  private func append(name: [UInt8], parameters: fuse_entry_param, next: UInt64) -> Bool {
    // Offsets are signed in the kernel.
    let (cookie, isOver) = next.addingReportingOverflow(Self.ownCookies)
    guard !isOver, let offset = off_t(exactly: cookie) else { return false }
    return append(name: name, parameters: parameters, offset: offset)
  }

  private func append(name: [UInt8], parameters: fuse_entry_param, offset: off_t) -> Bool {
    var parameters = parameters
    let capacity = buffer.count - used
    let start = buffer.baseAddress?.advanced(by: used).assumingMemoryBound(to: CChar.self)
    // libfuse does not look at the request in these two; nil is what its own documentation's examples of sizing pass.
    let needed = withCString(name) { name in
      wantsAttributes
        ? fuse_add_direntry_plus(nil, start, capacity, name, &parameters, offset)
        : fuse_add_direntry(nil, start, capacity, name, &parameters.attr, offset)
    }
    guard needed <= capacity else { return false }
    used += needed
    return true
  }
}
