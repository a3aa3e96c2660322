// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Iceberg
import Testing

@testable import CatalogFS

@Suite("Staging area")
final class StagingTests {
  private let scratch = ScratchDirectory()

  @Test("A file reads back what was written, with zeros in its gaps, and is cut at its end", arguments: [true, false])
  func content(hasUnnamedFiles: Bool) throws {
    let area = try StagingArea(directory: scratch.path, capacity: 1 << 20, hasUnnamedFiles: hasUnnamedFiles)
    let file = try area.makeFile()
    #expect(scratch.names.isEmpty)
    try file.write([1, 2, 3], at: 0)
    try file.write([9], at: 6)
    try file.write([8], at: 1)
    #expect(file.size == 7)
    #expect(try file.read(0..<100) == [1, 8, 3, 0, 0, 0, 9])
    #expect(try file.read(2..<4) == [3, 0])
    #expect(try file.read(7..<9) == [])
    try file.truncate(to: 2)
    try file.truncate(to: 4)
    #expect(try file.read(0..<10) == [1, 8, 0, 0])
    #expect(throws: FilesystemError.self) { try file.write([1], at: -1) }
    #expect(throws: FilesystemError.self) { try file.truncate(to: -1) }
    #expect(Self.code { try file.write([1], at: .max) } == .tooLarge)
  }

  @Test("The directory is made with what is missing of its way, for its owner only")
  func makes() throws {
    let path = scratch.path + "/a/b"
    _ = try StagingArea(directory: path + "/", capacity: 0)
    for made in [path, scratch.path + "/a"] {
      #expect(ScratchDirectory.mode(made) == 0o700)
    }
  }

  @Test("A directory that others may write, that is a link, or that is none is refused")
  func refuses() throws {
    let path = scratch.path + "/shared"
    mkdir(path, 0o700)
    for mode in [0o720, 0o702, 0o777] as [mode_t] {
      chmod(path, mode)
      #expect(Self.code { try StagingArea(directory: path, capacity: 1) } == .denied)
    }
    chmod(path, 0o755)
    _ = try StagingArea(directory: path, capacity: 1)
    symlink(path, scratch.path + "/link")
    for link in ["/link", "/link/", "/link//"] {
      #expect(Self.code { try StagingArea(directory: scratch.path + link, capacity: 1) } == .denied)
    }
    close(open(scratch.path + "/file", O_CREAT | O_WRONLY, 0o600))
    #expect(Self.code { try StagingArea(directory: scratch.path + "/file", capacity: 1) } == .denied)
    #expect(Self.code { try StagingArea(directory: scratch.path + "/none", capacity: -1) } == .invalid)
    if geteuid() == 0 {
      chown(path, 65534, 65534)
      #expect(Self.code { try StagingArea(directory: path, capacity: 1) } == .denied)
    }
  }

  @Test("All files together hold what the cap allows; what is cut or dropped is given back")
  func cap() throws {
    let area = try StagingArea(directory: scratch.path, capacity: 100_000)
    let one = try area.makeFile()
    #expect(area.used == 0)
    try one.write([1], at: 0)
    #expect(area.used == 4096)
    try one.write([UInt8](repeating: 1, count: 4095), at: 1)
    #expect(area.used == 4096)
    do {
      let other = try area.makeFile()
      try other.write([UInt8](repeating: 2, count: 95_904), at: 0)
      #expect(area.used == 100_000)
      #expect(Self.code { try one.write([1], at: 4096) } == .noSpace)
      #expect(Self.code { try one.truncate(to: 4097) } == .noSpace)
      #expect(one.size == 4096)
      try one.write([7], at: 4095)
      try other.truncate(to: 90_000)
      #expect(area.used == 4096 + 90_112)
      try one.write([1], at: 4096)
    }
    #expect(area.used == 8192)
    try one.truncate(to: 0)
    #expect(area.used == 0)
    // By size: a later write into the gap cannot fail.
    try one.write([1], at: 99_999)
    #expect(area.used == 100_000)
    #expect(Self.code { try one.write([1], at: 100_000) } == .noSpace)
    try one.write([UInt8](repeating: 3, count: 100_000), at: 0)
  }

  @Test("What is discarded is given back, on the disk too, and the rest stays where it is", arguments: [true, false])
  func discard(hasUnnamedFiles: Bool) throws {
    let area = try StagingArea(directory: scratch.path, capacity: 1 << 20, hasUnnamedFiles: hasUnnamedFiles)
    let file = try area.makeFile()
    try file.write([UInt8](repeating: 5, count: 100_000), at: 0)
    file.discard(before: 50_000)
    #expect(area.used == 53_248)
    #expect(try file.read(50_000..<200_000) == [UInt8](repeating: 5, count: 50_000))
    #expect(Self.code { _ = try file.read(49_999..<50_001) } == .busy)
    #expect(Self.code { try file.write([1], at: 49_999) } == .tooLarge)
    file.discard(before: 200_000)
    #expect(area.used == 0 && file.size == 200_000)
    try file.write([6], at: 200_002)
    #expect(try file.read(200_000..<300_000) == [0, 0, 6])
    #expect(area.used == 4096)
  }

  @Test("A file can be an upload's content, in any range within its size")
  func uploads() async throws {
    let area = try StagingArea(directory: scratch.path, capacity: 1 << 24)
    let file = try area.makeFile()
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try file.write(bytes, at: 0)
    #expect(try await file.bytes(0..<3_000_000) == bytes)
    #expect(try await file.bytes(5..<2_000_007) == Array(bytes[5..<2_000_007]))
    await #expect(throws: FileIOError.self) { try await file.bytes(0..<3_000_001) }
  }

  private static func code(_ body: () throws -> some Any) -> FilesystemError.Code? {
    do {
      _ = try body()
      return nil
    } catch {
      return (error as? FilesystemError)?.code
    }
  }
}

/// A directory of its own for a test, removed with what is in it.
final class ScratchDirectory: Sendable {
  let path: String

  init() {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    path = "\(base)/bergfs-staging-\(UInt64.random(in: 0 ... .max))"
    mkdir(path, 0o700)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  var names: [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  static func mode(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
  }
}
