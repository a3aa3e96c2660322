// SPDX-License-Identifier: Apache-2.0

import Glibc
import Iceberg
import Synchronization
import TestSupport
import Testing

@testable import CatalogFS

@Suite("Writing through the tree")
struct WritingTreeTests {
  private let data = "sales/orders/data"
  private let metadata = "sales/orders/metadata"

  @Test("A data file is an object after its close: read, listed and immutable at once")
  func publishes() async throws {
    let tree = try WritableTree()
    try await tree.write("\(data)/a.parquet", "hello")
    #expect(tree.text("\(WritableTree.place)/data/a.parquet") == "hello")
    #expect(try await tree.read("\(data)/a.parquet") == "hello")
    #expect(try await tree.list(data) == ["a.parquet"])
    #expect(await tree.code { () async throws(FilesystemError) in _ = try await tree.open("\(data)/a.parquet", O_WRONLY) } == .notPermitted)
    #expect(
      await tree.code { () async throws(FilesystemError) in try await tree.rename("\(data)/a.parquet", "\(data)/b") } == .notPermitted)
    #expect(tree.filesystem.stagedFiles.isEmpty)
  }

  @Test("A name that S3 has is EEXIST at the close, and the file stays staged until it is removed")
  func exists() async throws {
    let tree = try WritableTree()
    let (parent, name) = try await tree.split("\(data)/a")
    let (_, opened) = try await tree.filesystem.create(parent: parent, name: name, flags: O_CREAT | O_WRONLY, thread: WritableTree.thread)
    try await tree.filesystem.write(handle: opened.handle, offset: 0, bytes: [1])
    tree.put("\(WritableTree.place)/data/a", "other")
    #expect(
      await tree.code { () async throws(FilesystemError) in
        try await tree.filesystem.flush(handle: opened.handle, thread: WritableTree.thread)
      } == .exists)
    tree.filesystem.release(handle: opened.handle)
    #expect(tree.filesystem.stagedFiles.map(\.path) == ["/\(data)/a"])
    #expect(tree.filesystem.stagedFiles.first?.reason != nil)
    try await tree.unlink("\(data)/a")
    #expect(try await tree.read("\(data)/a") == "other")
  }

  @Test("A close publishes if the opener makes it and bytes came; a kill publishes nothing and leaves nothing")
  func closes() async throws {
    let tree = try WritableTree()
    let (parent, name) = try await tree.split("\(data)/a")
    let (_, opened) = try await tree.filesystem.create(parent: parent, name: name, flags: O_CREAT | O_WRONLY, thread: 100)
    try await tree.filesystem.flush(handle: opened.handle, thread: 100)
    #expect(tree.text("\(WritableTree.place)/data/a") == nil)
    try await tree.filesystem.write(handle: opened.handle, offset: 0, bytes: [65])
    try await tree.filesystem.flush(handle: opened.handle, thread: 200)
    #expect(tree.text("\(WritableTree.place)/data/a") == nil)
    try await tree.filesystem.flush(handle: opened.handle, thread: 100)
    #expect(tree.text("\(WritableTree.place)/data/a") == "A")

    let (_, killed) = try await tree.filesystem.create(parent: parent, name: Array("k".utf8), flags: O_CREAT | O_WRONLY, thread: 300)
    try await tree.filesystem.write(handle: killed.handle, offset: 0, bytes: [65])
    tree.processes.set(300, .killed(signal: 9))
    try await tree.filesystem.flush(handle: killed.handle, thread: 300)
    try await tree.filesystem.flush(handle: killed.handle, thread: 100)
    tree.filesystem.release(handle: killed.handle)
    #expect(await tree.code { () async throws(FilesystemError) in _ = try await tree.inode("\(data)/k") } == .notFound)
    #expect(tree.text("\(WritableTree.place)/data/k") == nil)
    #expect(tree.reports.all == ["/\(data)/k: failed"])
  }

  @Test("Bytes of an opener that is gone are published when the last descriptor closes; not if nobody could be seen")
  func lastCloser() async throws {
    let tree = try WritableTree()
    let (parent, _) = try await tree.split("\(data)/a")
    let (_, first) = try await tree.filesystem.create(parent: parent, name: Array("a".utf8), flags: O_CREAT | O_WRONLY, thread: 100)
    try await tree.filesystem.write(handle: first.handle, offset: 0, bytes: [65])
    try await tree.filesystem.flush(handle: first.handle, thread: 200)
    tree.filesystem.release(handle: first.handle)
    #expect(await becomesTrue { tree.text("\(WritableTree.place)/data/a") == "A" })

    let (_, blind) = try await tree.filesystem.create(parent: parent, name: Array("b".utf8), flags: O_CREAT | O_WRONLY, thread: 100)
    try await tree.filesystem.write(handle: blind.handle, offset: 0, bytes: [66])
    tree.processes.set(400, .unknown)
    try await tree.filesystem.flush(handle: blind.handle, thread: 400)
    tree.filesystem.release(handle: blind.handle)
    #expect(tree.reports.all == ["/\(data)/b: invalid"])
    #expect(tree.text("\(WritableTree.place)/data/b") == nil)
    try await tree.rename("\(data)/b", "\(data)/c")
    #expect(tree.text("\(WritableTree.place)/data/c") == "B")
    #expect(tree.text("\(WritableTree.place)/data/b") == nil)
  }

  @Test("After a write or a cut that failed nothing is published, by close, fsync, rename or the last close, until the file is emptied")
  func incomplete() async throws {
    for isCut in [false, true] {
      let tree = try WritableTree()
      let (parent, name) = try await tree.split("sales/orders/data/f")
      let (_, opened) = try await tree.filesystem.create(parent: parent, name: name, flags: O_CREAT | O_WRONLY, thread: WritableTree.thread)
      try await tree.filesystem.write(handle: opened.handle, offset: 0, bytes: [1, 2, 3])
      // Beyond what can be staged.
      let inode = try await tree.inode("sales/orders/data/f")
      #expect(
        await tree.code { () async throws(FilesystemError) in
          if isCut {
            _ = try await tree.filesystem.setAttributes(inode: inode, mode: nil, size: 20 << 30, modified: nil)
          } else {
            try await tree.filesystem.write(handle: opened.handle, offset: 20 << 30, bytes: [1])
          }
        } == .tooLarge)
      for _ in 0..<2 {
        #expect(
          await tree.code { () async throws(FilesystemError) in
            try await tree.filesystem.fsync(handle: opened.handle, thread: WritableTree.thread)
          } == .tooLarge)
      }
      try await tree.filesystem.write(handle: opened.handle, offset: 3, bytes: [4])
      #expect(
        await tree.code { () async throws(FilesystemError) in
          try await tree.filesystem.flush(handle: opened.handle, thread: WritableTree.thread)
        } == .tooLarge)
      try await tree.filesystem.write(handle: opened.handle, offset: 4, bytes: [5])
      tree.filesystem.release(handle: opened.handle)
      #expect(await becomesTrue { tree.reports.all.last == "/sales/orders/data/f: tooLarge" })
      #expect(
        await tree.code { () async throws(FilesystemError) in
          try await tree.rename("sales/orders/data/f", "sales/orders/data/g")
        } == .tooLarge)
      #expect(tree.text("\(WritableTree.place)/data/f") == nil && tree.text("\(WritableTree.place)/data/g") == nil)
      try await tree.write("sales/orders/data/f", "anew", flags: O_WRONLY | O_TRUNC | O_CREAT)
      #expect(tree.text("\(WritableTree.place)/data/f") == "anew")
    }
  }

  @Test("One writer at a time: the second open for writing is EBUSY until the first has closed")
  func busy() async throws {
    let tree = try WritableTree()
    let (parent, name) = try await tree.split("\(metadata)/draft.json")
    let (_, opened) = try await tree.filesystem.create(parent: parent, name: name, flags: O_CREAT | O_WRONLY, thread: 100)
    #expect(await tree.code { () async throws(FilesystemError) in _ = try await tree.open("\(metadata)/draft.json", O_WRONLY) } == .busy)
    tree.filesystem.release(handle: opened.handle)
    let again = try await tree.open("\(metadata)/draft.json", O_WRONLY | O_TRUNC)
    tree.filesystem.release(handle: again)
  }

  @Test("An edited copy renamed onto current.metadata.json is one commit; its stale twin is ESTALE, twice, for one refusal")
  func editedForm() async throws {
    let tree = try WritableTree()
    let edited = WritableTree.metadata(properties: ["owner": "ops"])
    try await tree.write("\(metadata)/new.json", edited)
    try await tree.write("\(metadata)/late.json", WritableTree.metadata(properties: ["owner": "late"]))
    try await tree.rename("\(metadata)/new.json", "\(metadata)/current.metadata.json")
    let pointer = try #require(tree.pointer)
    #expect(pointer.hasPrefix("\(WritableTree.place)/metadata/00001-"))
    #expect(try await tree.read("\(metadata)/\(pointer.split(separator: "/").last ?? "")").contains(#""owner":"ops""#))
    #expect(try await tree.read("\(metadata)/version-hint.text") == "1")
    for message in [false, true] {
      do throws(FilesystemError) {
        try await tree.rename("\(metadata)/late.json", "\(metadata)/current.metadata.json")
        Issue.record("the stale copy was taken")
      } catch {
        #expect(error.code == .stale)
        #expect(error.message.isEmpty == message)
      }
    }
    #expect(tree.pointer == pointer)
    #expect(try await tree.list(metadata).contains("late.json"))
  }

  @Test("A full-form file commits at its close; a wrong one is EINVAL, stays staged, and can be mended and closed again")
  func fullForm() async throws {
    let tree = try WritableTree()
    let name = "00001-bbbbbbbb-bbbb-4bbb-bbbb-bbbbbbbbbbbb.metadata.json"
    let good = WritableTree.metadata(updated: 2_000, log: [(1_000, WritableTree.first)], properties: ["a": "b"])
    #expect(
      await tree.code { () async throws(FilesystemError) in try await tree.write("\(metadata)/\(name)", String(good.dropLast(10))) }
        == .invalid)
    #expect(tree.pointer == WritableTree.first)
    #expect(tree.text("\(WritableTree.place)/metadata/\(name)") == nil)
    #expect(tree.filesystem.stagedFiles.map(\.path) == ["/\(metadata)/\(name)"])
    let handle = try await tree.open("\(metadata)/\(name)", O_WRONLY | O_TRUNC)
    try await tree.filesystem.write(handle: handle, offset: 0, bytes: Array(good.utf8))
    try await tree.filesystem.flush(handle: handle, thread: WritableTree.thread)
    tree.filesystem.release(handle: handle)
    #expect(tree.pointer == "\(WritableTree.place)/metadata/\(name)")
    #expect(
      try await tree.list(metadata) == [
        "current.metadata.json", "version-hint.text", name, "00000-aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa.metadata.json",
      ])
  }

  @Test("Virtual names cannot be created, changed, renamed or removed, and nothing but a table's directories holds files")
  func virtualNames() async throws {
    let tree = try WritableTree(.init(delete: true, deleteMinimumAge: .zero, drop: true, rename: true))
    try await tree.write("\(metadata)/scratch", "x")
    for name in ["current.metadata.json", "version-hint.text", "v0.metadata.json"] {
      #expect(
        await tree.code { () async throws(FilesystemError) in try await tree.unlink("\(metadata)/\(name)") } == .notPermitted, "\(name)")
    }
    #expect(
      await tree.code { () async throws(FilesystemError) in try await tree.rename("\(metadata)/scratch", "\(metadata)/version-hint.text") }
        == .notPermitted)
    #expect(await tree.code { () async throws(FilesystemError) in try await tree.write("sales/x", "x") } == .notPermitted)
    #expect(await tree.code { () async throws(FilesystemError) in try await tree.write("sales/orders/x", "x") } == .notPermitted)
    #expect(
      await tree.code { () async throws(FilesystemError) in try await tree.write("\(metadata)/00002.metadata.json", "x") } == .invalid)
    #expect(await tree.code { () async throws(FilesystemError) in try await tree.rmdir(data) } == .notPermitted)
    #expect(await tree.code { () async throws(FilesystemError) in try await tree.rename(data, "sales/orders/other") } == .notPermitted)
  }

  @Test("Deleting needs its flag and an object that nothing reaches; what this mount made needs no age")
  func deletes() async throws {
    let closed = try WritableTree()
    closed.put("\(WritableTree.place)/data/orphan", "x")
    #expect(await closed.code { () async throws(FilesystemError) in try await closed.unlink("\(data)/orphan") } == .notPermitted)
    let tree = try WritableTree(.init(delete: true))
    try await tree.mkdir("\(data)/d")
    try await tree.write("\(data)/d/own", "x")
    try await tree.unlink("\(data)/d/own")
    #expect(tree.text("\(WritableTree.place)/data/d/own") == nil)
    #expect(try await tree.list("\(data)/d") == [])
    try await tree.rmdir("\(data)/d")
    #expect(
      await tree.code { () async throws(FilesystemError) in
        try await tree.unlink("\(metadata)/00000-aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa.metadata.json")
      } == .notPermitted)
    #expect(tree.text(WritableTree.first) != nil)
  }

  @Test("An object of unknown age, or whose age is no number, is kept as one that may belong to a commit under way")
  func unknownAge() async throws {
    let tree = try WritableTree(.init(delete: true))
    let place = tree.location("\(WritableTree.place)/data/undated")
    tree.files.put(place, Array("x".utf8), isUndated: true)
    tree.files.put(tree.location("\(WritableTree.place)/data/odd"), Array("x".utf8), modified: -9_000_000_000_000_000_000)
    tree.files.put(tree.location("\(WritableTree.place)/data/old"), Array("x".utf8), modified: 1_000_000_000)
    for name in ["undated", "odd"] {
      do throws(FilesystemError) {
        try await tree.unlink("\(data)/\(name)")
        Issue.record("\(name) is gone")
      } catch {
        #expect(error.code == .notPermitted && error.message.contains("of unknown age"), "\(name): \(error)")
      }
      #expect(tree.text("\(WritableTree.place)/data/\(name)") == "x")
    }
    try await tree.unlink("\(data)/old")
    #expect(tree.text("\(WritableTree.place)/data/old") == nil)
  }

  @Test("A file that a commit has named is as old as it is, though this mount made it")
  func namedByCommit() async throws {
    let tree = try WritableTree(.init(delete: true, deleteMinimumAge: .seconds(1_000_000_000)))
    func refusal(_ path: String) async -> String {
      do throws(FilesystemError) {
        try await tree.unlink(path)
        return "none"
      } catch {
        return error.message
      }
    }
    let name = "00001-bbbbbbbb-bbbb-4bbb-bbbb-bbbbbbbbbbbb.metadata.json"
    try await tree.write("\(metadata)/\(name)", WritableTree.metadata(updated: 2_000, log: [(1_000, WritableTree.first)]))
    #expect(tree.pointer == "\(WritableTree.place)/metadata/\(name)")
    // Somebody rolls back to the first file: nothing reaches the second, and only its age protects it.
    tree.catalog.putTable(WritableTree.orders, metadataLocation: WritableTree.first)
    #expect(await refusal("\(metadata)/\(name)").contains("--delete-min-age"))
    // A property names the data file for as long as one commit is current.
    try await tree.write("\(data)/own", "x")
    let second = "\(WritableTree.place)/metadata/00002-cccccccc-cccc-4ccc-8ccc-cccccccccccc.metadata.json"
    tree.put(second, WritableTree.metadata(properties: ["file": "\(WritableTree.place)/data/own"]))
    tree.catalog.putTable(WritableTree.orders, metadataLocation: second)
    #expect(await refusal("\(data)/own").contains("is in use"))
    tree.catalog.putTable(WritableTree.orders, metadataLocation: WritableTree.first)
    #expect(await refusal("\(data)/own").contains("--delete-min-age"))
    #expect(tree.text("\(WritableTree.place)/data/own") == "x")
  }

  @Test("mkdir makes a namespace and a pending table, whose first full-form file creates it where it was promised")
  func creates() async throws {
    let tree = try WritableTree(.init(drop: true))
    try await tree.mkdir("ns")
    try await tree.mkdir("ns/t")
    #expect(try await tree.list("ns") == ["t"])
    #expect(try await tree.list("ns/t") == ["metadata", "data"])
    let place = String(try await tree.read("ns/t/.iceberg/location.txt").dropLast())
    try await tree.write("ns/t/data/a", "x")
    let name = "00000-cccccccc-cccc-4ccc-8ccc-cccccccccccc.metadata.json"
    #expect(
      await tree.code { () async throws(FilesystemError) in
        try await tree.write("ns/t/metadata/\(name)", WritableTree.metadata(place: "s3://lake/elsewhere"))
      } == .invalid)
    try await tree.unlink("ns/t/metadata/\(name)")
    try await tree.write("ns/t/metadata/\(name)", WritableTree.metadata(place: place))
    let made = TableIdentifier(namespace: Namespace(["ns"]), name: "t")
    #expect(tree.catalog.table(made)?.metadataLocation == "\(place)/metadata/\(name)")
    #expect(try await tree.list("ns") == ["t"])
    #expect(try await tree.list("ns/t/metadata").contains(name))
    #expect(await tree.code { () async throws(FilesystemError) in try await tree.rmdir("ns") } == .notEmpty)
    try await tree.rmdir("ns/t")
    #expect(tree.catalog.table(made) == nil)
    try await tree.rmdir("ns")
  }

  @Test("Dropping and renaming need their flags, and a namespace is never renamed")
  func flags() async throws {
    let tree = try WritableTree()
    #expect(await tree.code { () async throws(FilesystemError) in try await tree.rmdir("sales/orders") } == .notPermitted)
    #expect(await tree.code { () async throws(FilesystemError) in try await tree.rmdir("sales") } == .notPermitted)
    #expect(await tree.code { () async throws(FilesystemError) in try await tree.rename("sales/orders", "sales/other") } == .notPermitted)
    let free = try WritableTree(.init(drop: true, rename: true))
    #expect(await free.code { () async throws(FilesystemError) in try await free.rename("sales", "other") } == .notPermitted)
    try await free.rename("sales/orders", "sales/other")
    #expect(try await free.list("sales") == ["other"])
    #expect(try await free.list("sales/other/metadata").contains("current.metadata.json"))
  }

  @Test("Unmounting waits for what is under way, drops scratch, and names what was never published")
  func drains() async throws {
    let tree = try WritableTree()
    try await tree.write("\(metadata)/scratch", "x")
    let (parent, name) = try await tree.split("\(data)/half")
    let (_, opened) = try await tree.filesystem.create(parent: parent, name: name, flags: O_CREAT | O_WRONLY, thread: 100)
    try await tree.filesystem.write(handle: opened.handle, offset: 0, bytes: [1, 2, 3])
    let (staged, running) = await tree.filesystem.drain(within: .seconds(60))
    #expect(staged.map(\.path) == ["/\(data)/half"])
    #expect(staged.first?.size == 3)
    #expect(running.isEmpty)
    #expect(tree.filesystem.stagedFiles.isEmpty)
    #expect(tree.text("\(WritableTree.place)/data/half") == nil)
  }
}
