// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

@testable import Iceberg

@Suite struct TableMetadataHeadTests {
  private func head(_ fixture: String) throws -> TableMetadataHead {
    try TableMetadataHead(parsing: try Fixture.bytes(fixture), fileName: fixture)
  }

  @Test("A version 1 file of PyIceberg is read")
  func version1() throws {
    let head = try head("pyiceberg-v1.metadata.json")
    #expect(head.formatVersion == 1)
    #expect(head.tableUUID == "c3569829-5bfd-4806-b193-946394b4be73")
    #expect(head.location == "s3://lake/warehouse/sales/v1")
    #expect(head.lastUpdatedMs == 1_795_341_514_630)
    #expect(head.currentSnapshotID == 1_856_016_421_484_764_724)
    #expect(head.properties == [:])
    #expect(
      head.refs == [
        "main": .init(snapshotID: 1_856_016_421_484_764_724, kind: .branch),
        "audit": .init(snapshotID: 1_856_016_421_484_764_724, kind: .branch),
        "first": .init(snapshotID: 6_734_983_203_587_672_415, kind: .tag),
      ])
    let directory = "s3://lake/warehouse/sales/v1/metadata"
    #expect(
      head.metadataLog == [
        .init(timestampMs: 1_795_341_514_235, file: "\(directory)/00000-6338c146-0c72-40e5-be31-efbd39c5e409.metadata.json"),
        .init(timestampMs: 1_795_341_514_509, file: "\(directory)/00001-15ca0bae-03a5-4efd-9750-46bd0d05b6ba.metadata.json"),
        .init(timestampMs: 1_795_341_514_579, file: "\(directory)/00002-87de6f5b-16b7-48c2-929b-b01fa4a26d9b.metadata.json"),
      ])
    #expect(head.metadataLocation == directory)
    #expect(head.dataLocation == "s3://lake/warehouse/sales/v1/data")
  }

  @Test("A version 2 file of PyIceberg is read, its metadata path followed")
  func version2() throws {
    let head = try head("pyiceberg-v2.metadata.json")
    #expect(head.formatVersion == 2)
    #expect(head.tableUUID == "956c3a41-065c-4234-97ab-dc0afbd32c67")
    #expect(head.currentSnapshotID == 6_019_460_881_846_533_907)
    #expect(head.properties == ["owner": "ops ✓", "write.metadata.path": "s3://lake/warehouse/meta/v2/"])
    #expect(head.metadataLocation == "s3://lake/warehouse/meta/v2")
    #expect(head.dataLocation == "s3://lake/warehouse/sales/v2/data")
    #expect(head.refs.keys.sorted() == ["audit", "first", "main"])
    #expect(head.metadataLog.count == 3)
  }

  @Test("A table without a snapshot has no current snapshot and no refs")
  func created() throws {
    for fixture in ["pyiceberg-v1-created.metadata.json", "pyiceberg-v2-created.metadata.json"] {
      let head = try head(fixture)
      #expect(head.currentSnapshotID == nil)
      #expect(head.refs == [:])
      #expect(head.metadataLog == [])
    }
  }

  @Test("A version 3 file with unknown members is read; ids pass through no double")
  func version3() throws {
    let head = try head("handwritten-v3.metadata.json")
    #expect(head.formatVersion == 3)
    #expect(head.location == "s3://lake/warehouse/sales.db/v3")
    #expect(head.currentSnapshotID == .max)
    #expect(head.properties["comment"] == "café 🧊")
    #expect(
      head.refs == [
        "main": .init(snapshotID: .max, kind: .branch),
        "audit/2025 α": .init(snapshotID: 3_051_729_675_574_597_004, kind: .tag),
      ])
    #expect(head.metadataLocation == "s3://lake/warehouse/sales.db/v3/metadata")
    #expect(head.dataLocation == "s3://lake/objects/v3")
  }

  @Test("The same file in gzip gives the same head, under both gzip names")
  func gzip() throws {
    let plain = try head("pyiceberg-v2.metadata.json")
    #expect(try head("pyiceberg-v2.gz.metadata.json") == plain)
    let bytes = try Fixture.bytes("pyiceberg-v2.gz.metadata.json")
    #expect(try TableMetadataHead(parsing: bytes, fileName: "s3://lake/x/00002-a.metadata.json.gz") == plain)
  }

  @Test("Every fixture cut at any byte is an error that names the file")
  func truncation() throws {
    let bytes = try Fixture.bytes("handwritten-v3.metadata.json")
    let end = bytes.count - 2
    for cut in 0..<end {
      let error = #expect(throws: TableMetadataError.self) {
        try TableMetadataHead(parsing: Array(bytes[..<cut]), fileName: "s3://lake/00001-a.metadata.json")
      }
      #expect(error?.code == .notJSON)
    }
    let packed = try Fixture.bytes("pyiceberg-v2.gz.metadata.json")
    for cut in 2..<packed.count {
      let error = #expect(throws: TableMetadataError.self) {
        try TableMetadataHead(parsing: Array(packed[..<cut]), fileName: "00001-a.gz.metadata.json")
      }
      #expect(error?.message == "00001-a.gz.metadata.json cannot be decompressed: the gzip data ends too early")
    }
  }
}
