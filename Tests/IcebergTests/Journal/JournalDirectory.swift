// SPDX-License-Identifier: Apache-2.0

import Glibc
import Iceberg
import Testing

/// A directory for journals that goes with the test.
final class JournalDirectory: Sendable {
  let path: String
  private let parent: String

  init() throws {
    var template = Array("/tmp/bergfs-journal-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } }
    parent = try #require(made)
    path = "\(parent)/journals"
  }

  deinit {
    for name in names { unlink("\(path)/\(name)") }
    unlink(path)
    rmdir(path)
    rmdir(parent)
  }

  /// Files in it.
  var names: [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// The text of the only file in it.
  func text() throws -> String {
    try #require(names.count == 1)
    return String(decoding: try bytes(names[0]), as: UTF8.self)
  }

  func bytes(_ name: String) throws -> [UInt8] {
    let file = try #require(fopen("\(path)/\(name)", "r"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 16 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
  }

  /// Appends bytes to a file, or makes it.
  func append(_ text: String, to name: String) throws {
    let file = try #require(fopen("\(path)/\(name)", "a"))
    fputs(text, file)
    fclose(file)
  }

  func mode(_ path: String) -> mode_t {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
  }

  func leftBehind(_ label: String = "lake") throws -> [AbandonedWrite] {
    try FileWriteJournal.leftBehind(in: path, label: label)
  }
}
