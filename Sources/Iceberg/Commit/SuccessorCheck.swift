// SPDX-License-Identifier: Apache-2.0

/// Decides whether a document may follow the table's current one. Source: spec/table-metadata.md §7.
///
/// Rows are checked in their order, the first failure is the answer. No row sends anything but 11, 12 and, where specs were removed, 20.
package struct SuccessorCheck: Sendable {
  /// The table's current metadata file.
  package struct Base: Sendable {
    /// Exactly as the catalog holds it.
    package var location: String
    package var metadata: TableMetadata

    package init(location: String, metadata: TableMetadata) {
      self.location = location
      self.metadata = metadata
    }
  }

  let base: Base?
  let next: TableMetadata
  let location: String
  let nowMs: Int64

  /// - Parameters:
  ///   - base: nil for a new table.
  ///   - next: as ``read(_:location:base:)`` gives it.
  ///   - location: full URI that the catalog will hold.
  ///   - nowMs: milliseconds since 1970.
  package init(base: Base?, next: TableMetadata, location: String, nowMs: Int64) {
    self.base = base
    self.next = next
    self.location = location
    self.nowMs = nowMs
  }

  /// Row 1: reads a new document and checks it by itself, its name included.
  ///
  /// Faults that another row describes better carry that row: refs 13 or 14, the current snapshot 15.
  package static func read(_ bytes: [UInt8], location: String, base: Base?) throws(SuccessorRefusal) -> TableMetadata {
    do {
      let metadata = try TableMetadata(parsing: bytes, fileName: location)
      try checkName(location, metadata)
      return metadata
    } catch let error as TableMetadataError {
      throw refusal(error, base)
    } catch let refusal as SuccessorRefusal {
      throw refusal
    } catch {
      throw SuccessorRefusal(row: .document, path: "", expected: "table metadata", found: "\(error)")
    }
  }

  /// All rows that the two documents alone decide.
  ///
  /// - Returns: warnings, for the log.
  package func check() throws(SuccessorRefusal) -> [SuccessorWarning] {
    var run = SuccessorRun(check: self)
    try run.checkDocuments()
    return run.warnings
  }

  /// Rows 11 and 12, and of 20 what live manifests decide; ``check()`` goes first.
  ///
  /// - Returns: warnings, for the log.
  package func checkFiles(_ files: any FileIO) async throws(SuccessorRefusal) -> [SuccessorWarning] {
    var check = ManifestCheck(check: self, files: files)
    try await check.run()
    return check.warnings
  }

  // MARK: Row 1

  static func refusal(_ error: TableMetadataError, _ base: Base?) -> SuccessorRefusal {
    var row = SuccessorRow.document
    switch error.documentCheck {
    case 3:
      let isRemoved = base?.metadata.snapshots.contains { String($0.id) == error.found } ?? false
      row = isRemoved ? .removedSnapshots : .references
    case 4: row = .currentSnapshot
    default: break
    }
    if error.path == "last-column-id", !error.expected.isEmpty, error.documentCheck == 9 { row = .lastColumn }
    return SuccessorRefusal(
      row: row, path: error.path, expected: error.expected.isEmpty ? "table metadata that Iceberg reads" : error.expected,
      found: error.found.isEmpty ? "a file that \(error.reason)" : error.found)
  }

  private static func checkName(_ location: String, _ metadata: TableMetadata) throws(SuccessorRefusal) {
    let name = MetadataFileName(location)
    guard let name, name.pyIcebergNumber != nil, name.number != nil else {
      throw SuccessorRefusal(
        row: .document, path: "", expected: "a file name like 00001-<uuid>.metadata.json",
        found: "\(name?.name.prefix(200) ?? "another name")")
    }
    let key = MetadataProperties.compressionCodec
    if let codec = metadata.head.properties[key], !["none", "gzip"].contains(codec.lowercased()) {
      throw SuccessorRefusal(row: .document, path: "properties.\(key)", expected: "none or gzip", found: String(codec.prefix(80)))
    }
    guard MetadataProperties.previousVersionsMax(metadata) != nil else {
      let key = MetadataProperties.previousVersionsMaxKey
      throw SuccessorRefusal(
        row: .document, path: "properties.\(key)", expected: "a 32-bit integer",
        found: String((metadata.head.properties[key] ?? "").prefix(80)))
    }
  }
}

extension String {
  /// Equality of bytes: two Unicode forms of one character are two names to S3 and to Iceberg.
  func hasSameBytes(as other: String) -> Bool {
    utf8.elementsEqual(other.utf8)
  }
}
