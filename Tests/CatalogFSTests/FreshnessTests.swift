// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Iceberg
import TestSupport
import Testing

@Suite("Freshness, requests and failures of the tree")
struct FreshnessTests {
  @Test("A foreign commit shows once the time to live is over, not before a request is due")
  func foreignCommit() async throws {
    let tree = Tree()
    tree.commit(["n"], "t", number: 1)
    #expect(try await tree.read("n", "t", "metadata", "version-hint.text") == "1")
    tree.catalog.faults.forgetCalls()
    tree.commit(["n"], "t", number: 2)
    #expect(try await tree.read("n", "t", "metadata", "version-hint.text") == "1")
    #expect(tree.catalog.faults.calls.isEmpty)
    tree.time.advance(by: .milliseconds(1_001))
    #expect(try await tree.read("n", "t", "metadata", "version-hint.text") == "2")
  }

  @Test("Walking N objects in D directories sends ceil(N/1000) + D listings and no HEAD, however slowly it goes")
  func walkRequests() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    for directory in 0..<5 {
      for file in 0..<1_200 { tree.put("s3://lake/n/t/data/d\(directory)/f\(file)", [1]) }
    }
    let data = try await tree.walk("n", "t", "data").attributes.inode
    tree.files.faults.forgetCalls()
    var files = 0
    for name in try await tree.list(inode: data, batch: 1_000) {
      tree.time.advance(by: .seconds(10))
      let directory = try await tree.filesystem.lookup(parent: data, name: Array(name.utf8)).attributes.inode
      files += try await tree.list(inode: directory, batch: 1_000).count
    }
    #expect(files == 6_000)
    #expect(tree.files.faults.count { $0.isHead } == 0)
    #expect(tree.files.faults.count { $0.isList } <= 6 + 6)
  }

  @Test("Looking at files of a listed directory sends nothing")
  func primed() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    for file in 0..<2_500 { tree.put("s3://lake/n/t/data/f\(file)", [1]) }
    let data = try await tree.walk("n", "t", "data").attributes.inode
    let names = try await tree.list(inode: data, batch: 100)
    #expect(names.count == 2_500)
    tree.files.faults.forgetCalls()
    for name in names { _ = try await tree.filesystem.lookup(parent: data, name: Array(name.utf8)) }
    #expect(tree.files.faults.calls.isEmpty)
  }

  @Test("A listing of tables brings their pointers: looking at each costs no request")
  func primedTables() async throws {
    let tree = Tree(tablePageSize: 10)
    for number in 0..<35 { tree.commit(["n"], "t\(number)") }
    let namespace = try await tree.walk("n").attributes.inode
    let names = try await tree.list(inode: namespace)
    #expect(names.count == 35)
    #expect(tree.catalog.faults.count { $0.isListTables } == 4)
    tree.catalog.faults.forgetCalls()
    for name in names {
      let entry = try await tree.filesystem.lookup(parent: namespace, name: Array(name.utf8))
      #expect(entry.attributes.modified > 1)
    }
    #expect(tree.catalog.faults.calls.isEmpty)
  }

  @Test("A name in a large directory costs the first page and one page around it, and so does its absence")
  func single() async throws {
    let tree = Tree(pageSize: 10)
    tree.commit(["n"], "t")
    for file in 100..<400 { tree.put("s3://lake/n/t/data/f\(file)", [1]) }
    let data = try await tree.walk("n", "t", "data").attributes.inode
    tree.files.faults.forgetCalls()
    let entry = try await tree.filesystem.lookup(parent: data, name: Array("f395".utf8))
    #expect(entry.attributes.size == 1)
    #expect(tree.files.faults.count { $0.isList } == 2)
    await #expect(throws: FilesystemError.self) { try await tree.filesystem.lookup(parent: data, name: Array("f3951".utf8)) }
    #expect(tree.files.faults.count { $0.isList } <= 3)
    #expect(tree.files.faults.count { $0.isHead } == 0)
  }

  @Test("Looking at every name of a large directory long after its listing, in any order, costs a listing anew now and then, and no HEAD")
  func agedListing() async throws {
    let tree = Tree(pageSize: 100)
    tree.commit(["n"], "t")
    for file in 0..<2_000 { tree.put("s3://lake/n/t/data/part-\(10_000 + file).parquet", [1]) }
    tree.put("s3://lake/n/t/data/part-10500.parquet/inner", [1])
    let data = try await tree.walk("n", "t", "data").attributes.inode
    let names = try await tree.list(inode: data, batch: 500)
    #expect(names.count == 2_001)
    for order in [names, names.shuffled()] {
      tree.time.advance(by: .seconds(100))
      tree.files.faults.forgetCalls()
      for name in order {
        tree.time.advance(by: .milliseconds(5))
        let entry = try await tree.filesystem.lookup(parent: data, name: Array(name.utf8))
        #expect(entry.attributes.size == (entry.attributes.kind == .directory ? 0 : 1))
      }
      // 20 pages, at most eight looks of their own before the directory is read anew, and the directory's listing.
      #expect(tree.files.faults.count { $0.isList } <= 40)
      #expect(tree.files.faults.count { $0.isHead } == 0)
    }
    for absent in ["part-10000", "zzz", "!"] {
      await #expect(throws: FilesystemError.self) { try await tree.filesystem.lookup(parent: data, name: Array(absent.utf8)) }
    }
  }

  @Test("Every name of a listing is found and no other, however many pages it has", arguments: 0...40)
  func everyPage(pages: Int) async throws {
    let tree = Tree(pageSize: 3)
    tree.commit(["n"], "t")
    // The last page is full, and at times holds a directory that shares its name with an object.
    let count = pages * 3
    for file in 0..<count { tree.put("s3://lake/n/t/data/f\(100 + file)", [1]) }
    if count > 0 { tree.put("s3://lake/n/t/data/f\(100 + count / 2)/x", [1]) }
    let data = try await tree.walk("n", "t", "data").attributes.inode
    let names = try await tree.list(inode: data, batch: 50)
    #expect(names.count == (count > 0 ? count + 1 : 0))
    tree.files.faults.forgetCalls()
    for name in names { _ = try await tree.filesystem.lookup(parent: data, name: Array(name.utf8)) }
    for absent in ["f", "f099", "f1000", "f\(100 + count)", "f100%", "g"] {
      await #expect(throws: FilesystemError.self) { try await tree.filesystem.lookup(parent: data, name: Array(absent.utf8)) }
    }
    // A complete listing that is fresh answers everything.
    #expect(tree.files.faults.count { $0.isList || $0.isHead } == 0)
  }

  @Test("In a large directory a deleted file is believed for half a minute, unless the table's pointer moves or refresh is read")
  func belief() async throws {
    let tree = Tree(pageSize: 500)
    tree.commit(["n"], "t", number: 1)
    for file in 100..<1_150 { tree.put("s3://lake/n/t/data/f\(file)", [1]) }
    let data = try await tree.walk("n", "t", "data").attributes.inode
    func isFound(_ name: String) async -> Bool {
      (try? await tree.filesystem.lookup(parent: data, name: Array(name.utf8))) != nil
    }
    _ = try await tree.list(inode: data, batch: 200)
    tree.files.delete(tree.location("s3://lake/n/t/data/f120"))
    tree.time.advance(by: .seconds(29))
    #expect(await isFound("f120"))
    tree.time.advance(by: .seconds(2))
    #expect(await !isFound("f120"))

    _ = try await tree.list(inode: data)
    tree.files.delete(tree.location("s3://lake/n/t/data/f121"))
    tree.time.advance(by: .seconds(5))
    tree.commit(["n"], "t", number: 2)
    try await tree.walk("n", "t", "metadata")
    #expect(await !isFound("f121"))

    _ = try await tree.list(inode: data)
    tree.files.delete(tree.location("s3://lake/n/t/data/f122"))
    _ = try await tree.read(".bergfs", "refresh")
    #expect(await !isFound("f122"))
  }

  @Test(
    "Names that desktops probe for send nothing, unless a listing holds them",
    arguments: [".git", ".hidden", ".Trash-1000", ".DS_Store", "._orders", "autorun.inf"])
  func probes(name: String) async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    let data = try await tree.walk("n", "t", "data").attributes.inode
    let namespace = try await tree.walk("n").attributes.inode
    tree.files.faults.forgetCalls()
    tree.catalog.faults.forgetCalls()
    for parent in [1, namespace, data] {
      await #expect(throws: FilesystemError.self) { try await tree.filesystem.lookup(parent: parent, name: Array(name.utf8)) }
    }
    #expect(tree.files.faults.calls.isEmpty)
    #expect(tree.catalog.faults.calls.isEmpty)
    tree.put("s3://lake/n/t/data/\(name)", [1])
    #expect(try await tree.list(inode: data) == [name])
    _ = try await tree.filesystem.lookup(parent: data, name: Array(name.utf8))
  }

  @Test("An object replaced at its key is a new inode; the same version keeps its number after it was forgotten")
  func inodes() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    tree.put("s3://lake/n/t/data/f", [1])
    let first = try await tree.walk("n", "t", "data", "f").attributes
    tree.filesystem.forget(inode: first.inode, count: 1)
    #expect(try await tree.walk("n", "t", "data", "f").attributes.inode == first.inode)
    tree.put("s3://lake/n/t/data/f", [1, 2])
    tree.time.advance(by: .seconds(2))
    let second = try await tree.walk("n", "t", "data", "f").attributes
    #expect(second.inode != first.inode)
    #expect(second.size == 2)
  }

  @Test("Forgotten inodes leave nothing behind")
  func forgetting() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    for file in 0..<50 { tree.put("s3://lake/n/t/data/f\(file)", [1]) }
    var seen: [UInt64: UInt64] = [:]
    func look(_ parent: UInt64, _ name: String) async throws -> UInt64 {
      let inode = try await tree.filesystem.lookup(parent: parent, name: Array(name.utf8)).attributes.inode
      seen[inode, default: 0] += 1
      return inode
    }
    let data = try await look(look(look(1, "n"), "t"), "data")
    for file in 0..<50 { _ = try await look(data, "f\(file % 7)") }
    for (inode, count) in seen { tree.filesystem.forget(inode: inode, count: count) }
    #expect(tree.filesystem.inodeCount == 1)
  }

  @Test("A handle reads one version: a replaced or removed object is stale")
  func stale() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    for change in [true, false] {
      tree.put("s3://lake/n/t/data/f", Array(repeating: 7, count: 100))
      tree.time.advance(by: .seconds(2))
      let inode = try await tree.walk("n", "t", "data", "f").attributes.inode
      let opened = try await tree.filesystem.open(inode: inode)
      if change { tree.put("s3://lake/n/t/data/f", [1]) } else { tree.files.delete(tree.location("s3://lake/n/t/data/f")) }
      let error = await #expect(throws: FilesystemError.self) {
        try await tree.filesystem.read(handle: opened.handle, offset: 0, size: 10)
      }
      #expect(error?.code == .stale)
      tree.filesystem.release(handle: opened.handle)
    }
  }

  @Test("A table whose metadata cannot be read still lists, and says why at its current file", arguments: ["gone", "text", "gzip"])
  func brokenMetadata(kind: String) async throws {
    let tree = Tree()
    let pointer = tree.commit(["n"], "t", number: 1)
    tree.put("s3://lake/n/t/data/f", [1])
    switch kind {
    case "gone": tree.files.delete(tree.location(pointer))
    case "text": tree.put(pointer, Array("<html>".utf8))
    default: tree.put(pointer, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0])
    }
    #expect(try await tree.list("n") == ["t"])
    #expect(try await tree.list("n", "t") == ["metadata", "data"])
    #expect(try await tree.list("n", "t", "data") == ["f"])
    #expect(try await tree.list("n", "t", "metadata").contains("current.metadata.json"))
    let link = try await tree.walk("n", "t", "metadata", "current.metadata.json").attributes.inode
    let error = await #expect(throws: FilesystemError.self) { try await tree.filesystem.readlink(inode: link) }
    #expect(error?.code == (kind == "gone" ? .notFound : .failed))
    #expect(error?.message.contains("00001-aaaaaaaa") == true)
  }

  @Test("A failed listing is an error for its reader and no answer for the next")
  func failedListing() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    tree.put("s3://lake/n/t/data/f", [1])
    let data = try await tree.walk("n", "t", "data").attributes.inode
    tree.files.faults.fail(with: FileIOError(code: .denied, message: "no"), where: { $0.isList })
    let error = await #expect(throws: FilesystemError.self) { try await tree.list(inode: data) }
    #expect(error?.code == .denied)
    #expect(try await tree.list(inode: data) == ["f"])
  }

  @Test("Many readers of one directory share its requests")
  func singleFlight() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    for file in 0..<100 { tree.put("s3://lake/n/t/data/f\(file)", [1]) }
    let data = try await tree.walk("n", "t", "data").attributes.inode
    tree.files.faults.forgetCalls()
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<20 { group.addTask { try await tree.list(inode: data).count } }
      for try await count in group { #expect(count == 100) }
    }
    #expect(tree.files.faults.count { $0.isList } == 1)
  }

  @Test("A cancelled reader leaves at once and the listing goes on for the others")
  func cancelled() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    tree.put("s3://lake/n/t/data/f", [1])
    let data = try await tree.walk("n", "t", "data").attributes.inode
    let gate = tree.files.faults.hold(where: { $0.isList })
    let leaving = Task { try await tree.list(inode: data) }
    let staying = Task { try await tree.list(inode: data) }
    await gate.waitForArrivals(1)
    leaving.cancel()
    let error = await #expect(throws: FilesystemError.self) { try await leaving.value }
    #expect(error?.code == .interrupted)
    gate.open()
    #expect(try await staying.value == ["f"])
  }
}
