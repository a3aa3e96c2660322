// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

@testable import CatalogFS

/// `.iceberg` of a table in memory: what is where.
@Suite struct SnapshotTreeTests {
  private static let data = "\(ViewLake.place)/data"

  private static func entry(_ path: String, _ change: (inout TestManifest.Entry) -> Void = { _ in }) -> TestManifest.Entry {
    var entry = TestManifest.Entry(path)
    change(&entry)
    return entry
  }

  @Test("A snapshot's data and deletes hold exactly its live files, by path below the data location", arguments: [1, 2, 3])
  func liveFiles(version: Int) async throws {
    let lake = ViewLake(version: version)
    let data = lake.put(
      "data",
      TestManifest(
        version: version,
        [
          Self.entry("\(Self.data)/day=1/a.parquet") { $0.size = 11 },
          Self.entry("\(Self.data)/b.parquet") { ($0.size, $0.status) = (12, 0) },
          Self.entry("\(Self.data)/gone.parquet") { $0.status = 2 }, Self.entry("s3a://lake/sales/orders/data/c.parquet") { $0.size = 13 },
          Self.entry("s3://other/place/d.parquet") { $0.size = 14 },
        ]))
    var entries = [data]
    if version > 1 {
      var deletes = TestManifest(version: version, [Self.entry("\(Self.data)/deletes.parquet") { ($0.content, $0.size) = (1, 21) }])
      if version == 3 {
        // Two vectors of one Puffin file are one file.
        for offset in [4, 80] as [Int64] {
          deletes.entries.append(
            Self.entry("\(Self.data)/dv.puffin") {
              ($0.content, $0.format, $0.size) = (1, "PUFFIN", 160)
              ($0.referencedDataFile, $0.contentOffset, $0.contentSize) = ("\(Self.data)/b.parquet", offset, 40)
            })
        }
      }
      deletes.isDeletes = true
      entries.append(lake.put("deletes", deletes))
    }
    lake.put(list: 1, entries)
    lake.commit([.init(id: 1, timestamp: 1_000)])
    #expect(
      try await lake.files(below: ["snapshots", "1", "data"])
        == ["day=1/a.parquet": 11, "b.parquet": 12, "c.parquet": 13, "external/other/place/d.parquet": 14])
    let deletes: [String: Int64] = version == 1 ? [:] : version == 2 ? ["deletes.parquet": 21] : ["deletes.parquet": 21, "dv.puffin": 160]
    #expect(try await lake.files(below: ["snapshots", "1", "deletes"]) == deletes)
    let manifests = try await lake.files(below: ["snapshots", "1", "manifests"])
    #expect(manifests["data.avro"] == data.length && manifests.count == entries.count)
    #expect(try await lake.list("snapshots", "1") == ["summary.json", "manifest-list.avro", "manifests", "data", "deletes"])
  }

  @Test("Two files of one name are kept apart, and names follow the rules of the tree")
  func names() async throws {
    let lake = ViewLake()
    let long = String(repeating: "n", count: 300)
    let paths = ["both", "both/inside", "external/x", "double//slash", "../climbs", "percent%41", long, "\(long)/below", "a-b", "a/b", "a"]
    lake.commit(files: paths.map { "\(Self.data)/\($0)" } + ["s3://elsewhere/k"])
    let found = try await lake.files(below: ["snapshots", "1", "data"])
    let digest = NameCodec(digest: testDigest)
    let short = digest.encode(long).description
    let shortSecond = digest.encode(long, isSecond: true).description
    #expect(
      Set(found.keys) == [
        "both%", "both/inside", "external%/x", "external/elsewhere/k", "double/%/slash", "%2E%2E/climbs", "percent%2541", shortSecond,
        "\(short)/below", "a-b", "a/b", "a%",
      ])
  }

  @Test("Listing a snapshot sends no LIST and no HEAD: the manifest list and each manifest are read once")
  func requests() async throws {
    let lake = ViewLake(ttl: .seconds(3600))
    let manifests = (0..<5).map { number in
      lake.put(
        "m\(number)", TestManifest(version: 2, (0..<40).map { Self.entry("\(Self.data)/day=\(number)/\($0).parquet") }))
    }
    lake.put(list: 1, manifests)
    lake.commit([.init(id: 1, timestamp: 1_000)])
    #expect(try await lake.files(below: ["snapshots", "1", "data"]).count == 200)
    #expect(try await lake.files(below: ["snapshots", "1", "deletes"]).isEmpty)
    let calls = lake.files.faults.calls
    #expect(calls.count { $0.isList || $0.isHead } == 0)
    // The table's metadata twice: its head for `metadata/` and `data/`, the whole for views.
    #expect(calls.count { $0.isRead } <= 1 + 5 + 2, "\(calls)")
  }

  @Test("A resolved snapshot directory stays as it is through a commit and an expiry; its name is gone with the metadata TTL")
  func consistency() async throws {
    let lake = ViewLake()
    lake.commit(files: ["\(Self.data)/old.parquet"])
    let old = try await lake.walk("snapshots", "1", "data").attributes.inode
    #expect(try await lake.target("current") == "snapshots/1")
    lake.put(list: 2, [lake.put("m2", TestManifest(version: 2, [Self.entry("\(Self.data)/new.parquet")]), addedBy: 2)])
    lake.commit([.init(id: 2, timestamp: 2_000_000)], number: 1)
    #expect(try await lake.list("snapshots") == ["1"])
    lake.tree.time.advance(by: .seconds(2))
    #expect(try await lake.list("snapshots") == ["2"])
    #expect(try await lake.target("current") == "snapshots/2")
    await #expect(throws: FilesystemError.self) { try await lake.walk("snapshots", "1") }
    #expect(try await lake.tree.list(inode: old) == ["old.parquet"])
    // Its manifests are deleted with it, as an expiry does, and what was known of them is forgotten.
    lake.files.delete(lake.tree.location(ViewLake.manifest("m1")))
    #expect(try await lake.tree.list(inode: old) == ["old.parquet"])
    lake.tree.time.advance(by: .seconds(120))
    lake.tree.filesystem.views.sweep()
    let error = await #expect(throws: FilesystemError.self) { try await lake.tree.list(inode: old) }
    #expect(error?.code == .stale)
    #expect(error?.message.contains("snapshot 1 has expired") == true, "\(error?.message ?? "")")
  }

  @Test("A manifest that is missing or broken fails its listing with a sentence; the rest of the tree works")
  func broken() async throws {
    let lake = ViewLake()
    lake.commit(files: ["\(Self.data)/a.parquet"])
    lake.files.delete(lake.tree.location(ViewLake.manifest("m1")))
    let missing = await #expect(throws: FilesystemError.self) { try await lake.list("snapshots", "1", "data") }
    #expect(missing?.code == .failed)
    #expect(missing?.message.contains("\(ViewLake.manifest("m1")) does not exist") == true, "\(missing?.message ?? "")")
    #expect(try await lake.read("snapshots", "1", "summary.json").contains("total-records"))
    #expect(try await lake.list("snapshots", "1", "manifests") == ["m1.avro"])
    #expect(try await lake.read("history.jsonl").contains("\"snapshot_id\":1"))
    var bytes = TestManifest(version: 2, [Self.entry("\(Self.data)/a.parquet")]).bytes
    bytes[bytes.count - 1] ^= 1
    lake.tree.put(ViewLake.manifest("m1"), bytes)
    let corrupt = await #expect(throws: FilesystemError.self) { try await lake.list("snapshots", "1", "data") }
    #expect(corrupt?.code == .failed)
    #expect(corrupt?.message.contains("a wrong sync marker, at byte") == true, "\(corrupt?.message ?? "")")
    lake.files.delete(lake.tree.location(ViewLake.list(1)))
    lake.tree.time.advance(by: .seconds(120))
    lake.tree.filesystem.views.sweep()
    #expect(try await lake.list().contains("manifests.jsonl"))
    await #expect(throws: FilesystemError.self) { try await lake.read("manifests.jsonl") }
    await #expect(throws: FilesystemError.self) { try await lake.read("snapshots", "1", "manifest-list.avro") }
  }

  @Test("Encrypted manifests are EACCES with a reason; what does not need them works")
  func encrypted() async throws {
    let lake = ViewLake(version: 3)
    var entry = lake.put("m1", TestManifest(version: 3, [Self.entry("\(Self.data)/a.parquet")]))
    entry.isEncrypted = true
    lake.put(list: 1, [entry])
    lake.tree.put(ViewLake.list(2), Array("AGS1 and a cipher text".utf8))
    lake.commit([.init(id: 2, timestamp: 1_000, keyID: "k"), .init(id: 1, timestamp: 2_000)])
    for path in [["snapshots", "1", "data"], ["snapshots", "2", "data"], ["snapshots", "2", "manifests"]] {
      let inode = try await lake.tree.walk(["sales", "orders", ".iceberg"] + path).attributes.inode
      let error = await #expect(throws: FilesystemError.self) { try await lake.tree.list(inode: inode) }
      #expect(error?.code == .denied && error?.message.contains("is encrypted") == true, "\(error?.message ?? "")")
    }
    await #expect(throws: FilesystemError.self) { try await lake.read("files.jsonl") }
    #expect(try await lake.list("snapshots", "1", "manifests") == ["m1.avro"])
    #expect(try await lake.read("snapshots", "2", "manifest-list.avro") == "AGS1 and a cipher text")
    #expect(try await lake.read("manifests.jsonl").contains("m1.avro"))
  }

  @Test("The first version's snapshots without a manifest list show their files")
  func unlisted() async throws {
    let lake = ViewLake(version: 1)
    lake.put("m1", TestManifest(version: 1, [Self.entry("\(Self.data)/a.parquet") { $0.size = 5 }]))
    lake.put("m2", TestManifest(version: 1, [Self.entry("\(Self.data)/b.parquet") { $0.size = 6 }]))
    lake.commit([.init(id: 1, timestamp: 1_000, manifests: [ViewLake.manifest("m1"), ViewLake.manifest("m2")])])
    #expect(try await lake.files(below: ["snapshots", "1", "data"]) == ["a.parquet": 5, "b.parquet": 6])
    #expect(try await lake.list("snapshots", "1") == ["summary.json", "manifests", "data", "deletes"])
    #expect(try await lake.files(below: ["snapshots", "1", "manifests"]).count == 2)
    #expect(try await lake.read("files.jsonl").split(separator: "\n").count == 2)
  }

  @Test("Branches and tags are links by their names, whatever bytes those hold")
  func references() async throws {
    let lake = ViewLake()
    lake.put(list: 1, [])
    lake.put(list: 2, [])
    lake.commit(
      [.init(id: 1, timestamp: 1_000), .init(id: 2, timestamp: 2_000)],
      references: [("audit/2026", 1, "branch"), ("..", 1, "tag"), ("ü", 2, "tag")])
    #expect(Set(try await lake.list("refs", "branches")) == ["audit%2F2026", "main"])
    #expect(Set(try await lake.list("refs", "tags")) == ["%2E%2E", "ü"])
    #expect(try await lake.target("refs", "branches", "audit%2F2026") == "../../snapshots/1")
    #expect(try await lake.target("refs", "branches", "main") == "../../snapshots/2")
    #expect(try await lake.target("refs", "tags", "%2E%2E") == "../../snapshots/1")
    await #expect(throws: FilesystemError.self) { try await lake.walk("refs", "tags", "main") }
  }

  @Test("by-time lists when main moved, and finds what was current at any instant; before the first there is nothing")
  func byTime() async throws {
    let lake = ViewLake(ttl: .seconds(3600))
    // 2026-02-24T15:00:00.123Z, 15:00:01.000Z, and 2026-02-25T00:30:00.000Z.
    let first: Int64 = 1_771_945_200_123
    lake.put(list: 1, [])
    lake.commit(
      [.init(id: 1, timestamp: first), .init(id: 2, timestamp: first + 877), .init(id: 3, timestamp: 1_771_979_400_000)])
    #expect(
      try await lake.list("by-time") == ["2026-02-24T150000.123Z", "2026-02-24T150001.000Z", "2026-02-25T003000.000Z"])
    let instants = [
      ("2026-02-24T150000.123Z", 1), ("2026-02-24T15:00:00.999999999Z", 1), ("2026-02-24T150001Z", 2), ("2026-02-24T15:00:01", 2),
      ("2026-02-24T160001+01:00", 2), ("2026-02-24T100000.500-0500", 1), ("2026-02-24T1501", 2), ("2026-02-25", 2),
      ("2026-02-25T0030Z", 3), ("2026-02-26", 3), ("9999-12-31", 3),
    ]
    for (name, id) in instants { #expect(try await lake.target("by-time", name) == "../snapshots/\(id)", "\(name)") }
    for name in [
      "2026-02-24", "2026-02-24T150000Z", "2026-02-24T150000.122Z", "0000-01-01", "2026-02-30", "2026-13-01", "2026-02-24T25", "today",
      "2026-02-26x",
      "2026-02-26T00:00:60Z", "2026-02-26T00.5Z", "2026-02-26T0000.Z", "+2026-02-26",
    ] {
      let error = await #expect(throws: FilesystemError.self, "\(name)") { try await lake.walk("by-time", name) }
      #expect(error?.code == .notFound, "\(name)")
    }
  }

  @Test("A table of 1,000 snapshots lists them, and finds each by id and by time")
  func manySnapshots() async throws {
    let lake = ViewLake(ttl: .seconds(3600))
    lake.put(list: 500, [lake.put("m", TestManifest(version: 2, [Self.entry("\(Self.data)/a.parquet")]))])
    lake.commit((1...1_000).map { .init(id: $0, timestamp: 1_000_000 + $0 * 1_000) })
    #expect(try await lake.list("snapshots").count == 1_000)
    #expect(try await lake.list("by-time").count == 1_000)
    #expect(try await lake.list("snapshots", "500", "data") == ["a.parquet"])
    #expect(try await lake.target("by-time", InstantName.name(1_000_000 + 700_999)) == "../snapshots/700")
    #expect(try await lake.read("history.jsonl", by: 100_000).split(separator: "\n").count == 1_000)
  }

  @Test("What was known of a table that nobody looks into is let go of, and nothing is held for tables never looked into")
  func memory() async throws {
    let lake = ViewLake(ttl: .seconds(3600))
    lake.commit(files: (0..<500).map { "\(Self.data)/\($0).parquet" })
    try await lake.tree.walk("sales", "orders")
    #expect(lake.tree.filesystem.views.count == 0)
    #expect(try await lake.files(below: ["snapshots", "1", "data"]).count == 500)
    #expect(lake.tree.filesystem.views.cost > 10_000)
    lake.tree.time.advance(by: .seconds(61))
    lake.tree.filesystem.views.sweep()
    #expect(lake.tree.filesystem.views.count == 0 && lake.tree.filesystem.views.cost == 0)
    #expect(try await lake.files(below: ["snapshots", "1", "data"]).count == 500)
  }

  @Test("A snapshot whose names do not fit the memory for views is ENOMEM with a sentence")
  func tooLarge() async throws {
    let lake = ViewLake(viewMemory: 20_000)
    lake.commit(files: (0..<2_000).map { "\(Self.data)/\($0)-\($0 &* 2_654_435_761).parquet" })
    let error = await #expect(throws: FilesystemError.self) { try await lake.list("snapshots", "1", "data") }
    #expect(error?.code == .outOfMemory && error?.message.contains("--memory-limit") == true)
  }

  @Test("There is no view in a view, nor any name that nothing stands for")
  func noRecursion() async throws {
    let lake = ViewLake()
    lake.commit(files: ["\(Self.data)/a/b.parquet"])
    for path in [
      [".iceberg"], ["snapshots", ".iceberg"], ["snapshots", "1", ".iceberg"], ["snapshots", "1", "data", ".iceberg"], ["snapshots", "01"],
      ["snapshots", "2"], ["snapshots", "1", "data", "a", "c"], ["snapshots", "1", "data", "a%"], ["refs", "heads"], ["other.jsonl"],
    ] {
      let error = await #expect(throws: FilesystemError.self, "\(path)") {
        try await lake.tree.walk(["sales", "orders", ".iceberg"] + path)
      }
      #expect(error?.code == .notFound, "\(path)")
    }
    #expect(try await lake.tree.list("sales", "orders") == ["metadata", "data"])
  }
}
