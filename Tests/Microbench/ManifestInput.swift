// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// A manifest as Java writes it in version 2: every field, statistics of as many columns as wanted, blocks of 64 KB.
struct ManifestInput {
  let count: Int
  private let blocks: [(count: Int, bytes: [UInt8])]
  /// Bytes after which Avro's writer begins a block.
  private static let blockSize = 64_000

  init(entries: Int, columns: Int) {
    count = entries
    var blocks: [(count: Int, bytes: [UInt8])] = []
    var (block, first): ([UInt8], Int) = ([], 0)
    for entry in 0..<entries {
      // Added; the snapshot; both sequence numbers left out; data.
      block += Self.number(1) + [2] + Self.number(4_518_131_054_258_417_601) + [0, 0] + Self.number(0)
      block += Self.text(
        "s3://lake/sales/orders/data/day=2026-11-\(10 + entry % 20)/00000-\(entry)-b8a1da4b-58fa-430a-96e5-c504d1ed379b.parquet")
      block += Self.text("PARQUET") + [2] + Self.number(Int64(20_400 + entry % 20))
      block += Self.number(Int64(100_000 + entry)) + Self.number(Int64(30_000_000 + entry * 17))
      for statistic in 0..<4 { block += [2] + Self.map(columns) { Self.number(Int64(100_000 * (4 - statistic) + entry + $0 * 1_001)) } }
      for _ in 0..<2 { block += [2] + Self.map(columns) { Self.text("bound \($0) \(entry)") } }
      // No key; one split; no equality ids; unsorted.
      block += [0, 2] + Self.number(1) + Self.number(4) + [0, 0, 2, 0]
      if block.count >= Self.blockSize || entry == entries - 1 {
        blocks.append((entry + 1 - first, block))
        (block, first) = ([], entry + 1)
      }
    }
    self.blocks = blocks
  }

  /// The blocks through gzip, one after the other: what zlib takes for them alone.
  func gzipped() throws -> [[UInt8]] { try blocks.map { try Gzip.compress($0.bytes, level: 9) } }

  /// - Parameter codec: `null` or `deflate`, which is Java's, of level 9.
  func file(codec: String) throws -> [UInt8] {
    let header = [("avro.schema", Self.schema), ("avro.codec", codec), ("format-version", "2"), ("content", "data")]
    let sync = Array(UInt8(0)..<16)
    var file = Array("Obj".utf8) + [1] + Self.number(Int64(header.count))
    for (key, value) in header { file += Self.text(key) + Self.text(value) }
    file += [0] + sync
    for block in blocks {
      // Gzip is deflate between ten bytes and eight.
      let content = codec == "null" ? block.bytes : try Array(Gzip.compress(block.bytes, level: 9).dropFirst(10).dropLast(8))
      file += Self.number(Int64(block.count)) + Self.number(Int64(content.count)) + content + sync
    }
    return file
  }

  private static func map(_ columns: Int, _ value: (Int) -> [UInt8]) -> [UInt8] {
    if columns == 0 { return [0] }
    var bytes = number(Int64(columns))
    for column in 1...columns { bytes += number(Int64(column)) + value(column) }
    return bytes + [0]
  }

  private static func text(_ text: String) -> [UInt8] { number(Int64(text.utf8.count)) + Array(text.utf8) }

  private static func number(_ value: Int64) -> [UInt8] {
    var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private static func mapField(_ name: String, _ id: Int, _ key: Int, _ value: Int, _ type: String) -> String {
    """
    {"name":"\(name)","type":["null",{"type":"array","items":{"type":"record","name":"k\(key)_v\(value)","fields":[\
    {"name":"key","type":"int","field-id":\(key)},{"name":"value","type":"\(type)","field-id":\(value)}]},"logicalType":"map"}],\
    "default":null,"field-id":\(id)}
    """
  }

  private static let schema = """
    {"type":"record","name":"manifest_entry","fields":[{"name":"status","type":"int","field-id":0},\
    {"name":"snapshot_id","type":["null","long"],"default":null,"field-id":1},\
    {"name":"sequence_number","type":["null","long"],"default":null,"field-id":3},\
    {"name":"file_sequence_number","type":["null","long"],"default":null,"field-id":4},\
    {"name":"data_file","type":{"type":"record","name":"r2","fields":[{"name":"content","type":"int","field-id":134},\
    {"name":"file_path","type":"string","field-id":100},{"name":"file_format","type":"string","field-id":101},\
    {"name":"partition","type":{"type":"record","name":"r102","fields":[\
    {"name":"day","type":["null",{"type":"int","logicalType":"date"}],"default":null,"field-id":1000}]},"field-id":102},\
    {"name":"record_count","type":"long","field-id":103},{"name":"file_size_in_bytes","type":"long","field-id":104},\
    \(mapField("column_sizes", 108, 117, 118, "long")),\(mapField("value_counts", 109, 119, 120, "long")),\
    \(mapField("null_value_counts", 110, 121, 122, "long")),\(mapField("nan_value_counts", 137, 138, 139, "long")),\
    \(mapField("lower_bounds", 125, 126, 127, "bytes")),\(mapField("upper_bounds", 128, 129, 130, "bytes")),\
    {"name":"key_metadata","type":["null","bytes"],"default":null,"field-id":131},\
    {"name":"split_offsets","type":["null",{"type":"array","items":"long","element-id":133}],"default":null,"field-id":132},\
    {"name":"equality_ids","type":["null",{"type":"array","items":"int","element-id":136}],"default":null,"field-id":135},\
    {"name":"sort_order_id","type":["null","int"],"default":null,"field-id":140}]},"field-id":2}]}
    """
}
