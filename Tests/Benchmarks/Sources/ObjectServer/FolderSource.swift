// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// The regular files below one folder as objects; a file's path below the folder is its key.
///
/// Names that are not UTF-8 are left out, as S3 has no such keys.
package final class FolderSource: ObjectSource {
  private struct Entry: Sendable {
    /// The name; a directory's ends in a slash, so that the order of names is the order of keys.
    var name: [UInt8]
    var isDirectory: Bool
  }

  private struct CachedDirectory: Sendable {
    var modified: (seconds: Int, nanoseconds: Int)
    var entries: [Entry]
  }

  private let root: [UInt8]
  /// Sorted names of each directory seen, valid while its time of change stands.
  private let directories = Mutex<[[UInt8]: CachedDirectory]>([:])

  /// Serves the folder at `root`, a path without a trailing slash.
  package init(root: String) {
    self.root = Array(root.utf8)
  }

  package func open(_ key: [UInt8]) -> OpenObject? {
    guard FolderSource.isPath(key) else { return nil }
    // O_NONBLOCK: a FIFO in the folder must not hold the connection's thread.
    let raw = Glibc.open(cPath(key), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard raw >= 0 else { return nil }
    let descriptor = OwnedDescriptor(raw: raw)
    var status = stat()
    guard fstat(raw, &status) == 0, let facts = FolderSource.facts(status) else { return nil }
    return OpenObject(facts: facts, content: .file(descriptor))
  }

  package func first(atOrAfter key: [UInt8]) -> ListedObject? {
    first(below: [], from: key[...])
  }

  /// The first object below `prefix` (empty, or ending in a slash) whose key without that prefix is not before `rest`.
  private func first(below prefix: [UInt8], from rest: ArraySlice<UInt8>) -> ListedObject? {
    let entries = entries(of: prefix)
    let start = FolderSource.lowerBound(entries, rest)
    // A directory whose name `rest` begins with sorts just before `rest` and may still hold later keys.
    if start > 0, entries[start - 1].isDirectory, rest.starts(with: entries[start - 1].name) {
      let entry = entries[start - 1]
      if let found = first(below: prefix + entry.name, from: rest.dropFirst(entry.name.count)) { return found }
    }
    for entry in entries[start...] {
      let key = prefix + entry.name
      if entry.isDirectory {
        if let found = first(below: key, from: []) { return found }
        continue
      }
      var status = stat()
      if stat(cPath(key), &status) == 0, let facts = FolderSource.facts(status) { return ListedObject(key: key, facts: facts) }
    }
    return nil
  }

  private func entries(of prefix: [UInt8]) -> [Entry] {
    let path = cPath(prefix)
    var status = stat()
    guard stat(path, &status) == 0 else { return [] }
    let modified = (seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    if let cached = directories.withLock({ $0[prefix] }), cached.modified == modified { return cached.entries }
    let entries = FolderSource.read(path)
    directories.withLock { $0[prefix] = CachedDirectory(modified: modified, entries: entries) }
    return entries
  }

  private static func read(_ path: [CChar]) -> [Entry] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var entries: [Entry] = []
    while let entry = readdir(directory) {
      var name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name == Array(".".utf8) || name == Array("..".utf8) || String(validating: name, as: UTF8.self) == nil { continue }
      var isDirectory = Int32(entry.pointee.d_type) == Int32(DT_DIR)
      if Int32(entry.pointee.d_type) == Int32(DT_LNK) || Int32(entry.pointee.d_type) == Int32(DT_UNKNOWN) {
        var status = stat()
        let full = path.dropLast() + [CChar(UInt8(ascii: "/"))] + name.map { CChar(bitPattern: $0) } + [0]
        isDirectory = stat(Array(full), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
      }
      if isDirectory { name.append(UInt8(ascii: "/")) }
      entries.append(Entry(name: name, isDirectory: isDirectory))
    }
    return entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  private static func lowerBound(_ entries: [Entry], _ key: ArraySlice<UInt8>) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].name.lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Whether a key names a file below the root: no empty, `.` or `..` segment and no NUL.
  private static func isPath(_ key: [UInt8]) -> Bool {
    !key.contains(0)
      && key.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        .allSatisfy { !$0.isEmpty && Array($0) != Array(".".utf8) && Array($0) != Array("..".utf8) }
  }

  private static func facts(_ status: stat) -> ObjectFacts? {
    guard status.st_mode & S_IFMT == S_IFREG else { return nil }
    let modified = (seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    return ObjectFacts(size: Int(status.st_size), modified: modified, identity: UInt64(status.st_ino))
  }

  private func cPath(_ key: [UInt8]) -> [CChar] {
    (root + [UInt8(ascii: "/")] + key + [0]).map { CChar(bitPattern: $0) }
  }
}
