// SPDX-License-Identifier: Apache-2.0

import Glibc
import Processes

/// A locked file of journal lines. All calls block.
struct JournalFile: ~Copyable {
  static let suffix = ".journal"

  let path: String
  private let descriptor: Int32
  /// Bytes up to the end of the last line known to be whole.
  private(set) var size: Int64
  /// Set where a line may stand torn behind ``size`` and could not be cut off.
  private var isTorn = false
  private(set) var replay = JournalReplay()

  /// - Parameter descriptor: is closed with this value.
  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
    size = 0
  }

  /// A new file of a random name, locked, with lines that are on disk.
  static func create(in directory: String, _ records: [JournalRecord]) throws(FileIOError) -> JournalFile {
    while true {
      guard var file = try createEmpty(in: directory) else { continue }
      do {
        try file.append(records)
        try file.sync()
        try syncDirectory(directory)
      } catch {
        file.remove()
        throw error
      }
      return file
    }
  }

  /// Nil if another process took the file for a dead one's between its creation and its lock: then the next name is tried.
  private static func createEmpty(in directory: String) throws(FileIOError) -> JournalFile? {
    let path = "\(directory)/\(RandomUUID.text())\(suffix)"
    let descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw error(path, "created") }
    let file = JournalFile(path: path, descriptor: descriptor)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let number = errno
      file.remove()
      if number == EWOULDBLOCK { return nil }
      throw error(path, "locked", number)
    }
    guard file.isLinked else { return nil }
    return file
  }

  /// A file that is there, if its lock is free: its daemon is dead. Nil if it is held, or the file is gone.
  static func claim(_ path: String) throws(FileIOError) -> JournalFile? {
    let descriptor = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw error(path, "opened")
    }
    var file = JournalFile(path: path, descriptor: descriptor)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      if errno == EWOULDBLOCK { return nil }
      throw error(path, "locked")
    }
    guard file.isLinked else { return nil }
    let text = try bytes(of: descriptor, path)
    file.replay = JournalReplay(text)
    file.size = Int64(text.count)
    file.isTorn = file.replay.isTorn
    return file
  }

  /// False once its name is gone.
  private var isLinked: Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_nlink > 0
  }

  deinit {
    Self.release(descriptor)
  }

  /// Unlocks before it closes: a child process that is just being started holds a copy of the descriptor until its program begins.
  private static func release(_ descriptor: Int32) {
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// The lines of a file whose lock someone holds; nil if nobody does, or it is gone.
  static func replayIfAlive(_ path: String) throws(FileIOError) -> JournalReplay? {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw error(path, "opened")
    }
    defer { release(descriptor) }
    // A shared lock is enough to ask, and does not make a third process take the file for a living one's.
    if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return nil }
    guard errno == EWOULDBLOCK else { throw error(path, "locked") }
    return JournalReplay(try bytes(of: descriptor, path))
  }

  /// Writes lines at the end; on an error none of them stands.
  mutating func append(_ records: [JournalRecord]) throws(FileIOError) {
    var text: [UInt8] = isTorn ? [UInt8(ascii: "\n")] : []
    for record in records { text += record.line }
    var written = 0
    while written < text.count {
      let count = text[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let number = count == 0 ? ENOSPC : errno
        isTorn = (isTorn || written > 0) && ftruncate(descriptor, off_t(size)) != 0
        throw Self.error(path, "written", number)
      }
      written += count
    }
    isTorn = false
    size += Int64(text.count)
    for record in records { replay.take(record) }
  }

  func sync() throws(FileIOError) {
    while fdatasync(descriptor) != 0 {
      guard errno == EINTR else { throw Self.error(path, "written to disk") }
    }
  }

  func remove() {
    unlink(path)
  }

  /// Paths of the journals in a directory; none if it does not exist.
  static func paths(in directory: String) throws(FileIOError) -> [String] {
    guard let stream = opendir(directory) else {
      if errno == ENOENT { return [] }
      throw error(directory, "listed")
    }
    defer { closedir(stream) }
    var paths: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name.hasSuffix(suffix) { paths.append("\(directory)/\(name)") }
    }
    return paths.sorted()
  }

  /// Makes the directory, for this user alone. Throws where others could put journals of theirs into it.
  static func prepare(directory: String) throws(FileIOError) {
    guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw error(directory, "created") }
    var status = stat()
    guard stat(directory, &status) == 0 else { throw error(directory, "looked at") }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw error(directory, "used", ENOTDIR) }
    guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
      throw FileIOError(
        code: .failed,
        message: "\(directory) cannot keep the journal of writes: it belongs to another user or others may write to it; "
          + "choose another directory, or make it yours with mode 0700.")
    }
  }

  private static func syncDirectory(_ directory: String) throws(FileIOError) {
    let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw error(directory, "opened") }
    defer { close(descriptor) }
    // Some filesystems cannot sync a directory, and say so.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw error(directory, "written to disk") }
  }

  private static func bytes(of descriptor: Int32, _ path: String) throws(FileIOError) -> [UInt8] {
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(text.count)) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw error(path, "read") }
      if count == 0 { return text }
      text += chunk[..<count]
    }
  }

  private static func error(_ path: String, _ what: String, _ number: Int32 = errno) -> FileIOError {
    let advice =
      switch number {
      case ENOSPC, EDQUOT: "make room on its filesystem"
      case EACCES, EPERM, EROFS: "give this user the right to write there, or choose another directory"
      case ENOENT: "its parent directory must exist"
      default: "look after its filesystem, or choose another directory"
      }
    return FileIOError(
      code: .failed,
      message: "The journal of writes \(path) cannot be \(what): \(SystemError.text(number)); \(advice). Nothing is uploaded "
        + "without it.")
  }
}
