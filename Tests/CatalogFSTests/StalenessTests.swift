// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

@testable import CatalogFS

@Suite("What was asked for before a change never hides it")
struct StalenessTests {
  @Test("Files of a commit are found as soon as its pointer shows, although a listing from before it is within its time to live")
  func filesOfCommit() async throws {
    let tree = Tree()
    let first = tree.commit(["n"], "t", number: 1)
    tree.put("s3://lake/n/t/data/old.parquet", [1])
    try await tree.walk("n", "t", "metadata")
    tree.time.advance(by: .milliseconds(900))
    let metadata = try await tree.walk("n", "t", "metadata").attributes.inode
    let data = try await tree.walk("n", "t", "data").attributes.inode
    _ = try await tree.list(inode: metadata)
    _ = try await tree.list(inode: data)
    tree.put("s3://lake/n/t/metadata/snap-2.avro", [1])
    tree.put("s3://lake/n/t/data/new.parquet", [1])
    tree.commit(["n"], "t", number: 2, log: [first])
    tree.time.advance(by: .milliseconds(200))
    let link = try await tree.filesystem.lookup(parent: metadata, name: Array("current.metadata.json".utf8)).attributes.inode
    let target = try await tree.filesystem.readlink(inode: link)
    #expect(String(decoding: target, as: UTF8.self).hasPrefix("00002"))
    _ = try await tree.filesystem.lookup(parent: metadata, name: target)
    _ = try await tree.filesystem.lookup(parent: metadata, name: Array("snap-2.avro".utf8))
    _ = try await tree.filesystem.lookup(parent: data, name: Array("new.parquet".utf8))
    #expect(try await tree.list(inode: metadata).contains("snap-2.avro"))
    #expect(try await tree.list(inode: data) == ["new.parquet", "old.parquet"])
  }

  @Test("An old page of a listing of tables is no new look at their pointers, though a later page was just asked for")
  func oldPageOfTables() async throws {
    let tree = Tree(tablePageSize: 1)
    for name in ["a", "b", "c", "d", "e"] { tree.commit(["n"], name, number: 1) }
    let namespace = try await tree.walk("n").attributes.inode
    let handle = try await tree.filesystem.openDirectory(inode: namespace).handle
    defer { tree.filesystem.release(handle: handle) }
    func read(_ cookie: UInt64, _ count: Int) async throws -> UInt64 {
      let receiver = Receiver(limit: count, wantsAttributes: true)
      try await tree.filesystem.readDirectory(inode: namespace, handle: handle, cookie: cookie, into: receiver)
      return receiver.entries.last?.next ?? 0
    }
    let afterTwo = try await read(0, 2)
    tree.time.advance(by: .seconds(5))
    tree.commit(["n"], "a", number: 2)
    _ = try await read(afterTwo, 2)
    _ = try await read(0, 1)
    #expect(try await tree.read("n", "a", "metadata", "version-hint.text") == "2")
  }

  @Test("An old page of a listing of objects is asked for again, though a later page was just asked for")
  func oldPageOfObjects() async throws {
    let tree = Tree(pageSize: 1)
    tree.commit(["n"], "t")
    for name in ["b", "c", "d", "e", "f", "g", "h", "i"] { tree.put("s3://lake/n/t/data/\(name)", [1]) }
    let data = try await tree.walk("n", "t", "data").attributes.inode
    let handle = try await tree.filesystem.openDirectory(inode: data).handle
    defer { tree.filesystem.release(handle: handle) }
    let first = Receiver(limit: 2, wantsAttributes: true)
    try await tree.filesystem.readDirectory(inode: data, handle: handle, cookie: 0, into: first)
    tree.time.advance(by: .seconds(5))
    tree.put("s3://lake/n/t/data/b", [1, 2])
    tree.put("s3://lake/n/t/data/a", [1])
    let cookie = try #require(first.entries.last?.next)
    try await tree.filesystem.readDirectory(
      inode: data, handle: handle, cookie: cookie, into: Receiver(limit: 2, wantsAttributes: true))
    #expect(try await tree.filesystem.lookup(parent: data, name: Array("b".utf8)).attributes.size == 2)
    #expect(try await tree.list(inode: data) == ["a", "b", "c", "d", "e", "f", "g", "h", "i"])
  }

  @Test(
    "A metadata file that cannot be read just now is an error, not a guess at another data directory",
    arguments: [
      FileIOError.Code.timedOut, .denied, .failed,
    ])
  func transientFailure(code: FileIOError.Code) async throws {
    let tree = Tree()
    tree.commit(["n"], "t", properties: ["write.data.path": "s3://lake/bulk/t"])
    tree.put("s3://lake/bulk/t/f", [1])
    tree.put("s3://lake/n/t/data/other", [1])
    tree.files.faults.fail(with: FileIOError(code: code, message: "not now"), where: { $0.isRead })
    let error = await #expect(throws: FilesystemError.self) { try await tree.list("n", "t", "data") }
    #expect(error?.message == "not now")
    #expect(try await tree.list("n", "t", "data") == ["f"])
  }

  @Test("A metadata file that is broken is read once in a time to live, not once a name")
  func brokenOnce() async throws {
    let tree = Tree()
    let pointer = tree.commit(["n"], "t")
    tree.put(pointer, Array("<html>".utf8))
    for file in 0..<20 { tree.put("s3://lake/n/t/data/f\(file)", [1]) }
    let data = try await tree.walk("n", "t", "data").attributes.inode
    for file in 0..<20 { _ = try await tree.filesystem.lookup(parent: data, name: Array("f\(file)".utf8)) }
    #expect(tree.files.faults.count { $0.isRead } == 1)
    tree.put(pointer, Array(Tree.metadata(location: "s3://lake/n/t").utf8))
    tree.time.advance(by: .seconds(2))
    #expect(try await tree.list("n", "t", "data").count == 20)
    let link = try await tree.walk("n", "t", "metadata", "current.metadata.json").attributes.inode
    _ = try await tree.filesystem.readlink(inode: link)
  }

  @Test("Who looks after a refresh does not join a question that was asked before it", .timeLimit(.minutes(1)))
  func refreshWhileAsking() async throws {
    let catalog = AnswerLater()
    let identifier = TableIdentifier(namespace: Namespace(["n"]), name: "t")
    func entry(_ number: Int) -> TableEntry {
      TableEntry(identifier: identifier, metadataLocation: "s3://lake/\(number)", version: nil, modified: nil)
    }
    let time = TestClock(clock: .init())
    let freshness = Freshness(timeToLive: .seconds(1), now: { time.now })
    let table = TableState(
      key: TableKey(identifier: identifier, generation: 0), catalog: catalog, freshness: freshness, largestMetadata: 1 << 20)
    let before = Task { try await table.entry() }
    await catalog.waitForCalls(1)
    freshness.expireAll()
    time.advance(by: .milliseconds(1))
    let after = Task { try await table.entry() }
    await catalog.waitForCalls(2)
    catalog.answer(1, entry(2))
    #expect(try await after.value == entry(2))
    catalog.answer(0, entry(1))
    #expect(try await before.value == entry(1))
    #expect(try await table.entry() == entry(2))
  }
}
