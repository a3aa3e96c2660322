// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// Writes manifest lists with the plain codec.
enum AvroWriter {
  private static let schema = """
    {"type":"record","name":"manifest_file","fields":[{"name":"manifest_path","type":"string","field-id":500},\
    {"name":"manifest_length","type":"long","field-id":501},{"name":"partition_spec_id","type":"int","field-id":502},\
    {"name":"sequence_number","type":"long","field-id":515},{"name":"added_snapshot_id","type":["null","long"],"field-id":503},\
    {"name":"partitions","type":["null",{"type":"array","items":{"type":"record","name":"r508","fields":\
    [{"name":"contains_null","type":"boolean"}]}}],"field-id":507}]}
    """

  static func manifestList(
    snapshotID: Int64, sequenceNumber: Int64?, formatVersion: Int = 2, codec: String = "null", spec: Int64 = 0,
    entries: [(path: String, length: Int64, sequence: Int64, added: Int64)]
  ) -> [UInt8] {
    var header = [
      ("avro.schema", schema), ("avro.codec", codec), ("snapshot-id", "\(snapshotID)"), ("parent-snapshot-id", "null"),
      ("format-version", "\(formatVersion)"),
    ]
    if let sequenceNumber { header.append(("sequence-number", "\(sequenceNumber)")) }
    var file = Array("Obj".utf8) + [1] + long(Int64(header.count))
    for (key, value) in header { file += string(key) + string(value) }
    let sync = Array(UInt8(0)..<16)
    file += long(0) + sync
    var block: [UInt8] = []
    for entry in entries {
      block += string(entry.path) + long(entry.length) + long(spec) + long(entry.sequence) + long(1) + long(entry.added)
      // One block of two items by a negative count with its size, then the end.
      block += long(1) + long(-2) + long(2) + [0, 1] + long(0)
    }
    return file + long(Int64(entries.count)) + long(Int64(block.count)) + block + sync
  }

  static func string(_ text: String) -> [UInt8] { AvroBytes.string(text) }
  static func long(_ value: Int64) -> [UInt8] { AvroBytes.long(value) }
}
