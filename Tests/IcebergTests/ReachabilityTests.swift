// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import WireFormats

@testable import Iceberg

/// What counts as referenced.
@Suite(.timeLimit(.minutes(5))) struct ReachabilityTests {
  private static let root = ReachLake.root

  @Test(
    "Whatever a table names is referenced, with a sentence that says where",
    arguments: [
      ("metadata/00002-u.metadata.json", "current metadata file"), ("metadata/00001-u.metadata.json", "metadata log of"),
      ("metadata/00000-u.metadata.json", "metadata log of"), ("metadata/snap-3.avro", "manifest list of snapshot 3 in the current"),
      ("metadata/snap-1.avro", "manifest list of snapshot 1 in the logged"), ("metadata/m3.avro", "manifest of snapshot 3"),
      ("metadata/m2.avro", "manifest of snapshot 2"), ("metadata/1.stats", "statistics"), ("metadata/1.parquet", "statistics"),
      ("data/c", "snapshot 3 in the current metadata file"), ("data/b", "holds it"), ("data/a", "in the logged metadata file"),
    ])
  func names(path: String, sentence: String) async throws {
    let lake = ReachLake()
    try lake.history()
    let verdict = try await lake.judge("\(Self.root)/\(path)")
    #expect(verdict.isReferenced)
    #expect(verdict.sentence.contains("sales.orders") && verdict.sentence.contains(sentence), "\(verdict)")
  }

  @Test("What nothing names is unreferenced, and so is what only a deleted entry names")
  func orphans() async throws {
    let lake = ReachLake()
    try lake.history()
    for path in ["data/orphan", "metadata/00002-other.metadata.json", "metadata/m9.avro", "data", "metadata/snap-3.avro.crc"] {
      #expect(try await lake.judge("\(Self.root)/\(path)").isUnreferenced, "\(path)")
    }
    let last = "\(Self.root)/metadata/00002-u.metadata.json"
    try lake.commit(last, ReachLake.Version(snapshots: [try lake.snapshot(3, live: [], deleted: ["\(Self.root)/data/a"])]))
    #expect(try await lake.anew().judge("\(Self.root)/data/a").isUnreferenced)
  }

  @Test("The scheme does not matter; bytes of the key do")
  func schemes() async throws {
    let lake = ReachLake()
    let snapshot = try lake.snapshot(1, live: ["s3a://lake/sales/orders/data/x", "s3n://lake/sales/orders/data/y%20z", "s3://lake/e?f"])
    try lake.commit("s3a://lake/sales/orders/metadata/00000-u.metadata.json", ReachLake.Version(snapshots: [snapshot]))
    for text in ["s3", "s3a", "s3n"] {
      #expect(try await lake.judge("\(text)://lake/sales/orders/data/x").isReferenced)
      #expect(try await lake.judge("\(text)://lake/sales/orders/data/y%20z").isReferenced)
      #expect(try await lake.judge("\(text)://lake/sales/orders/data/y z").isUnreferenced)
      #expect(try await lake.judge("\(text)://lake/sales/orders/metadata/00000-u.metadata.json").isReferenced)
    }
    // Iceberg's reader takes it for `e`, others for `e?f`.
    for key in ["e", "e?f"] {
      #expect(await lake.reachability.judge(ObjectLocation(bucket: "lake", key: key), owner: ReachLake.orders).isReferenced)
    }
  }

  @Test("Manifests of version 1 that stand in the snapshot, and those without field ids, count")
  func version1() async throws {
    let lake = ReachLake()
    let manifest = "\(Self.root)/metadata/old.avro"
    try lake.put(manifest, AvroWriter.manifestWithoutIDs([(0, "\(Self.root)/data/kept"), (2, "\(Self.root)/data/gone")]))
    try lake.commit(
      "\(Self.root)/metadata/00000-u.metadata.json", ReachLake.Version(snapshots: [(7, "\"manifests\":[\"\(manifest)\"]")]))
    #expect(try await lake.judge(manifest).isReferenced)
    #expect(try await lake.judge("\(Self.root)/data/kept").isReferenced)
    #expect(try await lake.judge("\(Self.root)/data/gone").isUnreferenced)
  }

  @Test("Files by which readers find a table without a catalog are kept by their names")
  func reserved() async throws {
    let lake = ReachLake()
    try lake.history()
    for name in ["version-hint.text", ".version-hint.text.crc", "v3.metadata.json", "v3.gz.metadata.json"] {
      #expect(try await lake.judge("\(Self.root)/metadata/\(name)").isReferenced, "\(name)")
    }
  }

  // MARK: Other tables

  @Test(
    "Another table protects what it reaches in its location, its additional locations and around its pointer",
    arguments: ["write.data.path", "write.metadata.path", "write.object-storage.path", "write.folder-storage.path", "location", "pointer"])
  func overlap(place: String) async throws {
    let lake = ReachLake()
    try lake.history()
    let shared = "s3://lake/shared/place"
    let other = TableIdentifier(namespace: Namespace(["lab", "deep"]), name: "other")
    let directory = place == "pointer" ? shared : "s3://lake/lab/other/metadata"
    var version = ReachLake.Version(location: place == "location" ? shared : "s3://lake/lab/other")
    if place.hasPrefix("write") { version.properties[place] = shared }
    version.snapshots = [try lake.snapshot(5, in: "s3://lake/lab/other/metadata", live: ["\(shared)/file"])]
    try lake.commit("\(directory)/00000-u.metadata.json", version, to: other)
    let verdict = try await lake.judge("\(shared)/file")
    #expect(verdict.isReferenced && verdict.sentence.contains("lab.deep.other"), "\(verdict)")
    #expect(try await lake.judge("\(shared)/file2").isUnreferenced)
    #expect(try await lake.judge("\(shared)-more/file").isUnreferenced)
  }

  @Test("The owner of a directory is asked wherever its files lie; other tables' manifests only where they keep files")
  func distant() async throws {
    let lake = ReachLake()
    try lake.history()
    let other = TableIdentifier(namespace: Namespace(["lab"]), name: "other")
    let snapshot = try lake.snapshot(5, in: "s3://lake/lab/other/metadata", live: ["s3://far/away"])
    try lake.commit(
      "s3://lake/lab/other/metadata/00000-u.metadata.json", ReachLake.Version(location: "s3://lake/lab/other", snapshots: [snapshot]),
      to: other)
    #expect(try await lake.judge("s3://far/away", owner: other).isReferenced)
    let again = lake.anew()
    lake.files.faults.forgetCalls()
    #expect(try await again.judge("\(Self.root)/data/orphan").isUnreferenced)
    let read = lake.files.faults.calls.compactMap { call in if case .read(let location, _, _) = call { location.key } else { nil } }
    #expect(read.filter { $0.hasPrefix("lab/") } == ["lab/other/metadata/00000-u.metadata.json"])
  }

  @Test("A table under another name, as a rename leaves it, protects its files")
  func renamed() async throws {
    let lake = ReachLake()
    try lake.history()
    #expect(try await lake.judge("\(Self.root)/data/c").isReferenced)
    lake.catalog.removeTable(ReachLake.orders)
    let renamed = TableIdentifier(namespace: Namespace(["archive"]), name: "old_orders")
    lake.catalog.putTable(renamed, metadataLocation: "\(Self.root)/metadata/00002-u.metadata.json")
    let verdict = try await lake.judge("\(Self.root)/data/c")
    #expect(verdict.isReferenced && verdict.sentence.contains("archive.old_orders"), "\(verdict)")
  }

  @Test("A second table registered on an earlier metadata file protects what that reaches")
  func registered() async throws {
    let lake = ReachLake()
    try lake.history()
    let metadata = "\(Self.root)/metadata"
    let copy = TableIdentifier(namespace: Namespace(["lab"]), name: "registered")
    lake.catalog.putTable(copy, metadataLocation: "\(metadata)/00001-u.metadata.json")
    // The first table forgets its history, and moves away.
    try lake.commit(
      "s3://lake/moved/metadata/00003-u.metadata.json",
      ReachLake.Version(location: "s3://lake/moved", snapshots: [try lake.snapshot(9, in: "s3://lake/moved/metadata", live: [])]))
    let verdict = try await lake.judge("\(Self.root)/data/a")
    #expect(verdict.isReferenced && verdict.sentence.contains("lab.registered"), "\(verdict)")
    #expect(try await lake.judge("\(Self.root)/data/c").isUnreferenced)
  }

  @Test("A table that has just gone counts for a while, then no more")
  func dropped() async throws {
    let lake = ReachLake()
    try lake.history()
    #expect(try await lake.judge("\(Self.root)/data/c").isReferenced)
    lake.catalog.removeTable(ReachLake.orders)
    #expect(try await lake.judge("\(Self.root)/data/c").isReferenced)
    lake.clock.advance(by: .seconds(61))
    #expect(try await lake.judge("\(Self.root)/data/c").isUnreferenced)
  }
}
