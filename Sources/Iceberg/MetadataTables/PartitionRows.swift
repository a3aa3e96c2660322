// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// Adds up the live files of a snapshot by partition, for the metadata table `partitions`. Source: apache/iceberg `PartitionsTable`.
///
/// A value: manifests are gone over one by one in any number of copies, and joined in the order of the list.
package struct PartitionRows: Sendable {
  private struct Totals: Sendable {
    var specID: Int64
    var records: Int64 = 0
    var files: Int64 = 0
    var bytes: Int64 = 0
    var positionDeleteRecords: Int64 = 0
    var positionDeleteFiles: Int64 = 0
    var equalityDeleteRecords: Int64 = 0
    var equalityDeleteFiles: Int64 = 0
    /// Milliseconds since 1970 and id of the youngest snapshot that added a file; nil if it has expired.
    var updated: (at: Int64, by: Int64)?

    mutating func add(_ other: Totals) {
      specID = other.specID
      records &+= other.records
      files &+= other.files
      bytes &+= other.bytes
      positionDeleteRecords &+= other.positionDeleteRecords
      positionDeleteFiles &+= other.positionDeleteFiles
      equalityDeleteRecords &+= other.equalityDeleteRecords
      equalityDeleteFiles &+= other.equalityDeleteFiles
      if let theirs = other.updated, updated.map({ theirs.at > $0.at }) ?? true { updated = theirs }
    }
  }

  private let columns: PartitionColumns
  private let times: [Int64: Int64]
  /// The text of a partition is what it is known by; in the order in which they came.
  private var places: [[UInt8]: Int] = [:]
  private var rows: [(partition: [UInt8], totals: Totals)] = []

  package init(_ metadata: TableMetadata) {
    columns = PartitionColumns(metadata)
    times = Dictionary(metadata.snapshots.map { ($0.id, $0.timestampMs) }, uniquingKeysWith: { first, _ in first })
  }

  private init(emptyLike other: PartitionRows) {
    columns = other.columns
    times = other.times
  }

  /// Nothing added up yet, for the same table.
  package var empty: PartitionRows { PartitionRows(emptyLike: self) }

  /// Bytes in memory, about.
  package var cost: Int { rows.reduce(256) { $0 + 2 * $1.partition.count + 200 } }

  /// Adds a live file.
  ///
  /// - Parameter entry: with its partition decoded.
  package mutating func add(_ entry: borrowing ManifestEntry, spec: Int64) {
    var line = JSONLine()
    columns.write(entry.details?.partition ?? [], spec: spec, to: &line)
    var totals = Totals(specID: spec)
    if let id = entry.snapshotID, let time = times[id] { totals.updated = (time, id) }
    switch entry.content {
    case .data: (totals.records, totals.files, totals.bytes) = (entry.recordCount, 1, entry.fileSize)
    case .positionDeletes: (totals.positionDeleteRecords, totals.positionDeleteFiles) = (entry.recordCount, 1)
    case .equalityDeletes: (totals.equalityDeleteRecords, totals.equalityDeleteFiles) = (entry.recordCount, 1)
    }
    add(line.bytes, totals)
  }

  /// Adds what another value has, behind what this one has.
  package mutating func add(_ other: PartitionRows) {
    for row in other.rows { add(row.partition, row.totals) }
  }

  private mutating func add(_ partition: [UInt8], _ totals: Totals) {
    if let place = places[partition] {
      rows[place].totals.add(totals)
    } else {
      places[partition] = rows.count
      rows.append((partition, totals))
    }
  }

  /// The table, a line a partition.
  package func text() -> [UInt8] {
    JSONLine.rows(rows) { line, row in
      let totals = row.totals
      if !columns.isEmpty {
        line.key("partition")
        line.raw(String(decoding: row.partition, as: UTF8.self))
        line.number("spec_id", totals.specID)
      }
      line.number("record_count", totals.records)
      line.number("file_count", totals.files)
      line.number("total_data_file_size_in_bytes", totals.bytes)
      line.number("position_delete_record_count", totals.positionDeleteRecords)
      line.number("position_delete_file_count", totals.positionDeleteFiles)
      line.number("equality_delete_record_count", totals.equalityDeleteRecords)
      line.number("equality_delete_file_count", totals.equalityDeleteFiles)
      line.string("last_updated_at", totals.updated.map { CivilTime.instant(milliseconds: $0.at) })
      line.number("last_updated_snapshot_id", totals.updated?.by)
    }
  }
}
