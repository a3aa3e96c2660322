// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

@testable import Iceberg

/// What entries leave out, and what they must not: version 3, which PyIceberg does not write, among them.
@Suite struct ManifestInheritanceTests {
  private static let schema = """
    {"type":"record","name":"manifest_entry","fields":[{"name":"data_file","type":{"type":"record","name":"r2","fields":[\
    {"name":"first_row_id","type":["null","long"],"field-id":142},{"name":"file_size_in_bytes","type":"long","field-id":104},\
    {"name":"record_count","type":"long","field-id":103},{"name":"file_format","type":"string","field-id":101},\
    {"name":"file_path","type":"string","field-id":100},{"name":"content","type":"int","field-id":134}]},"field-id":2},\
    {"name":"file_sequence_number","type":["null","long"],"field-id":4},{"name":"sequence_number","type":["null","long"],"field-id":3},\
    {"name":"snapshot_id","type":["null","long"],"field-id":1},{"name":"status","type":"int","field-id":0}]}
    """

  private struct Written {
    var status: Int64
    var sequence: Int64?
    var firstRowID: Int64?
    var rows: Int64 = 10
    var size: Int64 = 100
    var content: Int64 = 0

    var bytes: [UInt8] {
      func optional(_ value: Int64?) -> [UInt8] { value.map { AvroWriter.long(1) + AvroWriter.long($0) } ?? AvroWriter.long(0) }
      return optional(firstRowID) + AvroWriter.long(size) + AvroWriter.long(rows) + AvroWriter.string("Puffin")
        + AvroWriter.string("s3://lake/x") + AvroWriter.long(content) + optional(sequence) + optional(sequence) + optional(nil)
        + AvroWriter.long(status)
    }
  }

  private static func read(_ written: [Written], sequence: Int64 = 7, firstRowID: Int64? = 1_000) throws -> [ManifestEntry] {
    let manifest = ManifestFile(
      path: "", length: 0, specID: 0, content: .data, sequenceNumber: sequence, minSequenceNumber: 1, addedSnapshotID: 99,
      files: .init(), rows: .init(), isEncrypted: false, firstRowID: firstRowID)
    var entries: [ManifestEntry] = []
    let bytes = AvroWriter.container(schema: schema, records: written.map(\.bytes))
    try ManifestReader(parsing: bytes).forEachEntry(of: manifest) { entry throws(AvroError) in entries.append(entry) }
    return entries
  }

  @Test("Row ids run on over the rows of entries that have none, but for deleted ones and delete files")
  func rowIDs() throws {
    let entries = try Self.read([
      Written(status: 1, rows: 10), Written(status: 0, sequence: 3, firstRowID: 5, rows: 20), Written(status: 2, sequence: 3, rows: 40),
      Written(status: 1, rows: 80, content: 1), Written(status: 0, sequence: 3, rows: 160), Written(status: 1, rows: 1),
    ])
    #expect(entries.map(\.firstRowID) == [1_000, 5, nil, nil, 1_010, 1_170])
    #expect(try Self.read([Written(status: 1)], firstRowID: nil).map(\.firstRowID) == [nil])
    #expect(throws: AvroError.self) { try Self.read([Written(status: 1, rows: .max), Written(status: 1)]) }
  }

  @Test("Only added entries take the list's sequence number; others do where it is that of version 1")
  func sequenceNumbers() throws {
    let written = [Written(status: 1), Written(status: 0), Written(status: 2), Written(status: 0, sequence: 3)]
    #expect(try Self.read(written).map(\.sequenceNumber) == [7, nil, nil, 3])
    #expect(try Self.read(written).map(\.fileSequenceNumber) == [7, nil, nil, 3])
    #expect(try Self.read(written, sequence: 0).map(\.sequenceNumber) == [0, 0, 0, 3])
    #expect(try Self.read(written).map(\.snapshotID) == [99, 99, 99, 99])
    #expect(try Self.read(written).allSatisfy { $0.format == .puffin })
  }

  @Test("Entries that cannot be are refused with a sentence")
  func faults() throws {
    let faulty = [
      Written(status: 3), Written(status: -1), Written(status: 1, content: 3), Written(status: 1, rows: -1), Written(status: 1, size: -1),
    ]
    for written in faulty {
      let error = #expect(throws: AvroError.self) { try Self.read([written]) }
      #expect(error?.code == .corrupt && error?.message.hasPrefix("the manifest has an entry") == true)
    }
  }
}
