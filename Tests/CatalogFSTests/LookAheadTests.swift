// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

@testable import CatalogFS

@Suite("What a walk asks for ahead")
struct LookAheadTests {
  private func tree(directories: Int) async throws -> (Tree, UInt64) {
    let tree = Tree(ttl: .seconds(10))
    tree.commit(["n"], "t")
    for number in 0..<directories { tree.put("s3://lake/n/t/data/day=\(100 + number)/f", [1]) }
    let data = try await tree.walk("n", "t", "data").attributes.inode
    _ = try await tree.list(inode: data)
    return (tree, data)
  }

  private func visit(_ number: Int, _ tree: Tree, _ data: UInt64) async throws {
    let inode = try await tree.filesystem.lookup(parent: data, name: Array("day=\(100 + number)".utf8)).attributes.inode
    #expect(try await tree.list(inode: inode) == ["f"])
  }

  private func lists(_ tree: Tree) -> Int { tree.files.faults.count { $0.isList } }

  @Test("A walk through directories in order asks for those that follow, for each once", .timeLimit(.minutes(1)))
  func wholeWalk() async throws {
    let (tree, data) = try await tree(directories: 40)
    try await visit(0, tree, data)
    #expect(lists(tree) == 2)
    try await visit(1, tree, data)
    await wait { self.lists(tree) == 3 + WalkDetector.depth }
    for number in 2..<40 { try await visit(number, tree, data) }
    #expect(lists(tree) == 41)
  }

  @Test("A single directory, the same one again, or one out of order causes no listing but its own")
  func noWalk() async throws {
    let (tree, data) = try await tree(directories: 40)
    var count = 1
    for number in [7, 7, 9, 3, 30, 1, 12] {
      try await visit(number, tree, data)
      count += number == 7 && count == 2 ? 0 : 1
    }
    #expect(lists(tree) == count)
  }

  @Test("A walk asks for no more ahead than it reaches within the time to live")
  func slowWalk() {
    var detector = WalkDetector()
    let start = ContinuousClock.now
    let parent = ObjectLocation(bucket: "lake", key: "d/")
    let siblings = (0..<20).map { "\($0 + 10)" }
    func open(_ index: Int, at seconds: Int) -> Int {
      detector.opened(
        siblings[index], in: parent, siblings: Array(siblings[(index + 1)...].prefix(8)), lifetime: .seconds(10),
        at: start.advanced(by: .seconds(seconds)))
    }
    #expect(open(0, at: 0) == 0)
    #expect(open(1, at: 0) == 8)
    #expect(open(2, at: 1) == 5)
    #expect(open(3, at: 3) == 2)
    #expect(open(4, at: 9) == 0)
    #expect(open(6, at: 9) == 0)
  }

  /// Waits for what goes on beside the caller.
  private func wait(_ isDone: () -> Bool) async {
    while !isDone() { await Task.yield() }
  }
}
