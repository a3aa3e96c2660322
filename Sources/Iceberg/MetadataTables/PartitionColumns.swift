// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// The partition fields of all specs of a table as one row of columns, as Iceberg's metadata tables have them.
package struct PartitionColumns: Sendable {
  /// How a field of one spec is shown.
  private struct Rendering: Sendable {
    var transform: Transform
    /// Of the source column; nil if no schema has it any more, or there are several.
    var source: PrimitiveType?
  }

  /// One column: a field id with the name that its last spec gives it.
  private struct Column: Sendable {
    var id: Int
    var name: String
  }

  private let columns: [Column]
  /// By spec, then by field id.
  private let renderings: [Int64: [Int: Rendering]]
  /// Field ids by spec, in the spec's order.
  private let order: [Int64: [PartitionSpec.Field]]

  package init(_ metadata: TableMetadata) {
    var types: [Int: PrimitiveType] = [:]
    let current = metadata.currentSchema.map { [$0] } ?? []
    for schema in metadata.schemas + current {
      for place in schema.places {
        if case .primitive(let type) = place.type { types[place.id] = type }
      }
    }
    var names: [Int: String] = [:]
    var renderings: [Int64: [Int: Rendering]] = [:]
    var order: [Int64: [PartitionSpec.Field]] = [:]
    for spec in metadata.partitionSpecs.sorted(by: { $0.id < $1.id }) {
      var own: [Int: Rendering] = [:]
      for field in spec.fields {
        let source = field.sourceIDs.count == 1 ? types[field.sourceIDs[0]] : nil
        own[field.fieldID] = Rendering(transform: field.transform, source: source)
        // A void field is what is left of a dropped one, which may have had a name of its own.
        if field.transform != .void || names[field.fieldID] == nil { names[field.fieldID] = field.name }
      }
      renderings[Int64(spec.id)] = own
      order[Int64(spec.id)] = spec.fields
    }
    self.renderings = renderings
    self.order = order
    columns = names.sorted { $0.key < $1.key }.map { Column(id: $0.key, name: $0.value) }
  }

  /// Whether no spec of the table has a field.
  package var isEmpty: Bool { columns.isEmpty }

  /// The object of a partition tuple; columns that its spec has not are null.
  func write(_ partition: [AvroValue.Field], spec: Int64, to line: inout JSONLine) {
    line.begin()
    for column in columns {
      line.key(column.name)
      guard let value = value(of: column, in: partition, spec: spec), let rendering = renderings[spec]?[column.id] else {
        line.null()
        continue
      }
      Self.write(value, rendering, to: &line)
    }
    line.end()
  }

  /// What a bound in a partition summary says, as text; nil if it says nothing of the type.
  ///
  /// - Parameter index: of the field in its spec.
  func text(of bound: [UInt8]?, field index: Int, spec: Int64) -> String? {
    guard let bound, let fields = order[spec], fields.indices.contains(index),
      let rendering = renderings[spec]?[fields[index].fieldID], let type = Self.resultType(rendering),
      let value = SingleValue(bound, type)
    else { return nil }
    return Self.human(value, rendering.transform)
  }

  private func value(of column: Column, in partition: [AvroValue.Field], spec: Int64) -> AvroValue? {
    if let field = partition.first(where: { $0.id == column.id }) { return field.value }
    // Old writers left the ids out; the spec says which name an id has.
    guard partition.contains(where: { $0.id == nil }), let name = order[spec]?.first(where: { $0.fieldID == column.id })?.name else {
      return nil
    }
    return partition.first { $0.id == nil && $0.name == name }?.value
  }

  private static func write(_ value: AvroValue, _ rendering: Rendering, to line: inout JSONLine) {
    switch (rendering.transform, value) {
    case (_, .null), (.void, _): line.null()
    case (.year, .long), (.month, .long), (.day, .long), (.hour, .long):
      line.string(value.long.map { human(.integer($0), rendering.transform) })
    default:
      guard let type = resultType(rendering), let single = SingleValue(value, type) else {
        if let number = value.long { line.number(number) } else { line.null() }
        return
      }
      single.write(to: &line)
    }
  }

  private static func human(_ value: SingleValue, _ transform: Transform) -> String {
    switch (transform, value) {
    case (.year, .integer(let years)): String(1970 &+ years)
    case (.month, .integer(let months)): CivilTime.month(months)
    case (.day, .integer(let days)), (.day, .date(let days)): CivilTime.date(days: days)
    case (.hour, .integer(let hours)): CivilTime.hour(hours)
    default: value.text
    }
  }

  private static func resultType(_ rendering: Rendering) -> PrimitiveType? {
    switch rendering.transform {
    case .year, .month, .day, .hour, .bucket: .int
    case .identity, .truncate: rendering.source
    case .void, .unknown: nil
    }
  }
}
