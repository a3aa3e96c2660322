// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import TestSupport
import Testing

@Suite("Entries of directories")
struct EntryTests {
  @Test("An object under a virtual name of metadata shows with a percent sign")
  func reserved() async throws {
    let tree = Tree()
    tree.commit(["n"], "t", number: 3)
    for name in ["current.metadata.json", "version-hint.text", "v3.metadata.json", "v4.metadata.json"] {
      tree.put("s3://lake/n/t/metadata/\(name)", Array("object \(name)".utf8))
    }
    let names = try await tree.list("n", "t", "metadata")
    #expect(Set(names).count == names.count)
    #expect(
      Set(names) == [
        "current.metadata.json", "version-hint.text", "00003-aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa.metadata.json", "current.metadata.json%",
        "version-hint.text%", "v3.metadata.json%", "v4.metadata.json",
      ])
    #expect(try await tree.read("n", "t", "metadata", "version-hint.text") == "3")
    for name in ["current.metadata.json", "version-hint.text", "v3.metadata.json"] {
      #expect(try await tree.read("n", "t", "metadata", name + "%") == "object \(name)")
    }
    #expect(try await tree.read("n", "t", "metadata", "v4.metadata.json") == "object v4.metadata.json")
    #expect(try await tree.read("n", "t", "metadata", "v3.metadata.json") == Tree.metadata(location: "s3://lake/n/t"))
  }

  @Test("Every cookie of an open directory leads to the same entries again, also after the directory changed", arguments: [1, 3, 1_000])
  func cookies(pageSize: Int) async throws {
    let tree = Tree(pageSize: pageSize)
    tree.commit(["n"], "t")
    for file in 10..<22 { tree.put("s3://lake/n/t/data/f\(file)", [1]) }
    let data = try await tree.walk("n", "t", "data").attributes.inode
    let handle = try await tree.filesystem.openDirectory(inode: data).handle
    defer { tree.filesystem.release(handle: handle) }
    func entries(after cookie: UInt64) async throws -> [(name: String, next: UInt64)] {
      let receiver = Receiver(limit: 1_000, wantsAttributes: false)
      try await tree.filesystem.readDirectory(inode: data, handle: handle, cookie: cookie, into: receiver)
      return receiver.entries.map { ($0.name.description, $0.next) }
    }
    let first = try await entries(after: 0)
    #expect(first.map(\.name) == (10..<22).map { "f\($0)" })
    tree.put("s3://lake/n/t/data/a", [1])
    tree.files.delete(tree.location("s3://lake/n/t/data/f15"))
    tree.time.advance(by: .seconds(5))
    for (index, entry) in first.enumerated().reversed() {
      #expect(try await entries(after: entry.next).map(\.name) == first.dropFirst(index + 1).map(\.name))
    }
  }

  @Test("Names of the current file have no lifetime, other entries the TTL, and attributes of objects hold for ever")
  func lifetimes() async throws {
    let tree = Tree(ttl: .seconds(7))
    tree.commit(["n"], "t", number: 2)
    tree.put("s3://lake/n/t/data/day=1/f", [1])
    for name in ["current.metadata.json", "version-hint.text", "v2.metadata.json"] {
      #expect(try await tree.walk("n", "t", "metadata", name).entryLifetime == .zero)
    }
    for path in [["n"], ["n", "t"], ["n", "t", "data"], ["n", "t", "data", "day=1"]] {
      let entry = try await tree.walk(path)
      #expect(entry.entryLifetime == .seconds(7))
      #expect(entry.attributeLifetime == .seconds(7))
    }
    let object = try await tree.walk("n", "t", "data", "day=1", "f")
    #expect(object.entryLifetime == .seconds(7))
    #expect(object.attributeLifetime >= .seconds(86_400))
    #expect(try await tree.walk("n", "t", "metadata", "current.metadata.json").attributeLifetime == .zero)
  }
}
