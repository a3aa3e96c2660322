// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc
import Telemetry

/// The kinds of answers. Each undoes what it handed out (lookup counts, handles) if the kernel did not take it.
extension FuseRequest {
  /// iovecs that one writev takes on Linux (IOV_MAX), less libfuse's header.
  private static let maxSegments = 1023

  func reply(error: Errno) {
    // libfuse refuses numbers outside 1...999 and would leave the caller waiting.
    let number = (1...999).contains(error.rawValue) ? error.rawValue : EIO
    answer(number) { fuse_reply_err($0, number) }
  }

  func replySuccess() {
    answer { fuse_reply_err($0, 0) }
  }

  /// For FORGET, which has no answer.
  func replyNone() {
    answer {
      fuse_reply_none($0)
      return 0
    }
  }

  func reply(entry: FuseEntry) {
    var parameters = entry.parameters
    let isTaken = answer(entry.attributes.inode == 0 ? ENOENT : 0) { fuse_reply_entry($0, &parameters) }
    if !isTaken, entry.attributes.inode != 0 {
      bridge.fileSystem.forget(inode: entry.attributes.inode, count: 1)
    }
  }

  func reply(attributes: FuseAttributes, seconds: Double) {
    var status = attributes.status
    answer { fuse_reply_attr($0, &status, seconds) }
  }

  func reply(link: [UInt8]) {
    withCString(link) { text in
      _ = answer { fuse_reply_readlink($0, text) }
    }
  }

  /// - Returns: whether the kernel took the handle; if not, no RELEASE will come for it.
  func reply(opened: FuseOpened) -> Bool {
    var info = opened.information
    return answer { fuse_reply_open($0, &info) }
  }

  /// For CREATE.
  func reply(entry: FuseEntry, opened: FuseOpened) {
    var parameters = entry.parameters
    var information = opened.information
    guard !answer(0, { fuse_reply_create($0, &parameters, &information) }) else { return }
    bridge.fileSystem.release(inode: entry.attributes.inode, handle: opened.handle)
    bridge.fileSystem.forget(inode: entry.attributes.inode, count: 1)
  }

  /// For WRITE and COPY_FILE_RANGE.
  func reply(written count: Int) {
    answer { fuse_reply_write($0, count) }
  }

  /// Writes the segments to the kernel from where they lie; `data.owner` lives until that is done.
  ///
  /// - Parameter limit: bytes that were asked for; the kernel refuses a longer answer.
  func reply(data: FuseData, limit: Int) {
    var vectors: [iovec] = []
    vectors.reserveCapacity(data.segments.count)
    var left = limit
    for segment in data.segments where !segment.isEmpty && left > 0 {
      let length = min(segment.count, left)
      vectors.append(iovec(iov_base: UnsafeMutableRawPointer(mutating: segment.baseAddress), iov_len: length))
      left -= length
    }
    withExtendedLifetime(data.owner) {
      if vectors.count <= Self.maxSegments {
        answer { fuse_reply_iov($0, vectors, Int32(vectors.count)) }
      } else {
        let joined = Self.joined(vectors)
        answer { request in
          joined.withUnsafeBytes { fuse_reply_buf(request, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
        }
      }
    }
    bridge.metrics.add(.bytesRead, by: Int64(limit - left))
  }

  func reply(statistics: FuseStatistics) {
    var status = statvfs()
    status.f_bsize = UInt(statistics.blockSize)
    status.f_frsize = UInt(statistics.blockSize)
    status.f_blocks = UInt(statistics.blocks)
    status.f_bfree = UInt(statistics.freeBlocks)
    status.f_bavail = UInt(statistics.freeBlocks)
    status.f_files = UInt(statistics.files)
    status.f_ffree = UInt(statistics.freeFiles)
    status.f_favail = UInt(statistics.freeFiles)
    status.f_namemax = UInt(statistics.nameLength)
    answer { fuse_reply_statfs($0, &status) }
  }

  private static func joined(_ vectors: [iovec]) -> [UInt8] {
    var bytes: [UInt8] = []
    for vector in vectors {
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: vector.iov_base, count: vector.iov_len))
    }
    return bytes
  }
}

/// Calls `body` with the bytes as a C string; they hold no NUL.
func withCString<Result>(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
    for (index, byte) in bytes.enumerated() { buffer[index] = CChar(bitPattern: byte) }
    buffer[bytes.count] = 0
    // SAFETY: the buffer has at least one element, so it has a base address.
    return body(UnsafePointer(buffer.baseAddress!))
  }
}

extension FuseAttributes {
  /// As stat(2) has them.
  var status: stat {
    var status = stat()
    status.st_ino = UInt(inode)
    status.st_mode = mode_t(mode & 0o7777) | kind.typeBits
    status.st_nlink = UInt(links)
    status.st_uid = uid
    status.st_gid = gid
    status.st_size = Int(size)
    status.st_blocks = Int(size / 512 + (size % 512 == 0 ? 0 : 1))
    let time = timespec(nanoseconds: modified)
    status.st_mtim = time
    status.st_ctim = time
    status.st_atim = time
    return status
  }
}

extension FuseAttributes.Kind {
  var typeBits: mode_t {
    switch self {
    case .directory: S_IFDIR
    case .file: S_IFREG
    case .symbolicLink: S_IFLNK
    }
  }
}

extension FuseOpened {
  /// As libfuse wants an opened file told.
  var information: fuse_file_info {
    var information = fuse_file_info()
    information.fh = handle
    information.direct_io = isDirect ? 1 : 0
    information.keep_cache = keepsCache ? 1 : 0
    information.cache_readdir = cachesDirectory ? 1 : 0
    information.noflush = noFlush ? 1 : 0
    return information
  }
}

extension FuseEntry {
  var parameters: fuse_entry_param {
    var parameters = fuse_entry_param()
    parameters.ino = attributes.inode
    parameters.attr = attributes.status
    parameters.attr_timeout = attributeSeconds
    parameters.entry_timeout = entrySeconds
    return parameters
  }
}
