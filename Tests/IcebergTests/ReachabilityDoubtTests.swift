// SPDX-License-Identifier: Apache-2.0

import Fuzzing
import TestSupport
import Testing
import WireFormats

@testable import Iceberg

/// What cannot be read counts as referenced, and what is no longer there does not.
@Suite(.timeLimit(.minutes(5))) struct ReachabilityDoubtTests {
  private static let root = ReachLake.root
  private static let orphan = "\(root)/data/orphan"
  private static let other = TableIdentifier(namespace: Namespace(["lab"]), name: "other")
  private static let otherPointer = "s3://lake/lab/other/metadata/00000-u.metadata.json"

  @Test(
    "A file on the way that is broken leaves what nothing else reaches undecided, and names itself",
    arguments: ["00002-u.metadata.json", "00001-u.metadata.json", "snap-3.avro", "snap-1.avro", "m3.avro", "m1.avro"])
  func broken(file: String) async throws {
    for bytes in [Array("Obj".utf8), [], Array("{}".utf8), Array("<html>".utf8)] {
      let lake = ReachLake()
      try lake.history()
      try lake.put("\(Self.root)/metadata/\(file)", bytes)
      let verdict = try await lake.judge(Self.orphan)
      #expect(verdict.isUndecided && verdict.sentence.contains(file), "\(verdict)")
      // What is certain stays so.
      #expect(try await lake.judge("\(Self.root)/metadata/00002-u.metadata.json").isReferenced)
    }
  }

  @Test("A table in a namespace that no listing names holds its files")
  func namespaceWithoutEntry() async throws {
    let lake = ReachLake(isScanned: true)
    try lake.history()
    // Renamed by a client that did not ask for the namespace; then a new table took the old name and place.
    let moved = TableIdentifier(namespace: Namespace(["archive"]), name: "orders")
    lake.catalog.removeTable(ReachLake.orders)
    lake.catalog.putTable(moved, metadataLocation: "\(Self.root)/metadata/00002-u.metadata.json")
    let leaveWithoutEntry: (Namespace) -> Void = lake.catalog.dropNamespace
    leaveWithoutEntry(moved.namespace)
    try lake.commit("\(Self.root)/metadata/00000-new.metadata.json", ReachLake.Version())
    for file in ["data/a", "data/c", "metadata/m1.avro"] {
      let verdict = try await lake.judge("\(Self.root)/\(file)")
      #expect(verdict.isReferenced && verdict.sentence.contains("archive.orders"), "\(verdict)")
    }
    #expect(try await lake.judge(Self.orphan).isUnreferenced)
  }

  @Test("An entry of the catalog that cannot be made out leaves what nothing else reaches undecided")
  func unclearEntry() async throws {
    let lake = ReachLake(isScanned: true)
    try lake.history()
    #expect(try await lake.judge(Self.orphan).isUnreferenced)
    lake.catalog.setUnclear(["The item 'x' has a pointer."])
    #expect(try await lake.judge(Self.orphan) == .undecided("The item 'x' has a pointer."))
    #expect(try await lake.judge("\(Self.root)/data/a").isReferenced)
    lake.catalog.setUnclear([])
    #expect(try await lake.judge(Self.orphan).isUnreferenced)
  }

  @Test("A file on the way that cannot be fetched leaves it undecided, until it can be")
  func unreachable() async throws {
    for code in [FileIOError.Code.denied, .timedOut, .failed, .cancelled, .changed] {
      for file in ["00002-u.metadata.json", "00001-u.metadata.json", "snap-1.avro", "m3.avro"] {
        let lake = ReachLake()
        try lake.history()
        lake.files.faults.fail(with: FileIOError(code: code, message: "no answer")) { call in
          if case .read(let location, _, _) = call { location.key.hasSuffix(file) } else { false }
        }
        let verdict = try await lake.judge(Self.orphan)
        #expect(verdict.isUndecided && verdict.sentence.contains(file), "\(code) \(verdict)")
        #expect(try await lake.judge(Self.orphan).isUnreferenced)
      }
    }
  }

  @Test("Logged metadata files, lists and manifests that were expired reach nothing")
  func expired() async throws {
    for file in ["00000-u.metadata.json", "00001-u.metadata.json", "snap-1.avro", "snap-2.avro", "m1.avro", "m2.avro"] {
      let lake = ReachLake()
      try lake.history()
      try lake.delete("\(Self.root)/metadata/\(file)")
      #expect(try await lake.judge(Self.orphan).isUnreferenced, "\(file)")
      #expect(try await lake.judge("\(Self.root)/data/c").isReferenced)
      // The log still names it.
      #expect(try await lake.judge("\(Self.root)/metadata/00001-u.metadata.json").isReferenced)
    }
    let lake = ReachLake()
    try lake.history()
    try lake.delete("\(Self.root)/metadata/00001-u.metadata.json")
    #expect(try await lake.judge("\(Self.root)/data/a").isUnreferenced)
  }

  @Test("What a current snapshot needs has to be there", arguments: ["snap-3.avro", "m3.avro"])
  func missing(file: String) async throws {
    let lake = ReachLake()
    try lake.history()
    try lake.delete("\(Self.root)/metadata/\(file)")
    let verdict = try await lake.judge(Self.orphan)
    #expect(verdict.isUndecided && verdict.sentence.contains("missing"), "\(verdict)")
  }

  @Test("A manifest cut at the end of a block is shorter than its list says, and is not believed")
  func short() async throws {
    let lake = ReachLake()
    try lake.history()
    try lake.put("\(Self.root)/metadata/m3.avro", AvroWriter.manifest([]))
    let verdict = try await lake.judge("\(Self.root)/data/c")
    #expect(verdict.isUndecided && verdict.sentence.contains("should have"), "\(verdict)")
  }

  @Test("Encrypted snapshots and manifests, and codecs not read here, leave it undecided")
  func encrypted() async throws {
    let metadata = "\(Self.root)/metadata"
    var lake = ReachLake()
    var snapshot = try lake.snapshot(1, live: [])
    snapshot.members += ",\"key-id\":\"k\""
    try lake.commit("\(metadata)/00000-u.metadata.json", ReachLake.Version(snapshots: [snapshot]))
    #expect(try await lake.judge(Self.orphan).sentence.contains("is encrypted"))
    lake = ReachLake()
    try lake.put("\(metadata)/snap.avro", AvroWriter.encryptedManifestList(["\(metadata)/m.avro"]))
    let list: (id: Int64, members: String) = (1, "\"manifest-list\":\"\(metadata)/snap.avro\"")
    try lake.commit("\(metadata)/00000-u.metadata.json", ReachLake.Version(snapshots: [list]))
    let verdict = try await lake.judge(Self.orphan)
    #expect(verdict.isUndecided && verdict.sentence.contains("m.avro is encrypted"), "\(verdict)")
    #expect(try await lake.judge("\(metadata)/m.avro").isReferenced)
    lake = ReachLake()
    try lake.put("\(metadata)/snap.avro", AvroWriter.manifestList(snapshotID: 1, sequenceNumber: 1, codec: "xz", entries: []))
    try lake.put("\(metadata)/m.avro", AvroWriter.manifest([(1, "\(Self.root)/data/x")], codec: "xz"))
    let manifests: (id: Int64, members: String) = (1, "\"manifests\":[\"\(metadata)/m.avro\"]")
    try lake.commit("\(metadata)/00000-u.metadata.json", ReachLake.Version(snapshots: [manifests]))
    #expect(try await lake.judge("\(Self.root)/data/x").sentence.contains("unsupported codec xz"))
  }

  @Test(
    "Metadata that is not understood leaves every object undecided",
    arguments: [
      #"{"format-version":4,"location":"s3://lake/x"}"#, #"{"location":"s3://lake/x"}"#, #"{"format-version":2}"#, "[]",
      #"{"format-version":2,"location":"s3://lake/x","snapshots":[{"snapshot-id":1}]}"#,
      #"{"format-version":2,"location":"s3://lake/x","snapshots":[{"manifest-list":"s3://lake/x/l"}]}"#,
      #"{"format-version":2,"location":"s3://lake/x","snapshots":[{"snapshot-id":1,"manifest-list":7}]}"#,
      #"{"format-version":2,"location":"s3://lake/x","snapshots":{}}"#,
      #"{"format-version":2,"location":"s3://lake/x","metadata-log":[{"file":"a"}]}"#,
      #"{"format-version":2,"location":"s3://lake/x","statistics":[{}]}"#,
      #"{"format-version":2,"location":"s3://lake/x","properties":[]}"#,
    ])
  func notUnderstood(document: String) async throws {
    let lake = ReachLake()
    try lake.history()
    try lake.put(Self.otherPointer, document)
    lake.catalog.putTable(Self.other, metadataLocation: Self.otherPointer)
    let verdict = try await lake.judge(Self.orphan)
    #expect(verdict.isUndecided && verdict.sentence.contains("lab.other"), "\(verdict)")
    #expect(try await lake.judge("\(Self.root)/data/c").isReferenced)
  }

  @Test("A table whose current metadata file is gone protects what lies around its pointer, and nothing else")
  func pointerGone() async throws {
    let lake = ReachLake()
    try lake.history()
    lake.catalog.putTable(Self.other, metadataLocation: Self.otherPointer)
    #expect(try await lake.judge(Self.orphan).isUnreferenced)
    for path in ["metadata/x.avro", "data/x"] {
      let verdict = try await lake.judge("s3://lake/lab/other/\(path)", owner: Self.other)
      #expect(verdict.isUndecided && verdict.sentence.contains("is missing"), "\(verdict)")
    }
  }

  @Test("A catalog that cannot be listed to its end leaves it undecided")
  func unlisted() async throws {
    let calls: [@Sendable (InMemoryCatalogCall) -> Bool] = [
      { $0.isListTables }, { $0.isListNamespaces },
      { if case .listTables(_, .some) = $0 { true } else { false } }, { if case .listNamespaces(_, .some) = $0 { true } else { false } },
    ]
    for matches in calls {
      let lake = ReachLake(pageSize: 1)
      try lake.history()
      lake.catalog.putTable(TableIdentifier(namespace: Namespace(["sales"]), name: "zebra"), metadataLocation: Self.otherPointer)
      lake.catalog.putNamespace(Namespace(["zoo"]))
      lake.catalog.faults.fail(next: 1, with: CatalogError(code: .timedOut, message: "no answer"), where: matches)
      let verdict = try await lake.judge(Self.orphan)
      #expect(verdict.isUndecided && verdict.sentence.contains("no answer"), "\(verdict)")
      #expect(try await lake.judge(Self.orphan).isUnreferenced)
    }
  }

  @Test("Bytes of any kind in the place of a list or a manifest are refused or read, and never trap")
  func fuzz() throws {
    let whole = AvroWriter.manifest((0..<20).map { (1, "s3://lake/\($0)") })
    var generator = SeededGenerator(seed: 7)
    for round in 0..<3000 {
      var bytes = whole
      switch round % 3 {
      case 0: bytes = Array(whole.prefix(Int.random(in: 0...whole.count, using: &generator)))
      case 1: for _ in 0..<4 { bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator) }
      default: bytes.insert(.random(in: 0...255, using: &generator), at: Int.random(in: bytes.indices, using: &generator))
      }
      var count = 0
      try? ManifestReader(parsing: bytes).forEachEntry(columns: .all) { _ throws(AvroError) in count += 1 }
      #expect(count <= bytes.count)
      _ = try? ManifestList(parsing: bytes).manifests()
      _ = try? MetadataReach(parsing: bytes, location: "s3://lake/00000-u.metadata.json")
    }
  }
}
