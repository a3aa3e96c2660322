// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import CatalogFS

/// The paths of a snapshot in memory.
@Suite struct FileTreeTests {
  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static func tree(_ paths: [String], parts: Int = 1) -> FileTree {
    var unsorted = Array(repeating: UnsortedPaths(), count: parts)
    for (index, path) in paths.enumerated() {
      unsorted[index % parts].append(bytes(path), SnapshotFile(size: Int64(path.utf8.count), addedBy: index % 3))
    }
    return FileTree.merged(unsorted.map { $0.sorted() }, limit: .max) ?? FileTree()
  }

  /// Names in a directory, in steps of so many.
  private static func children(_ tree: FileTree, _ prefix: String, step: Int) -> [String] {
    var names: [String] = []
    var next = 0
    while true {
      var left = step
      tree.forEachChild(of: bytes(prefix), from: next) { child, behind in
        guard left > 0 else { return false }
        left -= 1
        next = behind
        switch child {
        case .file(let name, _): names.append(String(decoding: name, as: UTF8.self))
        case .directory(let name): names.append(String(decoding: name, as: UTF8.self) + "/")
        }
        return true
      }
      if left > 0 { return names }
    }
  }

  @Test("A tree of random paths holds what a sorted list holds, however many parts it was joined from", arguments: [1, 2, 9])
  func model(parts: Int) {
    var random = SystemRandomNumberGenerator()
    var paths: Set<String> = []
    while paths.count < 700 {
      let depth = Int.random(in: 1...4, using: &random)
      paths.insert(
        (0..<depth).map { _ in ["a", "b", "a-b", "", "day=1", "long-\(Int.random(in: 0..<60, using: &random))"].randomElement() ?? "" }
          .joined(separator: "/"))
    }
    let tree = Self.tree(Array(paths) + Array(paths.prefix(50)), parts: parts)
    #expect(tree.count == paths.count)
    for path in paths { #expect(tree.find(Self.bytes(path))?.size == Int64(path.utf8.count), "\(path)") }
    for path in ["", "c", "a/", "day=1/x", "zzz"] where !paths.contains(path) { #expect(tree.find(Self.bytes(path)) == nil, "\(path)") }
    let directories = Set(paths.flatMap { path in path.utf8.indices.filter { path.utf8[$0] == 0x2F }.map { String(path[...$0]) } })
    for directory in Array(directories.prefix(200)) + [""] {
      #expect(tree.holdsDirectory(Self.bytes(directory)))
      let inside = paths.filter { $0.utf8.starts(with: directory.utf8) }.map { String(Substring($0.utf8.dropFirst(directory.utf8.count))) }
      let expected = Set(inside.map { path in path.firstIndex(of: "/").map { String(path[...$0]) } ?? path })
      for step in [1, 3, 1_000] {
        let children = Self.children(tree, directory, step: step)
        #expect(children.count == expected.count && Set(children) == expected, "\(directory) by \(step)")
      }
    }
    for path in paths { #expect(tree.isClash(Self.bytes(path)) == directories.contains(path + "/"), "\(path)") }
    #expect(!tree.holdsDirectory(Self.bytes("nowhere/")))
  }

  @Test("A quarter of a million files take less than 16 MiB, and any one is found without going over them")
  func quarterMillion() {
    let clock = ContinuousClock()
    var parts: [FileTree] = []
    var random: UInt64 = 1
    func hexadecimal() -> String {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let digits = String(random >> 4, radix: 16)
      return String(repeating: "0", count: 15 - digits.utf8.count) + digits
    }
    var path = ""
    for manifest in 0..<25 {
      var unsorted = UnsortedPaths()
      for file in 0..<10_000 {
        // As Spark names them: a UUID a task, and the file's number.
        path = "day=2026-11-\(10 + manifest % 20)/00000-\(file)-\(hexadecimal())-\(hexadecimal())-00001.parquet"
        unsorted.append(path.utf8, SnapshotFile(size: 30_000_000 + Int64(file), addedBy: manifest))
      }
      parts.append(unsorted.sorted())
    }
    let tree = FileTree.merged(parts, limit: 16 << 20)
    #expect(tree?.count == 250_000)
    #expect((tree?.cost ?? .max) < 16 << 20, "\(tree?.cost ?? 0)")
    let found = clock.measure {
      for _ in 0..<1_000 { _ = tree?.find(Array(path.utf8)) }
    }
    #expect(tree?.find(Array(path.utf8))?.size == 30_009_999)
    #expect(found < .seconds(1))
    #expect(FileTree.merged(tree.map { [$0] } ?? [], limit: 1 << 20) == nil)
  }
}
