// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// Reads the entries of a manifest one by one. Source: spec/manifests.md §3, §4.
///
/// Fields are found by their ids (by name in files without ids), and what is not asked for is gone over without being decoded.
package struct ManifestReader: Sendable {
  private let container: AvroContainer

  /// In the order of `Slot`.
  static let paths: [[AvroContainer.Selection]] = [
    [.init(0, "status")], [.init(1, "snapshot_id")], [.init(3, "sequence_number")], [.init(4, "file_sequence_number")],
    [dataFile, .init(134, "content")], [dataFile, .init(100, "file_path")], [dataFile, .init(101, "file_format")],
    [dataFile, .init(103, "record_count")], [dataFile, .init(104, "file_size_in_bytes")], [dataFile, .init(142, "first_row_id")],
  ]
  private static let dataFile = AvroContainer.Selection(2, "data_file")

  private enum Slot {
    static let (status, snapshotID, sequenceNumber, fileSequenceNumber) = (0, 1, 2, 3)
    static let (content, filePath, format, recordCount, fileSize, firstRowID) = (4, 5, 6, 7, 8, 9)
    static let details = 10
  }

  /// Reads the header. Throws as `AvroContainer` does.
  package init(parsing bytes: [UInt8]) throws(AvroError) {
    container = try AvroContainer(parsing: bytes)
  }

  /// Of the header; nil if absent or no number.
  package var formatVersion: Int? { container.text("format-version").flatMap { Int($0) } }
  /// Of the header; nil if absent or no number.
  package var partitionSpecID: Int64? { container.text("partition-spec-id").flatMap { Int64($0) } }
  /// Of the header; data where it is absent, as in version 1. Nil if it is something else.
  package var content: ManifestFile.Content? {
    switch container.text("content") {
    case nil, "data": .data
    case "deletes": .deletes
    default: nil
    }
  }

  /// Calls the body with each entry in the file's order, deleted ones too.
  ///
  /// - Parameters:
  ///   - manifest: what the list says of this manifest: snapshot, sequence numbers and row ids that an entry leaves out are taken from it.
  ///   - columns: what is decoded besides.
  /// - Throws: `unsupportedCodec`, `unsupportedSchema`, `truncated`, `corrupt`, `overLimit`, and what the body throws.
  package func forEachEntry(
    of manifest: ManifestFile? = nil, columns: ManifestColumns = .files, _ body: (borrowing ManifestEntry) throws(AvroError) -> Void
  ) throws(AvroError) {
    var inheritance = Inheritance(manifest, formatVersion: formatVersion)
    try container.forEachRecord(Self.paths + FileDetails.paths(columns)) { record throws(AvroError) in
      try body(try Self.entry(record, columns, &inheritance))
    }
  }

  /// The same, entry by entry, for a reader that stops and goes on.
  package func entries(of manifest: ManifestFile? = nil, columns: ManifestColumns = .files) throws(AvroError) -> ManifestEntries {
    ManifestEntries(
      records: try container.records(Self.paths + FileDetails.paths(columns)), columns: columns,
      inheritance: Inheritance(manifest, formatVersion: formatVersion))
  }

  fileprivate static func entry(
    _ record: borrowing AvroRecord, _ columns: ManifestColumns, _ inheritance: inout Inheritance
  ) throws(AvroError) -> ManifestEntry {
    guard let status = record.long(Slot.status).flatMap(ManifestEntry.Status.init) else {
      throw fault("an entry whose status is none of 0, 1 and 2")
    }
    guard let content = ManifestEntry.Content(rawValue: record.long(Slot.content) ?? 0) else {
      throw fault("an entry whose content is none of 0, 1 and 2")
    }
    guard let path = record.bytes(Slot.filePath) else { throw fault("an entry without file_path") }
    guard let format = record.bytes(Slot.format) else { throw fault("an entry without file_format") }
    guard let count = record.long(Slot.recordCount), count >= 0 else { throw fault("an entry without record_count") }
    guard let size = record.long(Slot.fileSize), size >= 0 else { throw fault("an entry without file_size_in_bytes") }
    let details = columns == .files ? nil : try FileDetails(record, from: Slot.details, columns)
    var entry = ManifestEntry(
      status: status, snapshotID: record.long(Slot.snapshotID), sequenceNumber: record.long(Slot.sequenceNumber),
      fileSequenceNumber: record.long(Slot.fileSequenceNumber), content: content, filePath: path, format: FileFormat(format),
      recordCount: count, fileSize: size, firstRowID: record.long(Slot.firstRowID), details: details)
    try inheritance.complete(&entry)
    return entry
  }

  fileprivate static func fault(_ what: String) -> AvroError {
    AvroError(code: .corrupt, message: "the manifest has \(what)")
  }

  /// What entries leave out because a commit that is tried again would have to change it. Source: spec/manifests.md §4.
  fileprivate struct Inheritance: Sendable {
    private let snapshotID: Int64?
    private let sequenceNumber: Int64?
    private var nextRowID: Int64?

    init(_ manifest: ManifestFile?, formatVersion: Int?) {
      snapshotID = manifest?.addedSnapshotID
      sequenceNumber = manifest?.sequenceNumber ?? (formatVersion == 1 ? 0 : nil)
      nextRowID = manifest?.firstRowID
    }

    mutating func complete(_ entry: inout ManifestEntry) throws(AvroError) {
      entry.snapshotID = entry.snapshotID ?? snapshotID
      // A later commit that keeps or deletes a file has written its numbers; without them they can only be those of version 1.
      if entry.status == .added || sequenceNumber == 0 {
        entry.sequenceNumber = entry.sequenceNumber ?? sequenceNumber
        entry.fileSequenceNumber = entry.fileSequenceNumber ?? sequenceNumber
      }
      guard entry.content == .data, entry.status != .deleted, entry.firstRowID == nil, let first = nextRowID else { return }
      entry.firstRowID = first
      let (next, overflows) = first.addingReportingOverflow(entry.recordCount)
      guard !overflows else { throw ManifestReader.fault("more rows than there are row ids") }
      nextRowID = next
    }
  }
}

/// Goes over the entries of a manifest; a copy goes on where the original stood.
package struct ManifestEntries: Sendable {
  private var records: AvroRecords
  private let columns: ManifestColumns
  private var inheritance: ManifestReader.Inheritance

  fileprivate init(records: AvroRecords, columns: ManifestColumns, inheritance: ManifestReader.Inheritance) {
    self.records = records
    self.columns = columns
    self.inheritance = inheritance
  }

  /// Calls the body with the next entry; false at the end. Throws as ``ManifestReader/forEachEntry(of:columns:_:)`` does.
  ///
  /// - Parameter isSkipped: the entry's columns are not decoded.
  package mutating func next(
    isSkipped: Bool = false, _ body: (borrowing ManifestEntry) throws(AvroError) -> Void
  ) throws(AvroError) -> Bool {
    try records.next { record throws(AvroError) in
      try body(try ManifestReader.entry(record, isSkipped ? .files : columns, &inheritance))
    }
  }
}
