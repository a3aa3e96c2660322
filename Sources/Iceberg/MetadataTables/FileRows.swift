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
    line.key("content")
    line.number(entry.content.rawValue)
    line.key("file_path")
    line.string(utf8: entry.filePath)
    line.key("file_format")
    line.string(entry.format.rawValue.uppercased())
    line.key("spec_id")
    line.number(spec)
    if !partitions.isEmpty {
      line.key("partition")
      partitions.write(details.partition, spec: spec, to: &line)
    }
    line.key("record_count")
    line.number(entry.recordCount)
    line.key("file_size_in_bytes")
    line.number(entry.fileSize)
    Self.write(details, to: &line)
    line.key("first_row_id")
    line.number(entry.firstRowID)
    line.key("referenced_data_file")
    line.string(details.referencedDataFile)
    line.key("content_offset")
    line.number(details.contentOffset)
    line.key("content_size_in_bytes")
    line.number(details.contentSize)
    line.key("readable_metrics")
    writeMetrics(details, to: &line)
    line.end(line: true)
    return line.take()
  }

  /// What Iceberg keeps by column id: null where a writer kept nothing.
  private static func write(_ details: FileDetails, to line: inout JSONLine) {
    let counts = [
      ("column_sizes", details.columnSizes), ("value_counts", details.valueCounts), ("null_value_counts", details.nullValueCounts),
      ("nan_value_counts", details.nanValueCounts),
    ]
    for (name, map) in counts { write(name, map, to: &line) { $0.number($1) } }
    write("lower_bounds", details.lowerBounds, to: &line) { $0.hexadecimal($1) }
    write("upper_bounds", details.upperBounds, to: &line) { $0.hexadecimal($1) }
    line.key("key_metadata")
    if let key = details.keyMetadata { line.hexadecimal(key) } else { line.null() }
    write("split_offsets", details.splitOffsets, to: &line)
    write("equality_ids", details.equalityIDs.map { Int64($0) }, to: &line)
    line.key("sort_order_id")
    line.number(details.sortOrderID)
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
    line.begin()
    for column in metrics {
      line.key(column.name)
      line.begin()
      line.key("column_size")
      line.number(details.columnSizes[column.id])
      line.key("value_count")
      line.number(details.valueCounts[column.id])
      line.key("null_value_count")
      line.number(details.nullValueCounts[column.id])
      line.key("nan_value_count")
      line.number(details.nanValueCounts[column.id])
      for (name, bounds) in [("lower_bound", details.lowerBounds), ("upper_bound", details.upperBounds)] {
        line.key(name)
        if let bound = bounds[column.id], let value = SingleValue(bound, column.type) { value.write(to: &line) } else { line.null() }
      }
      line.end()
    }
    line.end()
  }
}
