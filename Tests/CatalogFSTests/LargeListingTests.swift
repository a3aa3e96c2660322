// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import TestSupport
import Testing

@testable import CatalogFS

@Suite("Listings of any size in bounded memory")
struct LargeListingTests {
  private func listing(_ tree: Tree, keeping rows: Int) -> ObjectDirectoryListing {
    ObjectDirectoryListing(
      directory: tree.location("s3://lake/d/"), fileIO: tree.files, now: { tree.time.now }, rowsKept: rows)
  }

  private func names(_ listing: ObjectDirectoryListing) async throws -> [String] {
    var names: [String] = []
    var index = 0
    while let page = try await listing.pages.page(index) {
      names += page.items.map { String(decoding: page.name(of: $0), as: UTF8.self) }
      index += 1
    }
    return names
  }

  @Test("A long listing keeps its last pages and loads the others anew for whoever comes back")
  func emptiedPages() async throws {
    let tree = Tree(pageSize: 10)
    let all = (100..<300).map { "f\($0)" }
    for name in all { tree.put("s3://lake/d/\(name)", [1]) }
    let listing = listing(tree, keeping: 30)
    #expect(try await names(listing) == all)
    #expect(listing.pages.rowsInMemory <= 30)
    #expect(listing.rowCount == 200)
    #expect(tree.files.faults.count { $0.isList } == 20)
    for name in ["f100", "f155", "f299"] { #expect(try await listing.settledKnowledge(of: name)?.object != nil) }
    #expect(try await listing.settledKnowledge(of: "f1555")?.object == nil)
    // Two pages that were gone, the last one was not.
    #expect(tree.files.faults.count { $0.isList } == 22)
    #expect(try await names(listing) == all)
    #expect(listing.pages.rowsInMemory <= 30)
  }

  @Test("A page that is loaded anew covers the names it covered: none is lost and none shown twice, whatever came and went")
  func changedPages() async throws {
    let tree = Tree(pageSize: 5)
    for number in 100..<160 { tree.put("s3://lake/d/f\(number)", [1]) }
    for number in 0..<20 { tree.put("s3://lake/d/g\(number + 10)/f", [1]) }
    let listing = listing(tree, keeping: 10)
    let before = try await names(listing)
    #expect(before.count == 80)
    for number in 100..<140 where number % 3 == 0 { tree.put("s3://lake/d/f\(number)a", [1]) }
    for number in [101, 111, 112, 113, 114, 115, 150] { tree.files.delete(tree.location("s3://lake/d/f\(number)")) }
    let after = try await names(listing)
    #expect(Set(after).count == after.count)
    let gone = Set([101, 111, 112, 113, 114, 115, 150].map { "f\($0)" })
    let kept = before.filter { !gone.contains($0) }
    // The last pages never left memory and show what they showed.
    #expect(Set(kept).isSubset(of: after))
    #expect(after.contains("f102a"))
    #expect(!after.contains("f101"))
  }

  @Test("Beyond its limit of inodes the mount asks the kernel to let go of those that came first and were not opened")
  func crowdedInodes() async throws {
    let (asked, continuation) = AsyncStream.makeStream(of: [DroppableInode].self)
    let root = Node(kind: .root, inode: 1, parent: nil, name: EntryName(""))
    let inodes = InodeTable(root: root, limits: .init(most: 100, youngest: 60)) { continuation.yield($0) }
    let tree = Tree()
    let table = tree.filesystem.table(TableIdentifier(namespace: Namespace(["n"]), name: "t"))
    func add(_ number: Int) -> Node {
      let location = ObjectLocation(bucket: "lake", key: "d/f\(number)")
      let object = ObjectAttributes(location: location, size: 1, etag: "\"\(number)\"", modified: 1)
      return inodes.reference(.object(table, object), parent: root, name: EntryName("f\(number)"))
    }
    for number in 0..<50 {
      let node = add(number)
      if number == 3 { inodes.opened(node.inode) }
    }
    for number in 50..<99 { _ = add(number) }
    var rounds = asked.makeAsyncIterator()
    let first = try #require(await rounds.next())
    #expect(Set(first.map(\.name.description)) == Set((0..<38).filter { $0 != 3 }.map { "f\($0)" }))
    for entry in first { inodes.forget(entry.inode, count: 1) }
    #expect(inodes.count == 100 - first.count)
  }

  @Test(
    "A node gives back the object it stands for, whatever its etag and name",
    arguments: [
      "\"0123456789abcdef0123456789abcdef\"", "\"0123456789ABCDEF0123456789abcdef\"", "\"0123456789abcdef0123456789abcdef-12\"", "", "x",
      "\"g123456789abcdef0123456789abcdef\"",
    ])
  func compactNodes(etag: String) {
    let tree = Tree()
    let table = tree.filesystem.table(TableIdentifier(namespace: Namespace(["n"]), name: "t"))
    for (key, name) in [
      ("a/b/f.parquet", "f.parquet"), ("a/b/f", "f%"), ("f", "f"), ("a//", "%"), ("a/é", "é"),
      ("a/00001-x.metadata.json", "v1.metadata.json"),
    ] {
      let object = ObjectAttributes(
        location: ObjectLocation(scheme: "s3a", bucket: "lake", key: key), size: 7, etag: etag, modified: 5_000_000_001)
      let node = Node(kind: .object(table, object), inode: 7, parent: tree.filesystem.root, name: EntryName(name))
      guard case .object(_, let found) = node.kind else {
        Issue.record("no object")
        continue
      }
      #expect(found == object)
      #expect(found.location.scheme == "s3a")
      #expect(node.name == EntryName(name))
      #expect(node.isSame(as: .object(table, object)))
      var other = object
      other.etag += "1"
      #expect(!node.isSame(as: .object(table, other)))
      other = object
      other.location.key += "x"
      #expect(!node.isSame(as: .object(table, other)))
    }
  }

  @Test("The kernel keeps its copy of a listing only for the listing that filled it, and makes none beside an older one")
  func kernelCopies() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    tree.put("s3://lake/n/t/data/f", [1])
    let data = try await tree.walk("n", "t", "data").attributes.inode
    func open() async throws -> OpenedDirectory { try await tree.filesystem.openDirectory(inode: data) }
    let first = try await open()
    #expect(first.isCached && !first.keepsCache)
    let second = try await open()
    #expect(second.isCached && second.keepsCache)
    tree.filesystem.release(handle: second.handle)
    tree.time.advance(by: .seconds(5))
    // The first handle may still fill the copy with what it shows.
    let third = try await open()
    #expect(!third.isCached && !third.keepsCache)
    tree.filesystem.release(handle: first.handle)
    tree.filesystem.release(handle: third.handle)
    let fourth = try await open()
    #expect(fourth.isCached && !fourth.keepsCache)
    tree.filesystem.release(handle: fourth.handle)
  }
}
