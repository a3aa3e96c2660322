// SPDX-License-Identifier: Apache-2.0

extension AvroContainer {
  /// Reads a few fields of every record, nested ones too, and keeps no record: for files with a million entries.
  ///
  /// Where a record has no field of a path, or an optional record on the way is null, the value is `.null`. A field of a record type gives
  /// `.compound`.
  /// - Parameters:
  ///   - paths: the fields from the outermost record inwards; matched by field id, by name in records that have no ids.
  ///   - limit: the most bytes a block may decompress to.
  ///   - body: gets the values in the order of the paths, record by record.
  /// - Throws: `unsupportedCodec`, `unsupportedSchema`, `truncated`, `corrupt`, `overLimit`, and what the body throws.
  package func scan(
    _ paths: [[Selection]], limit: Int = 256 << 20, _ body: ([AvroValue]) throws(AvroError) -> Void
  ) throws(AvroError) {
    guard case .record = schema else {
      throw AvroError(code: .unsupportedSchema, message: "the Avro schema is not a record")
    }
    let pick = AvroPick(schema, paths.enumerated().map { ($0.offset, $0.element[...]) })
    let empty = [AvroValue](repeating: .null, count: paths.count)
    try forEachBlock(limit: limit) { decoder, count throws(AvroError) in
      for _ in 0..<count {
        var values = empty
        try decoder.pick(pick, into: &values)
        try body(values)
      }
    }
  }
}

/// What to do with a value of a schema: the schema and the asked fields in one tree, worked out once a file.
indirect enum AvroPick {
  case skip(AvroSchema)
  case keep(AvroSchema, slot: Int)
  case record([AvroPick])
  case union([AvroPick])

  /// - Parameter paths: slots, and what is left of the way to their fields.
  init(_ schema: AvroSchema, _ paths: [(slot: Int, path: ArraySlice<AvroContainer.Selection>)]) {
    guard !paths.isEmpty else {
      self = .skip(schema)
      return
    }
    switch schema {
    case .union(let branches): self = .union(branches.map { AvroPick($0, paths) })
    case .record(let fields):
      let hasIDs = fields.contains { $0.fieldID != nil }
      self = .record(
        fields.map { field in
          let inside = paths.filter { path in
            path.path.first.map { hasIDs ? $0.fieldID == field.fieldID : $0.name == field.name } ?? false
          }
          if let end = inside.first(where: { $0.path.count == 1 }) { return .keep(field.schema, slot: end.slot) }
          return AvroPick(field.schema, inside.map { ($0.slot, $0.path.dropFirst()) })
        })
    default: self = .skip(schema)
    }
  }
}
