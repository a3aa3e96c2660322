// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Iceberg
@testable import WireFormats

/// Rows of Iceberg's metadata tables, from manifests written byte by byte.
@Suite struct MetadataTableTests {
  private static func table(transform: String, source: String, version: Int = 3) throws -> TableMetadata {
    let text = """
      {"format-version":\(version),"table-uuid":"9c12d441-03fe-4693-9a96-a0705ddf69c1","location":"s3://lake/t","last-sequence-number":9,\
      "last-updated-ms":1,"last-column-id":2,"current-schema-id":0,"schemas":[{"type":"struct","schema-id":0,"fields":[\
      {"id":1,"name":"id","required":true,"type":"long"},{"id":2,"name":"at","required":false,"type":"\(source)"}]}],"default-spec-id":0,\
      "partition-specs":[{"spec-id":0,"fields":[{"source-id":2,"field-id":1000,"name":"day","transform":"\(transform)"}]},\
      {"spec-id":1,"fields":[]}],"last-partition-id":1000,"default-sort-order-id":0,"sort-orders":[{"order-id":0,"fields":[]}],\
      "next-row-id":99,"properties":{}}
      """
    return try TableMetadata(parsing: Array(text.utf8), fileName: "00000-x.metadata.json")
  }

  private static func rows(_ manifest: TestManifest, of file: ManifestFile, in table: TableMetadata) throws -> [JSONNode] {
    let format = FileRows(table)
    var lines: [[UInt8]] = []
    try SnapshotReader.forEachLiveEntry(in: manifest.bytes, of: file, columns: .all) { entry throws(AvroError) in
      lines.append(format.line(entry, spec: file.specID))
    }
    return try lines.map { try JSONDocument(parsing: $0).root }
  }

  private static func file(isDeletes: Bool = false, firstRowID: Int64? = nil) throws -> ManifestFile {
    var entry = TestManifestList.Entry("s3://lake/m.avro", length: 1, addedBy: 42)
    (entry.isDeletes, entry.firstRowID, entry.sequenceNumber) = (isDeletes, firstRowID, 7)
    return try #require(try ManifestList(parsing: TestManifestList(version: 3, snapshotID: 42, [entry]).bytes).manifests().first)
  }

  @Test(
    "Partition values are shown by their transform as people read them",
    arguments: [
      ("identity", "date", 20_510, "\"2026-02-26\""), ("day", "timestamp", 20_510, "\"2026-02-26\""), ("month", "date", 673, "\"2026-02\""),
      ("year", "date", 56, "\"2026\""), ("hour", "timestamp", 492_255, "\"2026-02-26-15\""), ("bucket[16]", "string", 11, "11"),
      ("truncate[10]", "int", 30, "30"), ("void", "date", 5, "null"), ("identity", "long", nil, "null"),
    ] as [(String, String, Int64?, String)])
  func partitions(transform: String, source: String, value: Int64?, expected: String) throws {
    var entry = TestManifest.Entry("s3://lake/t/data/a.parquet")
    entry.day = value
    var manifest = TestManifest(version: 3, [entry])
    manifest.isPartitioned = true
    let row = try #require(try Self.rows(manifest, of: Self.file(), in: Self.table(transform: transform, source: source)).first)
    #expect(row["partition"]?["day"].map { JSONValue($0).serialized() } == Array(expected.utf8))
  }

