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

  private func rows(_ write: (inout JSONLine) -> Void) -> [UInt8] {
    var line = JSONLine()
    write(&line)
    return line.take()
  }

  package func history() -> [UInt8] {
    let parents = Dictionary(metadata.snapshots.map { ($0.id, $0.parentID) }, uniquingKeysWith: { first, _ in first })
    var ancestors: Set<Int64> = []
    var next = metadata.head.currentSnapshotID
    while let id = next, let parent = parents[id], ancestors.insert(id).inserted { next = parent }
    return rows { line in
      for entry in metadata.snapshotLog {
        line.begin()
        line.key("made_current_at")
        line.string(CivilTime.instant(milliseconds: entry.timestampMs))
        line.key("snapshot_id")
        line.number(entry.snapshotID)
        line.key("parent_id")
        line.number(parents[entry.snapshotID] ?? nil)
        line.key("is_current_ancestor")
        line.bool(ancestors.contains(entry.snapshotID))
        line.end(line: true)
      }
    }
  }

  package func snapshots() -> [UInt8] {
    rows { line in
      for snapshot in metadata.snapshots {
        line.begin()
        line.key("committed_at")
        line.string(CivilTime.instant(milliseconds: snapshot.timestampMs))
        line.key("snapshot_id")
        line.number(snapshot.id)
        line.key("parent_id")
        line.number(snapshot.parentID)
        line.key("operation")
        line.string(snapshot.summary?["operation"])
        line.key("manifest_list")
        line.string(snapshot.manifestList)
        line.key("summary")
        line.begin()
        // In the order of the document; the operation has a column of its own.
        if let summary = snapshot.node["summary"] {
          for (key, value) in summary.members where key != "operation" {
            line.key(key)
            line.string(value.string)
          }
        }
        line.end()
        line.end(line: true)
      }
    }
  }

  package func refs() -> [UInt8] {
    let kept = metadata.document.root["refs"]
    return rows { line in
      for (name, ref) in metadata.head.refs.sorted(by: { $0.key < $1.key }) {
        let node = kept?[name]
        line.begin()
        line.key("name")
        line.string(name)
        line.key("type")
        line.string(ref.kind.rawValue.uppercased())
        line.key("snapshot_id")
        line.number(ref.snapshotID)
        line.key("max_reference_age_in_ms")
        line.number(node?["max-ref-age-ms"]?.int64)
        line.key("min_snapshots_to_keep")
        line.number(node?["min-snapshots-to-keep"]?.int64)
        line.key("max_snapshot_age_in_ms")
        line.number(node?["max-snapshot-age-ms"]?.int64)
        line.end(line: true)
      }
    }
  }

  /// - Parameter location: of the metadata file itself, which comes last.
  package func metadataLog(location: String) -> [UInt8] {
    let snapshots = Dictionary(metadata.snapshots.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let entries = metadata.head.metadataLog + [.init(timestampMs: metadata.head.lastUpdatedMs, file: location)]
    return rows { line in
      for entry in entries {
        let latest = metadata.snapshotID(at: entry.timestampMs).flatMap { snapshots[$0] }
        line.begin()
        line.key("timestamp")
        line.string(CivilTime.instant(milliseconds: entry.timestampMs))
        line.key("file")
        line.string(entry.file)
        line.key("latest_snapshot_id")
        line.number(latest?.id)
        line.key("latest_schema_id")
        line.number(latest?.schemaID)
        line.key("latest_sequence_number")
        line.number(latest?.sequenceNumber)
        line.end(line: true)
      }
    }
  }

  /// - Parameter manifests: of the current snapshot, with their partition summaries.
  package func manifests(_ manifests: [ManifestFile]) -> [UInt8] {
    let columns = PartitionColumns(metadata)
    return rows { line in
      for manifest in manifests {
        line.begin()
        line.key("content")
        line.number(manifest.content.rawValue)
        line.key("path")
        line.string(manifest.path)
        line.key("length")
        line.number(manifest.length)
        line.key("partition_spec_id")
        line.number(manifest.specID)
        line.key("added_snapshot_id")
        line.number(manifest.addedSnapshotID)
        let (counts, none) = (manifest.files, ManifestFile.Counts(added: 0, existing: 0, deleted: 0))
        Self.write(manifest.content == .data ? counts : none, "data", to: &line)
        Self.write(manifest.content == .deletes ? counts : none, "delete", to: &line)
        line.key("partition_summaries")
        line.beginArray()
        for (index, summary) in (manifest.partitions ?? []).enumerated() {
          line.begin()
          line.key("contains_null")
          line.bool(summary.containsNull)
          line.key("contains_nan")
          line.bool(summary.containsNaN)
          line.key("lower_bound")
          line.string(columns.text(of: summary.lowerBound, field: index, spec: manifest.specID))
          line.key("upper_bound")
          line.string(columns.text(of: summary.upperBound, field: index, spec: manifest.specID))
          line.end()
        }
        line.endArray()
        line.end(line: true)
      }
    }
  }

  /// Of data or of delete files.
  private static func write(_ counts: ManifestFile.Counts, _ kind: String, to line: inout JSONLine) {
    for (name, count) in [("added", counts.added), ("existing", counts.existing), ("deleted", counts.deleted)] {
      line.key("\(name)_\(kind)_files_count")
      line.number(count)
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
