// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import WireFormats

@testable import Iceberg

/// Rows 11, 12 and what row 20 asks of manifests.
@Suite struct CommitManifestTests {
  private static let list = "s3://lake/t/metadata/snap-\(CommitDocument.third).avro"
  private static let manifest = "s3://lake/t/metadata/m0.avro"

  private struct Lake {
    let files = InMemoryFileIO(buckets: ["lake"])
    var version: Int64 = 2
    var document: JSONValue

    init(version: Int64 = 2) throws {
      self.version = version
      document = CommitDocument.appended(version)
      try put(manifest, Array(repeating: 7, count: 100))
      try put(
        list,
        AvroWriter.manifestList(snapshotID: CommitDocument.third, sequenceNumber: 3, entries: [(manifest, 100, 3, CommitDocument.third)]))
    }

    func put(_ location: String, _ bytes: [UInt8]) throws { files.put(try files.location(location), bytes) }

    func refusal() async throws -> SuccessorRefusal? {
      let check = try CommitDocument.check(document, base: CommitDocument.base(version)).check
      do throws(SuccessorRefusal) {
        #expect(try await check.checkFiles(files) == [])
        return nil
      } catch {
        return error
      }
    }
  }

  @Test("A snapshot whose manifest list and manifests exist and agree is accepted", arguments: [1, 2, 3] as [Int64])
  func accepted(version: Int64) async throws {
    let lake = try Lake(version: version)
    if version == 1 {
      try lake.put(
        Self.list,
        AvroWriter.manifestList(
          snapshotID: CommitDocument.third, sequenceNumber: nil, formatVersion: 1, entries: [(Self.manifest, 100, 0, CommitDocument.third)])
      )
    }
    #expect(try await lake.refusal() == nil)
  }

  @Test("Row 11: a manifest list that is missing, no Avro, of another snapshot, sequence number or newer version is refused")
  func manifestList() async throws {
    let entries = [(Self.manifest, Int64(100), Int64(3), CommitDocument.third)]
    let wrong: [[UInt8]?] = [
      nil, [], Array("Obj".utf8), Array("{}".utf8),
      AvroWriter.manifestList(snapshotID: CommitDocument.second, sequenceNumber: 3, entries: entries),
      AvroWriter.manifestList(snapshotID: CommitDocument.third, sequenceNumber: 2, entries: entries),
      AvroWriter.manifestList(snapshotID: CommitDocument.third, sequenceNumber: nil, entries: entries),
      AvroWriter.manifestList(snapshotID: CommitDocument.third, sequenceNumber: 3, formatVersion: 3, entries: entries),
    ]
    for bytes in wrong {
      let lake = try Lake()
      if let bytes { try lake.put(Self.list, bytes) } else { lake.files.delete(try lake.files.location(Self.list)) }
      let refusal = try await lake.refusal()
      #expect(refusal?.row == .manifestList, "\(String(describing: refusal))")
      #expect(refusal?.path == "snapshots[2].manifest-list")
      #expect(refusal?.kind == .invalid)
    }
  }

  @Test("Row 12: a manifest that is missing, of another length, newer than its snapshot or another snapshot's is refused")
  func manifests() async throws {
    let entries: [[(String, Int64, Int64, Int64)]] = [
      [("s3://lake/t/metadata/none.avro", 100, 3, CommitDocument.third)], [(Self.manifest, 99, 3, CommitDocument.third)],
      [(Self.manifest, 100, 4, CommitDocument.third)], [(Self.manifest, 100, 3, CommitDocument.second)],
    ]
    for entry in entries {
      let lake = try Lake()
      try lake.put(Self.list, AvroWriter.manifestList(snapshotID: CommitDocument.third, sequenceNumber: 3, entries: entry))
      let refusal = try await lake.refusal()
      #expect(refusal?.row == .manifests, "\(String(describing: refusal))")
      #expect(refusal?.kind == .invalid)
    }
  }

  @Test("A list that ends inside a block is refused; one of a codec not read here is accepted with a warning")
  func codecs() async throws {
    let whole = AvroWriter.manifestList(
      snapshotID: CommitDocument.third, sequenceNumber: 3, entries: [(Self.manifest, 100, 3, CommitDocument.third)])
    var lake = try Lake()
    try lake.put(Self.list, Array(whole.dropLast(20)))
    #expect(try await lake.refusal()?.row == .manifests)
    lake = try Lake()
    try lake.put(
      Self.list,
      AvroWriter.manifestList(
        snapshotID: CommitDocument.third, sequenceNumber: 3, codec: "bzip2", entries: [(Self.manifest, 100, 3, 1)]))
    let check = try CommitDocument.check(lake.document, base: CommitDocument.base()).check
    let warnings = try await check.checkFiles(lake.files)
    #expect(warnings.map(\.row) == [.manifests])
    #expect(warnings.first?.message.contains("unsupported codec bzip2") == true)
  }

  @Test("A service that does not answer says nothing about the document")
  func unavailable() async throws {
    for code in [FileIOError.Code.denied, .timedOut, .failed, .cancelled] {
      let lake = try Lake()
      lake.files.faults.fail(with: FileIOError(code: code, message: "no"))
      #expect(try await lake.refusal()?.kind == .unavailable(code))
    }
  }

  @Test("Manifests that the parent's list names already are not asked for again")
  func parents() async throws {
    let lake = try Lake()
    let old = "s3://lake/t/metadata/gone.avro"
    let kept = (old, Int64(50), Int64(2), CommitDocument.second)
    try lake.put(
      "s3://lake/t/metadata/snap-\(CommitDocument.second).avro",
      AvroWriter.manifestList(snapshotID: CommitDocument.second, sequenceNumber: 2, entries: [kept]))
    try lake.put(
      Self.list,
      AvroWriter.manifestList(
        snapshotID: CommitDocument.third, sequenceNumber: 3, entries: [(Self.manifest, 100, 3, CommitDocument.third), kept]))
    #expect(try await lake.refusal() == nil)
    #expect(lake.files.faults.count { $0.isHead } == 3)
  }

  @Test("Row 20: a removed spec that a live manifest uses is refused, an unused one may go")
  func removedSpec() async throws {
    for (spec, isRefused) in [(0, true), (1, false)] as [(Int64, Bool)] {
      let lake = try Lake()
      var document = CommitDocument.next()
      document.set("partition-specs[0]", nil)
      for (id, sequence) in [(CommitDocument.first, 1), (CommitDocument.second, 2)] as [(Int64, Int64)] {
        try lake.put(
          "s3://lake/t/metadata/snap-\(id).avro",
          AvroWriter.manifestList(snapshotID: id, sequenceNumber: sequence, spec: spec, entries: [(Self.manifest, 100, sequence, id)]))
      }
      var changed = lake
      changed.document = document
      #expect(try await changed.refusal()?.row == (isRefused ? .partitionSpecs : nil))
    }
  }
}
