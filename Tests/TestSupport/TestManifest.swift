// SPDX-License-Identifier: Apache-2.0

/// Manifests and manifest lists, written byte by byte as the specification has them. Source: spec/manifests.md §1 to §3.
package enum TestAvro {
  /// An object container of one block.
  ///
  /// - Parameter compress: makes the block's bytes as the codec has them.
  package static func container(
    schema: String, metadata: [(String, String)] = [], codec: String = "null", compress: ([UInt8]) -> [UInt8] = { $0 },
    records: [[UInt8]], blockSize: Int = .max
  ) -> [UInt8] {
    let header = [("avro.schema", schema), ("avro.codec", codec)] + metadata
    var file = Array("Obj".utf8) + [1] + AvroBytes.long(Int64(header.count))
    for (key, value) in header { file += AvroBytes.string(key) + AvroBytes.string(value) }
    let sync = Array(UInt8(0xA0)..<0xB0)
    file += AvroBytes.long(0) + sync
    var start = 0
    while start < records.count {
      let end = start + min(blockSize, records.count - start)
      let block = compress(records[start..<end].flatMap { $0 })
      file += AvroBytes.long(Int64(end - start)) + AvroBytes.long(Int64(block.count)) + block + sync
      start = end
    }
    return file
  }

  /// The value of a union of null and one type.
  package static func optional(_ value: [UInt8]?) -> [UInt8] { value.map { AvroBytes.long(1) + $0 } ?? AvroBytes.long(0) }

  package static func optional(_ value: Int64?) -> [UInt8] { optional(value.map { AvroBytes.long($0) }) }

  /// An array or map of one block, and its end.
  package static func array(_ items: [[UInt8]]) -> [UInt8] {
    items.isEmpty ? AvroBytes.long(0) : AvroBytes.long(Int64(items.count)) + items.flatMap { $0 } + AvroBytes.long(0)
  }

  static func field(_ id: Int, _ name: String, _ type: String, isOptional: Bool = false) -> String {
    let type = type.hasPrefix("{") ? type : "\"\(type)\""
    return "{\"name\":\"\(name)\",\"type\":" + (isOptional ? "[\"null\",\(type)],\"default\":null" : type) + ",\"field-id\":\(id)}"
  }

  static func map(_ key: Int, _ value: Int, _ type: String) -> String {
    """
    {"type":"array","items":{"type":"record","name":"k\(key)_v\(value)","fields":[{"name":"key","type":"int","field-id":\(key)},\
    {"name":"value","type":"\(type)","field-id":\(value)}]},"logicalType":"map"}
    """
  }
}

/// A manifest of a table with one partition field, `day` (id 1000, a date), or none.
package struct TestManifest: Sendable {
  /// One entry; by default a data file that the manifest's snapshot adds.
  package struct Entry: Sendable {
    package var status: Int64 = 1
    package var snapshotID: Int64?
    package var sequenceNumber: Int64?
    package var fileSequenceNumber: Int64?
    package var content: Int64 = 0
    package var path: String
    package var format = "PARQUET"
    /// Days since 1970.
    package var day: Int64?
    package var records: Int64 = 10
    package var size: Int64 = 1_000
    /// By column id.
    package var valueCounts: [(Int, Int64)] = []
    package var lowerBounds: [(Int, [UInt8])] = []
    package var firstRowID: Int64?
    package var referencedDataFile: String?
    package var contentOffset: Int64?
    package var contentSize: Int64?

    package init(_ path: String) {
      self.path = path
    }
  }

  package var version: Int
  package var entries: [Entry]
  package var isDeletes = false
  package var specID = 0
  package var isPartitioned = false
  package var codec = "null"
  package var compress: @Sendable ([UInt8]) -> [UInt8] = { $0 }
  /// Records a block.
  package var blockSize = Int.max

  package init(version: Int, _ entries: [Entry]) {
    self.version = version
    self.entries = entries
  }

  package var bytes: [UInt8] {
    var metadata = [
      ("schema", "{\"type\":\"struct\",\"schema-id\":0,\"fields\":[]}"), ("partition-spec", "[]"), ("partition-spec-id", "\(specID)"),
      ("format-version", "\(version)"),
    ]
    if version >= 2 { metadata.append(("content", isDeletes ? "deletes" : "data")) }
    return TestAvro.container(
      schema: schema, metadata: metadata, codec: codec, compress: compress, records: entries.map(record), blockSize: blockSize)
  }

  private var schema: String {
    typealias T = TestAvro
    let partition =
      isPartitioned ? "{\"name\":\"day\",\"type\":[\"null\",{\"type\":\"int\",\"logicalType\":\"date\"}],\"field-id\":1000}" : ""
    var file: [String] = version == 1 ? [] : [T.field(134, "content", "int")]
    file += [
      T.field(100, "file_path", "string"), T.field(101, "file_format", "string"),
      "{\"name\":\"partition\",\"type\":{\"type\":\"record\",\"name\":\"r102\",\"fields\":[\(partition)]},\"field-id\":102}",
      T.field(103, "record_count", "long"), T.field(104, "file_size_in_bytes", "long"),
    ]
    if version == 1 { file.append(T.field(105, "block_size_in_bytes", "long")) }
    file += [
      T.field(109, "value_counts", T.map(119, 120, "long"), isOptional: true),
      T.field(125, "lower_bounds", T.map(126, 127, "bytes"), isOptional: true),
    ]
    if version >= 3 {
      file += [
        T.field(142, "first_row_id", "long", isOptional: true), T.field(143, "referenced_data_file", "string", isOptional: true),
        T.field(144, "content_offset", "long", isOptional: true), T.field(145, "content_size_in_bytes", "long", isOptional: true),
      ]
    }
    var entry = [T.field(0, "status", "int"), T.field(1, "snapshot_id", "long", isOptional: true)]
    if version >= 2 {
      entry += [T.field(3, "sequence_number", "long", isOptional: true), T.field(4, "file_sequence_number", "long", isOptional: true)]
    }
    entry.append(
      "{\"name\":\"data_file\",\"type\":{\"type\":\"record\",\"name\":\"r2\",\"fields\":[\(file.joined(separator: ","))]},\"field-id\":2}")
    return "{\"type\":\"record\",\"name\":\"manifest_entry\",\"fields\":[\(entry.joined(separator: ","))]}"
  }

  private func record(_ entry: Entry) -> [UInt8] {
    typealias T = TestAvro
    var bytes = AvroBytes.long(entry.status) + T.optional(entry.snapshotID)
    if version >= 2 { bytes += T.optional(entry.sequenceNumber) + T.optional(entry.fileSequenceNumber) + AvroBytes.long(entry.content) }
    bytes += AvroBytes.string(entry.path) + AvroBytes.string(entry.format)
    if isPartitioned { bytes += T.optional(entry.day) }
    bytes += AvroBytes.long(entry.records) + AvroBytes.long(entry.size)
    if version == 1 { bytes += AvroBytes.long(67_108_864) }
    bytes += T.optional(
      entry.valueCounts.isEmpty ? nil : T.array(entry.valueCounts.map { AvroBytes.long(Int64($0.0)) + AvroBytes.long($0.1) }))
    bytes += T.optional(
      entry.lowerBounds.isEmpty
        ? nil : T.array(entry.lowerBounds.map { AvroBytes.long(Int64($0.0)) + AvroBytes.long(Int64($0.1.count)) + $0.1 }))
    if version >= 3 {
      bytes += T.optional(entry.firstRowID) + T.optional(entry.referencedDataFile.map { AvroBytes.string($0) })
      bytes += T.optional(entry.contentOffset) + T.optional(entry.contentSize)
    }
    return bytes
  }
}

