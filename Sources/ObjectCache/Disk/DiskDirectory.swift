// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A call on the disk that failed.
package struct DiskFailure: Error, Sendable, CustomStringConvertible {
  package enum Call: String, Sendable {
    case open, create, read, write, stat, truncate, rename, unlink, thread
  }

  package var call: Call
  package var number: Int32

  /// - Parameter number: of the call just made, where none is given.
  init(_ call: Call, number: Int32 = errno) {
    self.call = call
    self.number = number
  }

  package var description: String { "\(call.rawValue): \(String(cString: strerror(number)))" }
  /// Whether there is no room: on the disk, or for this user.
  var isFull: Bool { number == ENOSPC || number == EDQUOT }
  /// Whether it is the file that cannot be used, and not the directory.
  var concernsFile: Bool { call == .read || number == ELOOP }
}

/// The directory of the disk cache, and all calls that are made in it. All of them block.
///
/// The directory is held open: what its path leads to later makes no difference.
final class DiskDirectory: Sendable {
  /// What is known of a file without opening it.
  struct Entry: Sendable {
    var name: DiskBlockName
    /// Bytes of the disk.
    var bytes: Int64
    /// Nanoseconds since 1970, when it was written or last used.
    var modified: Int64
  }

  private let descriptor: Int32

  init(_ path: String) throws(DiskFailure) {
    descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw DiskFailure(.open) }
  }

  deinit {
    close(descriptor)
  }

  /// A block's file, to be read; nil if there is none.
  func open(_ name: DiskBlockName) throws(DiskFailure) -> DiskFile? {
    // Not waiting for who writes into a pipe that someone put there.
    let file = openat(descriptor, name.fileName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    if file < 0, errno == ENOENT { return nil }
    guard file >= 0 else { throw DiskFailure(.open) }
    return DiskFile(file)
  }

  /// A new file for the user alone, under a name that nobody has.
  func create(_ temporary: String) throws(DiskFailure) -> DiskFile {
    let file = openat(descriptor, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw DiskFailure(.create) }
    return DiskFile(file)
  }

  /// Gives a whole file its name, in one step; another one of that name is gone.
  func publish(_ temporary: String, as name: DiskBlockName) throws(DiskFailure) {
    guard renameat(descriptor, temporary, descriptor, name.fileName) == 0 else { throw DiskFailure(.rename) }
  }

  /// That it is gone already is no failure.
  func remove(_ fileName: String) throws(DiskFailure) {
    guard unlinkat(descriptor, fileName, 0) == 0 || errno == ENOENT else { throw DiskFailure(.unlink) }
  }

  /// Calls back for every block, and removes temporary files that have not changed for `age` seconds: their daemons are dead. Other files are left alone.
  func scan(removingTemporariesOlderThan age: Int64, _ body: (Entry) -> Void) throws(DiskFailure) {
    let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0 else { throw DiskFailure(.open) }
    guard let stream = fdopendir(copy) else {
      close(copy)
      throw DiskFailure(.open)
    }
    defer { closedir(stream) }
    let now = Int64(time(nil))
    while let entry = readdir(stream) {
      let fileName = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      let name = DiskBlockName(fileName: fileName)
      guard name != nil || DiskBlockName.isTemporary(fileName) else { continue }
      var status = stat()
      guard fstatat(descriptor, fileName, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
      if let name {
        let modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        body(Entry(name: name, bytes: DiskFile.bytes(status), modified: modified))
      } else if now - Int64(status.st_mtim.tv_sec) >= age {
        try remove(fileName)
      }
    }
  }

  /// Bytes that this user may still write; nil if the system does not tell.
  var freeBytes: Int64? {
    var status = statvfs()
    guard fstatvfs(descriptor, &status) == 0 else { return nil }
    let (bytes, overflows) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflows ? .max : Int64(clamping: bytes)
  }
}

/// An open file of the disk cache.
struct DiskFile: ~Copyable {
  private let descriptor: Int32

  fileprivate init(_ descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// Its length and what it takes of the disk, both in bytes, and the seconds since it was written or last used.
  func status() throws(DiskFailure) -> (length: Int64, bytes: Int64, age: Int64) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw DiskFailure(.stat) }
    let isRegular = status.st_mode & S_IFMT == S_IFREG
    return (isRegular ? Int64(status.st_size) : -1, Self.bytes(status), Int64(time(nil)) - Int64(status.st_mtim.tv_sec))
  }

  /// At least a page, so that files without content count too.
  fileprivate static func bytes(_ status: stat) -> Int64 {
    max(Int64(status.st_blocks) * 512, 4096)
  }

  /// - Returns: whether all bytes were there.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskFailure) -> Bool {
    var done = 0
    while done < buffer.count {
      let count = pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw DiskFailure(.read) }
      if count == 0 { return false }
      done += count
    }
    return true
  }

  /// Nil if not all bytes are there.
  func read(_ range: Range<Int>) throws(DiskFailure) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: range.count)
    let isWhole = bytes.withUnsafeMutableBytes { buffer in
      Result { () throws(DiskFailure) in try read(into: buffer, at: range.lowerBound) }
    }
    return try isWhole.get() ? bytes : nil
  }

  func write(_ bytes: [UInt8], at offset: Int) throws(DiskFailure) {
    try bytes.withUnsafeBytes { buffer in
      Result { () throws(DiskFailure) in try write(buffer, at: offset) }
    }.get()
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskFailure) {
    var done = 0
    while done < bytes.count {
      let count = pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw DiskFailure(.write, number: count == 0 ? ENOSPC : errno) }
      done += count
    }
  }

  func setLength(_ length: Int) throws(DiskFailure) {
    guard ftruncate(descriptor, off_t(length)) == 0 else { throw DiskFailure(.truncate) }
  }

  /// Notes that it was used. That this is not possible, on a read-only disk, does not matter.
  func touch() {
    futimens(descriptor, nil)
  }
}
