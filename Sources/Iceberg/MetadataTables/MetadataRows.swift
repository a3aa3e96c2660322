// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// The metadata tables that the metadata file alone, or it and one manifest list, can tell. Each is JSON, a line a row.
///
/// Columns are those of Iceberg's own; source: apache/iceberg `HistoryTable`, `SnapshotsTable`, `RefsTable`, `MetadataLogEntriesTable`,
/// `ManifestsTable`.
package struct MetadataRows: Sendable {
  private let metadata: TableMetadata

  package init(_ metadata: TableMetadata) {
    self.metadata = metadata
  }

  package func history() -> [UInt8] {
    let parents = Dictionary(metadata.snapshots.map { ($0.id, $0.parentID) }, uniquingKeysWith: { first, _ in first })
    var ancestors: Set<Int64> = []
    var next = metadata.head.currentSnapshotID
    while let id = next, let parent = parents[id], ancestors.insert(id).inserted { next = parent }
    return JSONLine.rows(metadata.snapshotLog) { line, entry in
      line.string("made_current_at", CivilTime.instant(milliseconds: entry.timestampMs))
      line.number("snapshot_id", entry.snapshotID)
      line.number("parent_id", parents[entry.snapshotID] ?? nil)
      line.bool("is_current_ancestor", ancestors.contains(entry.snapshotID))
    }
  }

  package func snapshots() -> [UInt8] {
    JSONLine.rows(metadata.snapshots) { line, snapshot in
      line.string("committed_at", CivilTime.instant(milliseconds: snapshot.timestampMs))
      line.number("snapshot_id", snapshot.id)
      line.number("parent_id", snapshot.parentID)
      line.string("operation", snapshot.summary?["operation"])
      line.string("manifest_list", snapshot.manifestList)
      line.key("summary")
      line.begin()
      // In the order of the document; the operation has a column of its own.
      if let summary = snapshot.node["summary"] {
        for (key, value) in summary.members where key != "operation" { line.string(key, value.string) }
      }
      line.end()
    }
  }

  package func refs() -> [UInt8] {
    let kept = metadata.document.root["refs"]
    return JSONLine.rows(metadata.head.refs.sorted(by: { $0.key < $1.key })) { line, named in
      let (name, ref) = named
      let node = kept?[name]
      line.string("name", name)
      line.string("type", ref.kind.rawValue.uppercased())
      line.number("snapshot_id", ref.snapshotID)
      line.number("max_reference_age_in_ms", node?["max-ref-age-ms"]?.int64)
      line.number("min_snapshots_to_keep", node?["min-snapshots-to-keep"]?.int64)
      line.number("max_snapshot_age_in_ms", node?["max-snapshot-age-ms"]?.int64)
    }
  }

  /// - Parameter location: of the metadata file itself, which comes last.
  package func metadataLog(location: String) -> [UInt8] {
    let snapshots = Dictionary(metadata.snapshots.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let entries = metadata.head.metadataLog + [.init(timestampMs: metadata.head.lastUpdatedMs, file: location)]
    return JSONLine.rows(entries) { line, entry in
      let latest = metadata.snapshotID(at: entry.timestampMs).flatMap { snapshots[$0] }
      line.string("timestamp", CivilTime.instant(milliseconds: entry.timestampMs))
      line.string("file", entry.file)
      line.number("latest_snapshot_id", latest?.id)
      line.number("latest_schema_id", latest?.schemaID)
      line.number("latest_sequence_number", latest?.sequenceNumber)
    }
  }

  /// - Parameter manifests: of the current snapshot, with their partition summaries.
  package func manifests(_ manifests: [ManifestFile]) -> [UInt8] {
    let columns = PartitionColumns(metadata)
    return JSONLine.rows(manifests) { line, manifest in
      line.number("content", manifest.content.rawValue)
      line.string("path", manifest.path)
      line.number("length", manifest.length)
      line.number("partition_spec_id", manifest.specID)
      line.number("added_snapshot_id", manifest.addedSnapshotID)
      let (counts, none) = (manifest.files, ManifestFile.Counts(added: 0, existing: 0, deleted: 0))
      Self.write(manifest.content == .data ? counts : none, "data", to: &line)
      Self.write(manifest.content == .deletes ? counts : none, "delete", to: &line)
      line.key("partition_summaries")
      line.beginArray()
      for (index, summary) in (manifest.partitions ?? []).enumerated() {
        line.begin()
        line.bool("contains_null", summary.containsNull)
        line.bool("contains_nan", summary.containsNaN)
        line.string("lower_bound", columns.text(of: summary.lowerBound, field: index, spec: manifest.specID))
        line.string("upper_bound", columns.text(of: summary.upperBound, field: index, spec: manifest.specID))
        line.end()
      }
      line.endArray()
    }
  }

  /// Of data or of delete files.
  private static func write(_ counts: ManifestFile.Counts, _ kind: String, to line: inout JSONLine) {
    for (name, count) in [("added", counts.added), ("existing", counts.existing), ("deleted", counts.deleted)] {
      line.number("\(name)_\(kind)_files_count", count)
    }
  }
}

extension TableMetadata {
  /// The snapshot that was current at an instant, by `snapshot-log`; nil before its first entry.
  ///
  /// - Parameter milliseconds: since 1970.
  package func snapshotID(at milliseconds: Int64) -> Int64? {
    snapshotLog.last { $0.timestampMs <= milliseconds }?.snapshotID
  }
}
