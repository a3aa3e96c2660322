// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing
import WireFormats

/// Deleting what fell out of the log.
@Suite struct CommitEngineCleanupTests {
  private let older = "t/metadata/00000-8d2f9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json"

  /// The next document with a log of one entry; `log` goes into the base's log before its own.
  private func lake(deletes: Bool = true, log: [String] = []) throws -> (lake: CommitLake, edited: [UInt8]) {
    var base = CommitDocument.base()
    let entries = (log + [CommitDocument.olderLocation]).map { file -> JSONValue in
      ["timestamp-ms": 1_800_000_100_000, "metadata-file": .string(file)]
    }
    base.set("metadata-log", .array(entries))
    let lake = try CommitLake(base: base)
    for file in log where file != CommitDocument.baseLocation { lake.files.put(try lake.files.location(file), Array("old".utf8)) }
    base.set(
      "properties",
      ["write.metadata.previous-versions-max": "1", "write.metadata.delete-after-commit.enabled": deletes ? "TRUE" : "false"])
    return (lake, base.serialized())
  }

  @Test("Files that fell out of the log are deleted if the new document says so, and never the base or the current one")
  func deletes() async throws {
    let (lake, edited) = try lake()
    let before = try await lake.keys()
    let done = try await lake.engine(clock: VirtualLockClock()).edited(edited).get()
    #expect(done.removed.map(\.key) == [older])
    let current = try lake.files.location(done.entry.metadataLocation).key
    #expect(try await lake.keys() == before.subtracting([older]).union([current]))
    let (kept, same) = try self.lake(deletes: false)
    let other = try await kept.engine().edited(same).get()
    #expect(other.removed.isEmpty && kept.files.faults.count(where: { $0.isDelete }) == 0)
  }

  @Test("Only metadata files directly in the table's metadata directory are deleted")
  func staysInside() async throws {
    let outside = [
      "s3://lake/t/data/00000-1d0c9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json",
      "s3://lake/t/metadata/sub/00000-2d0c9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json",
      "s3://lake/u/metadata/00000-3d0c9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json", "s3://other/t/metadata/00000-4.metadata.json",
      "s3://lake/t/metadata/../x/00000-5.metadata.json", "s3://lake/t/metadata/snap-1.avro", CommitDocument.baseLocation,
    ]
    let (lake, edited) = try lake(log: outside)
    let done = try await lake.engine(clock: VirtualLockClock()).edited(edited).get()
    #expect(done.removed.map(\.key) == [older])
    #expect(lake.files.faults.calls.filter { $0.isDelete }.count == 1)
    for file in outside { _ = try await lake.files.head(try lake.files.location(file)) }
  }

  private static let other = TableIdentifier(namespace: Namespace(["elsewhere"]), name: "t2")
  private static let twin = "s3://lake/t/metadata/00003-9d0c9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json"

  @Test("A file that another entry points at is kept, and so is one that its current file logs")
  func sharedHistory() async throws {
    for isPointer in [true, false] {
      let (lake, edited) = try lake()
      if isPointer {
        lake.catalog.putTable(Self.other, metadataLocation: CommitDocument.olderLocation)
      } else {
        // Its directory is that of the files, as of an entry that was registered here and went on.
        lake.files.put(try lake.files.location(Self.twin), CommitDocument.base().serialized())
        lake.catalog.putTable(Self.other, metadataLocation: Self.twin)
      }
      let done = try await lake.engine(clock: VirtualLockClock()).edited(edited).get()
      #expect(done.outcome == .committed && done.removed.isEmpty)
      #expect(try await lake.keys().contains(older))
    }
  }

  @Test("Two commits through a second name leave the first name's pointer where it is")
  func secondName() async throws {
    let lake = try CommitLake()
    lake.catalog.putTable(Self.other, metadataLocation: CommitDocument.baseLocation)
    var document = CommitDocument.base()
    let properties: JSONValue = ["write.metadata.previous-versions-max": "1", "write.metadata.delete-after-commit.enabled": "true"]
    document.set("properties", properties)
    for _ in 0..<2 {
      let done = try await lake.engine(clock: VirtualLockClock()).edited(document.serialized()).get()
      let location = try lake.files.location(done.entry.metadataLocation)
      document = JSONValue(try JSONDocument(parsing: try await lake.bytes(location.key)).root)
    }
    let pointer = try #require(lake.catalog.table(Self.other)?.metadataLocation)
    #expect(lake.files.bytes(try lake.files.location(pointer)) != nil)
    #expect(try await lake.keys().contains(older), "the first name's log has it")
  }