  @Test("A deletion vector's row says of which file it is and where it lies; data files have the row ids that they inherit")
  func thirdVersion() throws {
    let table = try Self.table(transform: "day", source: "timestamp")
    var vector = TestManifest.Entry("s3://lake/t/data/dv.puffin")
    (vector.content, vector.format, vector.records, vector.size) = (1, "PUFFIN", 3, 400)
    (vector.referencedDataFile, vector.contentOffset, vector.contentSize) = ("s3://lake/t/data/a.parquet", 4, 60)
    var deletes = TestManifest(version: 3, [vector])
    deletes.isDeletes = true
    let row = try #require(try Self.rows(deletes, of: Self.file(isDeletes: true), in: table).first)
    #expect(row["content"]?.int64 == 1 && row["file_format"]?.string == "PUFFIN" && row["record_count"]?.int64 == 3)
    #expect(row["referenced_data_file"]?.string == "s3://lake/t/data/a.parquet" && row["content_offset"]?.int64 == 4)
    #expect(row["content_size_in_bytes"]?.int64 == 60 && row["first_row_id"]?.isNull == true)

    var (first, second) = (TestManifest.Entry("s3://lake/t/data/a.parquet"), TestManifest.Entry("s3://lake/t/data/b.parquet"))
    first.records = 25
    second.lowerBounds = [(1, [7, 0, 0, 0, 0, 0, 0, 0]), (2, [0, 0xc3, 0x26, 0x2d, 0x21, 0x5e, 5, 0])]
    let rows = try Self.rows(TestManifest(version: 3, [first, second]), of: Self.file(firstRowID: 1_000), in: table)
    #expect(rows.map { $0["first_row_id"]?.int64 } == [1_000, 1_025])
    #expect(rows[1]["readable_metrics"]?["id"]?["lower_bound"]?.int64 == 7)
    #expect(rows[1]["readable_metrics"]?["at"]?["lower_bound"]?.string == "2017-11-16T22:31:08.000000")
    #expect(rows[1]["lower_bounds"]?["1"]?.string == "0700000000000000" && rows[1]["upper_bounds"]?.isNull == true)
    #expect(rows[0]["partition"]?["day"]?.isNull == true && rows[0]["spec_id"]?.int64 == 0)
  }

  @Test("A manifest that holds other files than its list says, or is of another spec, is refused")
  func contradictions() throws {
    let entry = TestManifest.Entry("s3://lake/t/data/a.parquet")
    for (manifest, file) in [(TestManifest(version: 3, [entry]), try Self.file(isDeletes: true))] {
      let error = #expect(throws: SnapshotError.self) {
        try Self.rows(manifest, of: file, in: Self.table(transform: "day", source: "date"))
      }
      #expect(error?.code == .corrupt && error?.message.contains("s3://lake/m.avro") == true)
    }
    var other = TestManifest(version: 3, [entry])
    other.specID = 1
    #expect(throws: SnapshotError.self) { try Self.rows(other, of: Self.file(), in: Self.table(transform: "day", source: "date")) }
  }

  @Test("Entries read one by one are those read at once, whatever the codec", arguments: ["null", "deflate", "snappy", "zstandard"])
  func stepwise(codec: String) throws {
    let bytes = try Fixture.bytes("manifests/v2-\(codec).avro")
    var whole: [FileDetails?] = []
    try ManifestReader(parsing: bytes).forEachEntry(columns: .all) { entry throws(AvroError) in whole.append(entry.details) }
    var entries = try ManifestReader(parsing: bytes).entries(columns: .all)
    var stepwise: [FileDetails?] = []
    while try entries.next({ stepwise.append($0.details) }) {}
    #expect(stepwise == whole && whole.count == 3)
    var rest = try ManifestReader(parsing: bytes).entries(columns: .all)
    _ = try rest.next(isSkipped: true) { entry in #expect(entry.details == nil) }
    let copy = rest
    for var cursor in [rest, copy] {
      var counts: [Int64] = []
      while try cursor.next({ counts.append($0.recordCount) }) {}
      #expect(counts == [2_000, 3_000])
    }
  }

  @Test("A broken file is told with the byte: of the value where a block is plain, of the block where it is compressed")
  func offsets() throws {
    let manifest = TestManifest(version: 2, [TestManifest.Entry("s3://lake/a")])
    var bytes = manifest.bytes
    bytes[bytes.count - 1] ^= 1
    let sync = #expect(throws: AvroError.self) { try ManifestReader(parsing: bytes).forEachEntry { _ throws(AvroError) in } }
    let block = bytes.count - 16 - (sync?.offset ?? 0)
    #expect(sync.map { "\($0)" }?.contains("at byte \(bytes.count - 16 - block)") == true)
    #expect(block > 10 && block < 80)
    let cut = #expect(throws: AvroError.self) { try ManifestReader(parsing: Array(bytes.prefix(60))) }
    #expect(cut?.offset.map { $0 <= 60 } == true)
    var packed = try Fixture.bytes("manifests/v2-deflate.avro")
    packed[packed.count - 40] ^= 0xFF
    let broken = #expect(throws: AvroError.self) { try ManifestReader(parsing: packed).forEachEntry { _ throws(AvroError) in } }
    #expect(broken?.offset.map { $0 > 1_000 && $0 < packed.count } == true)
  }
}
