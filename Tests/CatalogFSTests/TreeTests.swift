// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Iceberg
import TestSupport
import Testing

@Suite("The tree of a catalog")
struct TreeTests {
  @Test("Namespaces hold tables, tables hold metadata and data, and those hold the objects of their locations")
  func shape() async throws {
    let tree = Tree()
    tree.commit(["sales"], "orders")
    tree.put("s3://lake/sales/orders/data/day=1/a.parquet", [1, 2, 3])
    tree.put("s3://lake/sales/orders/other/x", [])
    #expect(try await tree.list() == ["sales"])
    #expect(try await tree.list("sales") == ["orders"])
    #expect(try await tree.list("sales", "orders") == ["metadata", "data"])
    #expect(try await tree.list("sales", "orders", "data") == ["day=1"])
    #expect(try await tree.list("sales", "orders", "data", "day=1") == ["a.parquet"])
    #expect(
      try await tree.list("sales", "orders", "metadata") == [
        "current.metadata.json", "version-hint.text", "00000-aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa.metadata.json",
      ])
    let file = try await tree.walk("sales", "orders", "data", "day=1", "a.parquet")
    #expect(file.attributes.size == 3)
    #expect(file.attributes.kind == .file)
  }

  @Test("The metadata and data directories follow write.metadata.path and write.data.path")
  func elsewhere() async throws {
    let tree = Tree()
    tree.commit(
      ["sales"], "orders", properties: ["write.metadata.path": "s3://lake/meta/orders", "write.data.path": "s3://lake/bulk/orders"])
    tree.put("s3://lake/bulk/orders/a.parquet", [1])
    #expect(try await tree.list("sales", "orders", "data") == ["a.parquet"])
    #expect(try await tree.list("sales", "orders", "metadata").contains("00000-aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa.metadata.json"))
  }

  @Test("A current file outside the metadata directory is shown in it")
  func pointerOutside() async throws {
    let tree = Tree()
    tree.put("s3://lake/elsewhere/00003-x.metadata.json", Array(Tree.metadata(location: "s3://lake/t").utf8))
    tree.put("s3://lake/t/metadata/old.avro", [1])
    tree.catalog.putTable(
      TableIdentifier(namespace: Namespace(["n"]), name: "t"), metadataLocation: "s3://lake/elsewhere/00003-x.metadata.json")
    #expect(
      try await tree.list("n", "t", "metadata") == ["current.metadata.json", "version-hint.text", "00003-x.metadata.json", "old.avro"])
    #expect(try await tree.read("n", "t", "metadata", "00003-x.metadata.json") == Tree.metadata(location: "s3://lake/t"))
    #expect(try await tree.read("n", "t", "metadata", "v3.metadata.json") == Tree.metadata(location: "s3://lake/t"))
  }

  @Test("current.metadata.json links to the pointer's file and the hint holds its number without a newline")
  func virtualNames() async throws {
    let tree = Tree()
    let first = tree.commit(["n"], "t", number: 4)
    tree.commit(["n"], "t", number: 5, log: [first])
    let link = try await tree.walk("n", "t", "metadata", "current.metadata.json")
    #expect(link.attributes.kind == .symbolicLink)
    #expect(link.entryLifetime == .zero)
    let target = try await tree.filesystem.readlink(inode: link.attributes.inode)
    #expect(String(decoding: target, as: UTF8.self) == "00005-aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa.metadata.json")
    #expect(Int64(target.count) == link.attributes.size)
    #expect(try await tree.read("n", "t", "metadata", "version-hint.text") == "5")
  }

  @Test("v<N>.metadata.json resolves for every N of the chain and for no other")
  func aliases() async throws {
    let tree = Tree()
    let first = tree.commit(["n"], "t", number: 4)
    tree.commit(["n"], "t", number: 5, log: [first])
    let alias = try await tree.walk("n", "t", "metadata", "v4.metadata.json")
    let real = try await tree.walk("n", "t", "metadata", "00004-aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa.metadata.json")
    #expect(alias.attributes.inode == real.attributes.inode)
    #expect(alias.entryLifetime == .zero)
    try await tree.walk("n", "t", "metadata", "v5.metadata.json")
    for absent in ["v3.metadata.json", "v6.metadata.json", "v5.gz.metadata.json", "v05.metadata.json"] {
      await #expect(throws: FilesystemError.self) { try await tree.walk("n", "t", "metadata", absent) }
    }
    #expect(try await !tree.list("n", "t", "metadata").contains("v5.metadata.json"))
  }

  @Test(
    "A name that is object and prefix shows the directory plainly and the object with a percent sign, also across pages",
    arguments: [1, 2, 3, 1_000])
  func twice(pageSize: Int) async throws {
    let tree = Tree(pageSize: pageSize)
    tree.commit(["n"], "t")
    for key in ["a", "a-b", "a.c", "a/x", "b", "c/y"] { tree.put("s3://lake/n/t/data/\(key)", Array(key.utf8)) }
    let names = try await tree.list("n", "t", "data")
    #expect(names.sorted() == ["a", "a%", "a-b", "a.c", "b", "c"])
    #expect(try await tree.read("n", "t", "data", "a%") == "a")
    #expect(try await tree.read("n", "t", "data", "a", "x") == "a/x")
    await #expect(throws: FilesystemError.self) { try await tree.walk("n", "t", "data", "b%") }
    await #expect(throws: FilesystemError.self) { try await tree.walk("n", "t", "data", "c%") }
  }

  @Test("Keys with odd segments are all shown, found by their entry names, and none climbs out")
  func oddKeys() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    let keys = [
      "../up", "./here", "//double", "a b", "a%41", "100%", "x+y", "né", "line\nbreak", "dir/", String(repeating: "k", count: 300), "e/.",
    ]
    for key in keys { tree.put("s3://lake/n/t/data/\(key)", Array("<\(key)>".utf8)) }
    let found = try await contents(of: tree.walk("n", "t", "data").attributes.inode, in: tree)
    #expect(found.sorted() == keys.map { "<\($0)>" }.sorted())
  }

  private func contents(of inode: UInt64, in tree: Tree) async throws -> [String] {
    var found: [String] = []
    for name in try await tree.list(inode: inode) {
      let entry = try await tree.filesystem.lookup(parent: inode, name: Array(name.utf8))
      if entry.attributes.kind == .directory {
        found += try await contents(of: entry.attributes.inode, in: tree)
      } else {
        let opened = try await tree.filesystem.open(inode: entry.attributes.inode)
        let bytes = try await tree.filesystem.read(handle: opened.handle, offset: 0, size: 4_096)
        found.append(bytes.segments.map { String(decoding: $0, as: UTF8.self) }.joined())
        tree.filesystem.release(handle: opened.handle)
      }
    }
    return found
  }

  @Test("A table and a namespace of one name both show, the namespace with a percent sign")
  func tableAndNamespace() async throws {
    let tree = Tree()
    tree.commit(["a"], "b")
    tree.commit(["a", "b"], "c")
    #expect(try await tree.list("a") == ["b", "b%"])
    #expect(try await tree.list("a", "b") == ["metadata", "data"])
    #expect(try await tree.list("a", "b%") == ["c"])
    tree.time.advance(by: .seconds(5))
    try await tree.walk("a", "b%", "c", "metadata")
    await #expect(throws: FilesystemError.self) { try await tree.walk("a", "c%") }
  }

  @Test("Only the namespaces asked for are shown, with the way to them and what is below")
  func filtered() async throws {
    let tree = Tree(namespaces: [Namespace(["a", "b"])])
    tree.commit(["a", "b"], "t")
    tree.commit(["a", "x"], "t")
    tree.commit(["z"], "t")
    #expect(try await tree.list() == ["a"])
    #expect(try await tree.list("a") == ["b"])
    #expect(try await tree.list("a", "b") == ["t"])
    await #expect(throws: FilesystemError.self) { try await tree.walk("z") }
    await #expect(throws: FilesystemError.self) { try await tree.walk("a", "x") }
  }

  @Test("Control files are found by name, not listed, and reading refresh forgets what was known")
  func control() async throws {
    let tree = Tree()
    tree.commit(["n"], "t")
    #expect(try await tree.list() == ["n"])
    #expect(try await tree.list(".bergfs") == ["status.json", "metrics", "errors.jsonl", "config.json", "refresh"])
    #expect(try await tree.read(".bergfs", "status.json") == "control status.json\n")
    tree.commit(["late"], "t")
    #expect(try await tree.list() == ["n"])
    _ = try await tree.read(".bergfs", "refresh")
    #expect(try await tree.list() == ["late", "n"])
  }
}
