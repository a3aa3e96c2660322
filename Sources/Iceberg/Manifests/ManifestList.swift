// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// The manifests of a snapshot. Source: spec/manifests.md §2.
package struct ManifestList: Sendable {
  private let container: AvroContainer

  /// In the order of `Slot`.
  private static let paths: [[AvroContainer.Selection]] = [
    [.init(500, "manifest_path")], [.init(501, "manifest_length")], [.init(502, "partition_spec_id")], [.init(517, "content")],
    [.init(515, "sequence_number")], [.init(516, "min_sequence_number")], [.init(503, "added_snapshot_id")],
    [.init(504, "added_files_count")], [.init(505, "existing_files_count")], [.init(506, "deleted_files_count")],
    [.init(512, "added_rows_count")], [.init(513, "existing_rows_count")], [.init(514, "deleted_rows_count")],
    [.init(519, "key_metadata")], [.init(520, "first_row_id")],
  ]
  private static let summaries: [AvroContainer.Selection] = [.init(507, "partitions")]

  private enum Slot {
    static let (path, length, specID, content) = (0, 1, 2, 3)
    static let (sequenceNumber, minSequenceNumber, addedSnapshotID) = (4, 5, 6)
    static let (addedFiles, existingFiles, deletedFiles) = (7, 8, 9)
    static let (addedRows, existingRows, deletedRows) = (10, 11, 12)
    static let (keyMetadata, firstRowID) = (13, 14)
    static let partitions = 15
  }

  /// Reads the header. Throws as `AvroContainer` does.
  package init(parsing bytes: [UInt8]) throws(AvroError) {
    container = try AvroContainer(parsing: bytes)
  }

  /// Of the header; nil if absent or no number.
  package var snapshotID: Int64? { container.text("snapshot-id").flatMap { Int64($0) } }
  /// Of the header; nil if absent or no number.
  package var sequenceNumber: Int64? { container.text("sequence-number").flatMap { Int64($0) } }
  /// Of the header; nil if absent or no number.
  package var formatVersion: Int? { container.text("format-version").flatMap { Int($0) } }

  /// The manifests in the file's order. Throws `unsupportedCodec`, `unsupportedSchema`, `truncated`, `corrupt`, `overLimit`.
  ///
  /// - Parameter summaries: whether to decode what they hold of each partition field.
  package func manifests(summaries: Bool = false) throws(AvroError) -> [ManifestFile] {
    var manifests: [ManifestFile] = []
    try container.forEachRecord(Self.paths + (summaries ? [Self.summaries] : [])) { record throws(AvroError) in
      var manifest = try Self.manifest(record)
      if summaries { manifest.partitions = try Self.partitions(try record.value(Slot.partitions)) }
      manifests.append(manifest)
    }
    return manifests
  }

  private static func partitions(_ value: AvroValue) throws(AvroError) -> [ManifestFile.PartitionSummary]? {
    guard let items = value.array else { return nil }
    var summaries: [ManifestFile.PartitionSummary] = []
    for item in items {
      guard let fields = item.record else {
        throw AvroError(code: .corrupt, message: "a manifest list has a partition summary that is no record")
      }
      func value(_ id: Int, _ name: String) -> AvroValue? {
        fields.first { $0.id.map { $0 == id } ?? ($0.name == name) }?.value
      }
      guard case .boolean(let containsNull)? = value(509, "contains_null") else {
        throw AvroError(code: .corrupt, message: "a manifest list has a partition summary without contains_null")
      }
      summaries.append(
        ManifestFile.PartitionSummary(
          containsNull: containsNull, containsNaN: value(518, "contains_nan")?.boolean, lowerBound: value(510, "lower_bound")?.bytes,
          upperBound: value(511, "upper_bound")?.bytes))
    }
    return summaries
  }

  private static func manifest(_ record: borrowing AvroRecord) throws(AvroError) -> ManifestFile {
    guard let path = try record.string(Slot.path), let length = record.long(Slot.length) else {
      throw AvroError(code: .corrupt, message: "a manifest list has a record without manifest_path or manifest_length")
    }
    let code = record.long(Slot.content) ?? 0
    guard let content = ManifestFile.Content(rawValue: code) else {
      throw AvroError(code: .corrupt, message: "a manifest list has a record with the unknown content \(code)")
    }
    return ManifestFile(
      path: path, length: length, specID: record.long(Slot.specID) ?? 0, content: content,
      sequenceNumber: record.long(Slot.sequenceNumber) ?? 0, minSequenceNumber: record.long(Slot.minSequenceNumber) ?? 0,
      addedSnapshotID: record.long(Slot.addedSnapshotID),
      files: ManifestFile.Counts(
        added: record.long(Slot.addedFiles), existing: record.long(Slot.existingFiles), deleted: record.long(Slot.deletedFiles)),
      rows: ManifestFile.Counts(
        added: record.long(Slot.addedRows), existing: record.long(Slot.existingRows), deleted: record.long(Slot.deletedRows)),
      isEncrypted: !record.isNull(Slot.keyMetadata), firstRowID: record.long(Slot.firstRowID))
  }
}