/// A manifest list.
package struct TestManifestList: Sendable {
  /// What it says of one manifest.
  package struct Entry: Sendable {
    package var path: String
    package var length: Int64
    package var specID: Int64 = 0
    package var isDeletes = false
    package var sequenceNumber: Int64 = 1
    package var addedSnapshotID: Int64
    /// Of files: added, existing, deleted.
    package var counts: (Int64, Int64, Int64) = (1, 0, 0)
    package var isEncrypted = false
    package var firstRowID: Int64?

    package init(_ path: String, length: Int, addedBy snapshot: Int64) {
      self.path = path
      self.length = Int64(length)
      addedSnapshotID = snapshot
    }
  }

  package var version: Int
  package var snapshotID: Int64
  package var entries: [Entry]

  package init(version: Int, snapshotID: Int64, _ entries: [Entry]) {
    self.version = version
    self.snapshotID = snapshotID
    self.entries = entries
  }

  package var bytes: [UInt8] {
    typealias T = TestAvro
    var fields = [
      T.field(500, "manifest_path", "string"), T.field(501, "manifest_length", "long"), T.field(502, "partition_spec_id", "int"),
    ]
    if version >= 2 {
      fields += [T.field(517, "content", "int"), T.field(515, "sequence_number", "long"), T.field(516, "min_sequence_number", "long")]
    }
    fields += [
      T.field(503, "added_snapshot_id", "long"), T.field(504, "added_files_count", "int"), T.field(505, "existing_files_count", "int"),
      T.field(506, "deleted_files_count", "int"), T.field(519, "key_metadata", "bytes", isOptional: true),
    ]
    if version >= 3 { fields.append(T.field(520, "first_row_id", "long", isOptional: true)) }
    let records = entries.map { entry in
      var bytes = AvroBytes.string(entry.path) + AvroBytes.long(entry.length) + AvroBytes.long(entry.specID)
      if version >= 2 {
        bytes += AvroBytes.long(entry.isDeletes ? 1 : 0) + AvroBytes.long(entry.sequenceNumber) + AvroBytes.long(entry.sequenceNumber)
      }
      bytes += AvroBytes.long(entry.addedSnapshotID) + AvroBytes.long(entry.counts.0) + AvroBytes.long(entry.counts.1)
      bytes += AvroBytes.long(entry.counts.2) + T.optional(entry.isEncrypted ? AvroBytes.string("key") : nil)
      if version >= 3 { bytes += T.optional(entry.firstRowID) }
      return bytes
    }
    return T.container(
      schema: "{\"type\":\"record\",\"name\":\"manifest_file\",\"fields\":[\(fields.joined(separator: ","))]}",
      metadata: [("snapshot-id", "\(snapshotID)"), ("format-version", "\(version)")], records: records)
  }
}
