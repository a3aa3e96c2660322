// SPDX-License-Identifier: Apache-2.0

extension AvroWriter {
  /// A file of one block.
  ///
  /// - Parameter compress: makes the block's bytes as the codec has them.
  static func container(
    schema: String, codec: String = "null", compress: ([UInt8]) -> [UInt8] = { $0 }, records: [[UInt8]]
  ) -> [UInt8] {
    let sync = Array(UInt8(0)..<16)
    var file = Array("Obj".utf8) + [1] + long(2)
    for (key, value) in [("avro.schema", schema), ("avro.codec", codec)] { file += string(key) + string(value) }
    file += long(0) + sync
    if records.isEmpty { return file }
    let block = compress(records.flatMap { $0 })
    return file + long(Int64(records.count)) + long(Int64(block.count)) + block + sync
  }

  private static let manifestSchema = """
    {"type":"record","name":"manifest_entry","fields":[{"name":"status","type":"int","field-id":0},\
    {"name":"snapshot_id","type":["null","long"],"field-id":1},{"name":"data_file","type":{"type":"record","name":"r2","fields":[\
    {"name":"content","type":"int","field-id":134},{"name":"file_path","type":"string","field-id":100},\
    {"name":"partition","type":{"type":"record","name":"r102","fields":[{"name":"day","type":["null","int"],"field-id":1000}]},\
    "field-id":102},{"name":"file_format","type":"string","field-id":101},{"name":"record_count","type":"long","field-id":103},\
    {"name":"file_size_in_bytes","type":"long","field-id":104},{"name":"lower_bounds","type":["null",{"type":"array","items":{"type":"record","name":"k126_v127","fields":[\
    {"name":"key","type":"int","field-id":126},{"name":"value","type":"bytes","field-id":127}]},"logicalType":"map"}],"field-id":125}]},\
    "field-id":2}]}
    """

  /// - Parameter entries: status 0 existing, 1 added, 2 deleted.
  static func manifest(
    _ entries: [(status: Int64, path: String)], codec: String = "null", compress: ([UInt8]) -> [UInt8] = { $0 },
    schema: String = manifestSchema
  ) -> [UInt8] {
    container(
      schema: schema, codec: codec, compress: compress,
      records: entries.map { entry in
        let bounds = long(1) + long(1) + long(7) + string("bound") + long(0)
        return long(entry.status) + long(1) + long(42) + long(0) + string(entry.path) + long(1) + long(19_000)
          + string("PARQUET") + long(10) + long(1_000) + bounds
      })
  }

  /// A manifest with the names of the fields and no ids, as old writers made them.
  static func manifestWithoutIDs(_ entries: [(status: Int64, path: String)]) -> [UInt8] {
    var schema = ""
    var rest = manifestSchema[...]
    while let start = rest.firstRange(of: ",\"field-id\":") {
      schema += rest[..<start.lowerBound]
      rest = rest[start.upperBound...].drop { $0.isNumber }
    }
    return manifest(entries, schema: schema + rest)
  }

  private static let encryptedListSchema = """
    {"type":"record","name":"manifest_file","fields":[{"name":"manifest_path","type":"string","field-id":500},\
    {"name":"manifest_length","type":"long","field-id":501},{"name":"key_metadata","type":["null","bytes"],"field-id":519}]}
    """

  /// A manifest list whose manifests need a key.
  static func encryptedManifestList(_ paths: [String]) -> [UInt8] {
    container(schema: encryptedListSchema, records: paths.map { string($0) + long(1) + long(1) + string("key") })
  }
}
