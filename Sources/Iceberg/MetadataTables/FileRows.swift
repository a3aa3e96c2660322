// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// Writes rows of the metadata table `files`. Columns are those of Iceberg's own; source: apache/iceberg `FilesTable`, spec/manifests.md §3.
package struct FileRows: Sendable {
  /// A column of the current schema that statistics are kept of.
  private struct MetricColumn: Sendable {
    var id: Int
    /// Dotted.
    var name: String
    var type: PrimitiveType
  }

  private let partitions: PartitionColumns
  private let metrics: [MetricColumn]

  package init(_ metadata: TableMetadata) {
    partitions = PartitionColumns(metadata)
    var metrics: [MetricColumn] = []
    for place in metadata.currentSchema?.places ?? [] {
      if case .primitive(let type) = place.type { metrics.append(MetricColumn(id: place.id, name: place.name, type: type)) }
    }
    self.metrics = metrics.sorted { $0.name < $1.name }
  }

  /// The line of an entry whose columns are all decoded.
  package func line(_ entry: borrowing ManifestEntry, spec: Int64) -> [UInt8] {
    let details = entry.details ?? FileDetails()
    var line = JSONLine()
    line.begin()
    line.number("content", entry.content.rawValue)
    line.string("file_path", utf8: entry.filePath)
    line.string("file_format", entry.format.rawValue.uppercased())
    line.number("spec_id", spec)
    if !partitions.isEmpty {
      line.key("partition")
      partitions.write(details.partition, spec: spec, to: &line)
    }
    line.number("record_count", entry.recordCount)
    line.number("file_size_in_bytes", entry.fileSize)
    Self.write(details, to: &line)
    line.number("first_row_id", entry.firstRowID)
    line.string("referenced_data_file", details.referencedDataFile)
    line.number("content_offset", details.contentOffset)
    line.number("content_size_in_bytes", details.contentSize)
    writeMetrics(details, to: &line)
    line.end(line: true)
    return line.bytes
  }

  /// What Iceberg counts by column, with the names of the whole map and of one column's count.
  private static func counts(_ details: FileDetails) -> [(map: String, metric: String, counts: [Int: Int64])] {
    [
      ("column_sizes", "column_size", details.columnSizes), ("value_counts", "value_count", details.valueCounts),
      ("null_value_counts", "null_value_count", details.nullValueCounts), ("nan_value_counts", "nan_value_count", details.nanValueCounts),
    ]
  }

  private static func bounds(_ details: FileDetails) -> [(map: String, metric: String, bounds: [Int: [UInt8]])] {
    [("lower_bounds", "lower_bound", details.lowerBounds), ("upper_bounds", "upper_bound", details.upperBounds)]
  }

  /// What Iceberg keeps by column id: null where a writer kept nothing.
  private static func write(_ details: FileDetails, to line: inout JSONLine) {
    for (name, _, counts) in counts(details) { write(name, counts, to: &line) { $0.number($1) } }
    for (name, _, bounds) in bounds(details) { write(name, bounds, to: &line) { $0.hexadecimal($1) } }
    line.key("key_metadata")
    if let key = details.keyMetadata { line.hexadecimal(key) } else { line.null() }
    write("split_offsets", details.splitOffsets, to: &line)
    write("equality_ids", details.equalityIDs.map { Int64($0) }, to: &line)
    line.number("sort_order_id", details.sortOrderID)
  }

  private static func write<Value>(
    _ name: String, _ map: [Int: Value], to line: inout JSONLine, _ writeValue: (inout JSONLine, Value) -> Void
  ) {
    line.key(name)
    guard !map.isEmpty else { return line.null() }
    line.begin()
    for (id, value) in map.sorted(by: { $0.key < $1.key }) {
      line.key(String(id))
      writeValue(&line, value)
    }
    line.end()
  }

  private static func write(_ name: String, _ numbers: [Int64], to line: inout JSONLine) {
    line.key(name)
    guard !numbers.isEmpty else { return line.null() }
    line.beginArray()
    for number in numbers { line.number(number) }
    line.endArray()
  }

  private func writeMetrics(_ details: FileDetails, to line: inout JSONLine) {
    let (counts, bounds) = (Self.counts(details), Self.bounds(details))
    line.key("readable_metrics")
    line.begin()
    for column in metrics {
      line.key(column.name)
      line.begin()
      for (_, name, counts) in counts { line.number(name, counts[column.id]) }
      for (_, name, bounds) in bounds {
        line.key(name)
        if let bound = bounds[column.id], let value = SingleValue(bound, column.type) { value.write(to: &line) } else { line.null() }
      }
      line.end()
    }
    line.end()
  }
}