  @Test("What cannot be listed, read or made out counts as needing the files; the commit stands")
  func doubts() async throws {
    let faults: [(CommitLake) throws -> Void] = [
      { $0.catalog.faults.fail(with: CatalogError(code: .denied, message: "no"), where: { $0.isListTables }) },
      { $0.catalog.putTable(Self.other, metadataLocation: Self.twin) },
      {
        $0.files.put(try $0.files.location(Self.twin), Array("{}".utf8))
        $0.catalog.putTable(Self.other, metadataLocation: Self.twin)
      },
      { $0.catalog.putTable(Self.other, metadataLocation: "no location") },
    ]
    for fault in faults {
      let (lake, edited) = try lake()
      try fault(lake)
      let done = try await lake.engine(clock: VirtualLockClock()).edited(edited).get()
      #expect(done.outcome == .committed && done.removed.isEmpty)
      #expect(try await lake.keys().contains(older))
    }
  }

  @Test("The catalog is listed only when there is something to delete, and no file of a table elsewhere is read")
  func cost() async throws {
    for deletes in [true, false] {
      let (lake, edited) = try lake(deletes: deletes)
      for number in 0..<20 {
        let table = TableIdentifier(namespace: Namespace(["db"]), name: "other\(number)")
        lake.catalog.putTable(table, metadataLocation: "s3://lake/other\(number)/metadata/00000-a.metadata.json")
      }
      let engine = lake.engine(clock: VirtualLockClock())
      lake.forgetCalls()
      let done = try await engine.edited(edited).get()
      // The first listing is made twice; each is a page of namespaces at the root, one below `db`, and a page of tables.
      #expect(lake.catalog.faults.count { $0.isListTables || $0.isListNamespaces } == (deletes ? 6 : 0))
      #expect(done.removed.count == (deletes ? 1 : 0))
      let reads = lake.files.faults.calls.filter {
        if case .read(let location, _, _) = $0 { location.key.hasPrefix("other") } else { false }
      }
      #expect(reads.isEmpty)
    }
  }

  @Test("A deletion that fails, or takes long, changes nothing about the commit")
  func failure() async throws {
    let (lake, edited) = try lake()
    lake.files.faults.fail(with: FileIOError(code: .denied, message: "no"), where: { $0.isDelete })
    let done = try await lake.engine(clock: VirtualLockClock()).edited(edited).get()
    #expect(done.outcome == .committed && done.removed.isEmpty)
    let (slow, same) = try self.lake()
    let clock = VirtualLockClock()
    let gate = slow.files.faults.hold(where: { $0.isDelete })
    let commit = Task { await slow.engine(clock: clock).edited(same) }
    await gate.waitForArrivals(1)
    await clock.waitForSleepers(1)
    clock.advance(by: .seconds(2))
    #expect(try await commit.value.get().removed.isEmpty)
    gate.open()
    #expect(await becomesTrue { (try? await slow.keys().contains(older)) == false })
  }

  @Test("A commit that is refused or unknown deletes no old file")
  func refused() async throws {
    let (lake, edited) = try lake()
    let old = "s3://lake/\(older)"
    lake.catalog.faults.fail(with: CatalogError(code: .failed, message: "no"), where: { $0.isCommit })
    #expect(await lake.engine().edited(edited).word == "failed")
    lake.lossy.answer(.lostAfter)
    #expect(await lake.engine().edited(edited).word == "unknown")
    _ = try await lake.files.head(try lake.files.location(old))
  }

  @Test("Many files are deleted side by side, but not all at once")
  func width() async throws {
    let many = (10..<60).map { "s3://lake/t/metadata/000\($0)-1d0c9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json" }
    let (lake, edited) = try lake(log: many)
    let gate = lake.files.faults.hold(where: { $0.isDelete })
    let clock = VirtualLockClock()
    let commit = Task { await lake.engine(clock: clock).edited(edited) }
    await gate.waitForArrivals(16)
    for _ in 0..<100 { await Task.yield() }
    #expect(gate.arrivals == 16)
    gate.open()
    #expect(try await commit.value.get().removed.count == 51)
  }
}
