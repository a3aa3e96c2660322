// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Synchronization

/// Local space for files that are being written, with a cap.
///
/// Its files have no names: a process that ends, however it ends, leaves nothing behind. What they reserve counts, by size: a file of one
/// byte at the end of a gigabyte of nothing takes a gigabyte of the cap, so that no later write into the gap can fail.
package final class StagingArea: Sendable {
  /// Bytes: the block of the usual local filesystems, in which the cap is counted.
  static let block: Int64 = 4096

  /// Bytes that all files together may reserve.
  package let capacity: Int64
  private let path: String
  private let directory: Int32
  private let hasUnnamedFiles: Bool
  private let reserved = Mutex<Int64>(0)

  /// Opens the directory, and makes it (mode 0700) with what is missing of the way to it.
  ///
  /// - Parameters:
  ///   - directory: must be this user's own, writable by nobody else, and no symbolic link. Several processes may share it.
  ///   - capacity: bytes; 0 for no local space at all.
  /// - Throws: `denied` (EACCES) for a directory that others could meddle with, `invalid`, `noSpace`, `failed` as the system says.
  package convenience init(directory: String, capacity: Int64) throws(FilesystemError) {
    try self.init(directory: directory, capacity: capacity, hasUnnamedFiles: true)
  }

  /// - Parameter hasUnnamedFiles: false to do without O_TMPFILE, as on a filesystem that has none.
  init(directory path: String, capacity: Int64, hasUnnamedFiles: Bool) throws(FilesystemError) {
    guard capacity >= 0 else {
      throw FilesystemError(.invalid, "the staging directory cannot hold \(capacity) bytes: give a size of 0 or more")
    }
    var path = path
    // A link with a slash behind it would be followed.
    while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
    try Self.makeDirectories(path)
    directory = try Self.openOwn(path)
    self.path = path
    self.capacity = capacity
    self.hasUnnamedFiles = hasUnnamedFiles
  }

  deinit {
    close(directory)
  }

  /// Bytes that files reserve now.
  package var used: Int64 { reserved.withLock { $0 } }

  /// An empty file; it takes no space yet. The area lives as long as any of its files.
  ///
  /// - Throws: `outOfMemory` (ENOMEM) if no more files can be open, else as the system says.
  package func makeFile() throws(FilesystemError) -> StagingFile {
    var descriptor: Int32 = -1
    if hasUnnamedFiles {
      descriptor = openat(directory, ".", O_RDWR | O_CLOEXEC | bergfs_unnamed_file, 0o600)
      if descriptor < 0, ![EOPNOTSUPP, EISDIR, ENOENT, EINVAL].contains(errno) {
        throw FilesystemError(errno, "no file can be made in the staging directory \(path)")
      }
    }
    return StagingFile(descriptor: try descriptor >= 0 ? descriptor : makeNamedFile(), area: self)
  }

  /// Reserves bytes; false if they do not fit.
  func reserve(_ bytes: Int64) -> Bool {
    reserved.withLock { reserved in
      guard bytes <= capacity - reserved else { return false }
      reserved += bytes
      return true
    }
  }

  func release(_ bytes: Int64) {
    reserved.withLock { $0 -= bytes }
  }

  /// Where the filesystem has no unnamed files: its name goes at once. A kill between the two calls leaves an empty file.
  private func makeNamedFile() throws(FilesystemError) -> Int32 {
    let name = "unnamed-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    let descriptor = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0, unlinkat(directory, name, 0) == 0 else {
      let reason = errno
      if descriptor >= 0 { close(descriptor) }
      throw FilesystemError(reason, "no file can be made in the staging directory \(path)")
    }
    return descriptor
  }

  private static func makeDirectories(_ path: String) throws(FilesystemError) {
    let bytes = Array(path.utf8)
    let ends = bytes.indices.filter { $0 > 0 && bytes[$0] == UInt8(ascii: "/") } + [bytes.count]
    for end in ends {
      guard mkdir(String(decoding: bytes[..<end], as: UTF8.self), 0o700) != 0, ![EEXIST, EROFS, EACCES, EISDIR].contains(errno) else {
        continue
      }
      throw FilesystemError(errno, "the staging directory \(path) cannot be made")
    }
  }

  /// The directory itself is checked, not its path, which may lead elsewhere a moment later.
  private static func openOwn(_ path: String) throws(FilesystemError) -> Int32 {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else {
      guard errno != ELOOP, errno != ENOTDIR else {
        throw FilesystemError(.denied, "the staging directory \(path) is a link or no directory: name the directory itself")
      }
      throw FilesystemError(errno, "the staging directory \(path) cannot be opened")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
      close(descriptor)
      throw FilesystemError(
        .denied, "the staging directory \(path) belongs to another user, or others may write in it: give one of your own with mode 0700")
    }
    return descriptor
  }
}

extension FilesystemError {
  /// What a system call on local files failed with.
  init(_ number: Int32, _ what: String) {
    let code: Code =
      switch number {
      case ENOSPC, EDQUOT: .noSpace
      case EMFILE, ENFILE, ENOMEM: .outOfMemory
      case EFBIG: .tooLarge
      case EACCES, EPERM, EROFS: .denied
      case ENOENT, ENOTDIR, ENAMETOOLONG: .invalid
      default: .failed
      }
    self.init(code, "\(what): \(String(cString: strerror(number)))")
  }
}
