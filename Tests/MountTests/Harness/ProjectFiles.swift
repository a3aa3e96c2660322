// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where the project's programs are.
enum ProjectFiles {
  static let root = ascend(#filePath, by: 4)
  static let scripts = root + "/mount-scripts/lib"
  static let clientsPython = root + "/.build-tools/clients/bin/python"
  /// The program under test: it lies beside the test bundle that runs now.
  static let bergfs = ascend(realPath("/proc/self/exe"), by: 1) + "/bergfs"

  static func realPath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  private static func ascend(_ path: String, by levels: Int) -> String {
    "/" + path.split(separator: "/").dropLast(levels).joined(separator: "/")
  }
}

/// A directory that nobody else uses.
struct TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/bergfs-mount-test.XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    guard let made else { throw HarnessError("no temporary directory: errno \(errno)") }
    path = made
  }

  func file(_ name: String) -> String { path + "/" + name }

  /// Makes or replaces a file.
  func write(_ text: String, to name: String, mode: mode_t = 0o600) throws {
    try write(Array(text.utf8), to: name, mode: mode)
  }

  func write(_ bytes: [UInt8], to name: String, mode: mode_t = 0o600) throws {
    let descriptor = open(file(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw HarnessError("\(file(name)): errno \(errno)") }
    defer { close(descriptor) }
    let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    guard written == bytes.count, fchmod(descriptor, mode) == 0 else { throw HarnessError("\(file(name)): errno \(errno)") }
  }

  /// Removes it with all that is in it, but nothing that is mounted below.
  func remove() async {
    _ = try? await Shell.run("rm", ["-rf", "--one-file-system", path])
  }
}
