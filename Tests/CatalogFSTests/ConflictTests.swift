// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

@testable import CatalogFS

@Suite("Names wanted twice, odd places, and bounds of memory")
struct ConflictTests {
  @Test("A current file that is called like the link to it is linked by the name it shows under")
  func selfNamed() async throws {
    let tree = Tree()
    tree.commit(["n"], "t", file: "current.metadata.json")
    let metadata = try await tree.walk("n", "t", "metadata").attributes.inode
    #expect(try await tree.list(inode: metadata) == ["current.metadata.json", "version-hint.text", "current.metadata.json%"])
    let link = try await tree.walk("n", "t", "metadata", "current.metadata.json").attributes
    let target = try await tree.filesystem.readlink(inode: link.inode)
    #expect(link.kind == .symbolicLink)
    #expect(try await tree.filesystem.lookup(parent: metadata, name: target).attributes.kind == .file)
  }

  @Test("The link's size is that of its target as it is shown, also where the name is encoded")
  func linkSize() async throws {
    let tree = Tree()
    tree.commit(["n"], "t", file: "00001-a%41.metadata.json")
    let link = try await tree.walk("n", "t", "metadata", "current.metadata.json").attributes
    let target = try await tree.filesystem.readlink(inode: link.inode)
    #expect(String(decoding: target, as: UTF8.self) == "00001-a%2541.metadata.json")
    #expect(link.size == Int64(target.count))
  }

  @Test("Nothing is dropped where a directory or another file has the name of a virtual one")
  func virtualNames() async throws {
    let tree = Tree()
    tree.put("s3://lake/elsewhere/00003-x.metadata.json", Array(Tree.metadata(location: "s3://lake/t").utf8))
    tree.put("s3://lake/t/metadata/00003-x.metadata.json", [1])
    tree.put("s3://lake/t/metadata/version-hint.text/deep", [1, 2])
    tree.catalog.putTable(
      TableIdentifier(namespace: Namespace(["n"]), name: "t"), metadataLocation: "s3://lake/elsewhere/00003-x.metadata.json")
    let names = try await tree.list("n", "t", "metadata")
    #expect(
      names.sorted() == [
        "00003-x.metadata.json", "00003-x.metadata.json%", "current.metadata.json", "version-hint.text", "version-hint.text%",
      ])
    #expect(try await tree.walk("n", "t", "metadata", "00003-x.metadata.json").attributes.size > 1)
    #expect(try await tree.walk("n", "t", "metadata", "00003-x.metadata.json%").attributes.size == 1)
    #expect(try await tree.walk("n", "t", "metadata", "version-hint.text%", "deep").attributes.size == 2)
    #expect(try await tree.read("n", "t", "metadata", "version-hint.text") == "3")
  }

  @Test("One prefix below both directories of a table is two directories, each with one parent")
  func sharedPlace() async throws {
    let tree = Tree()
    tree.commit(["n"], "t", properties: ["write.data.path": "s3://lake/n/t/metadata"])
    tree.put("s3://lake/n/t/metadata/deep/f", [1])
    let first = try await tree.walk("n", "t", "metadata", "deep").attributes.inode
    let second = try await tree.walk("n", "t", "data", "deep").attributes.inode
    #expect(first != second)
    #expect(try await tree.list(inode: first) == ["f"])
    #expect(try await tree.list(inode: second) == ["f"])
  }

  @Test("A namespace called like the control directory shows with a percent sign")
  func controlName() async throws {
    let tree = Tree()
    tree.commit([".bergfs"], "t")
    #expect(try await tree.list() == [".bergfs%"])
    #expect(try await tree.list(".bergfs%") == ["t"])
    tree.time.advance(by: .seconds(5))
    #expect(try await tree.list(".bergfs%", "t") == ["metadata", "data"])
    #expect(try await tree.list(".bergfs").contains("status.json"))
  }

  @Test("Tables on the way to a namespace that was asked for are not shown")
  func tablesOnTheWay() async throws {
    let tree = Tree(namespaces: [Namespace(["a", "b"])])
    tree.commit(["a"], "hidden")
    tree.commit(["a", "b"], "t")
    await #expect(throws: FilesystemError.self) { try await tree.walk("a", "hidden") }
    #expect(try await tree.list("a") == ["b"])
    #expect(try await tree.list("a", "b") == ["t"])
    await #expect(throws: FilesystemError.self) { try await tree.walk("a", "hidden") }
  }

  @Test("Two versions of an object that a server gives no etag for are two inodes if size or time differ")
  func withoutETag() {
    func identity(size: Int64, modified: Int64) -> Node.Identity {
      let tree = Tree()
      let table = tree.filesystem.table(TableIdentifier(namespace: Namespace(["n"]), name: "t"))
      let location = ObjectLocation(bucket: "lake", key: "f")
      return Node.Kind.object(table, ObjectAttributes(location: location, size: size, etag: "", modified: modified)).identity
    }
    #expect(identity(size: 1, modified: 1) == identity(size: 1, modified: 1))
    #expect(identity(size: 1, modified: 1) != identity(size: 2, modified: 1))
    #expect(identity(size: 1, modified: 1).preferredInode != identity(size: 1, modified: 2_000_000_000).preferredInode)
  }

  @Test("Names that were looked for and are no tables leave no memory behind")
  func absentTables() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    let namespace = try await tree.walk("n").attributes.inode
    for number in 0..<10_000 {
      await #expect(throws: FilesystemError.self) {
        try await tree.filesystem.lookup(parent: namespace, name: Array("absent\(number)".utf8))
      }
      if number % 1_000 == 0 { tree.time.advance(by: .seconds(2)) }
    }
    #expect(tree.filesystem.knownTableCount < 6_000)
    let table = try await tree.walk("n", "t").attributes.inode
    #expect(try await tree.list(inode: table) == ["metadata", "data"])
  }

  @Test("A metadata file larger than allowed is refused by that reason, and its table still lists")
  func hugeMetadata() async throws {
    let tree = Tree(largestMetadata: 500)
    let pointer = tree.commit(["n"], "t", log: Array(repeating: "s3://lake/n/t/metadata/00000-x.metadata.json", count: 10))
    #expect(try await tree.list("n", "t", "metadata").count == 3)
    let link = try await tree.walk("n", "t", "metadata", "current.metadata.json").attributes.inode
    let error = await #expect(throws: FilesystemError.self) { try await tree.filesystem.readlink(inode: link) }
    #expect(error?.code == .failed)
    #expect(error?.message.contains(pointer) == true && error?.message.contains("500") == true)
  }

  @Test("Any size and offset of a read of made content is answered")
  func extremeReads() async throws {
    let tree = Tree()
    let inode = try await tree.walk(".bergfs", "metrics").attributes.inode
    let handle = try await tree.filesystem.open(inode: inode).handle
    defer { tree.filesystem.release(handle: handle) }
    for (offset, size, count) in [(Int64(1), Int.max, 15), (.max, .max, 0), (-1, 1, 0), (0, -1, 0)] {
      let bytes = try await tree.filesystem.read(handle: handle, offset: offset, size: size)
      #expect(bytes.segments.reduce(0) { $0 + $1.count } == count)
    }
  }
}
