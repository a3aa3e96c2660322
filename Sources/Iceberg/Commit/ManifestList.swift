// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// The manifests of a snapshot, as far as a commit must know them. Source: spec/manifests.md §2.
package struct ManifestList: Sendable {
  /// One manifest.
  package struct Entry: Sendable, Hashable {
    /// Full URI.
    package var path: String
    /// Bytes.
    package var length: Int64
    package var specID: Int64
    /// 0 in version 1.
    package var sequenceNumber: Int64
    /// Nil where a writer left it out.
    package var addedSnapshotID: Int64?
  }

  private let container: AvroContainer

  private static let fields: [AvroContainer.Selection] = [
    .init(500, "manifest_path"), .init(501, "manifest_length"), .init(502, "partition_spec_id"), .init(515, "sequence_number"),
    .init(503, "added_snapshot_id"),
  ]

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

  /// The manifests in the file's order. Throws `unsupportedCodec`, `truncated`, `corrupt`, `overLimit`.
  package func entries() throws(AvroError) -> [Entry] {
    var entries: [Entry] = []
    for record in try container.records(Self.fields) {
      guard let path = record[500]?.string, let length = record[501]?.long else {
        throw AvroError(code: .corrupt, message: "a manifest list has a record without manifest_path or manifest_length")
      }
      entries.append(
        Entry(
          path: path, length: length, specID: record[502]?.long ?? 0, sequenceNumber: record[515]?.long ?? 0,
          addedSnapshotID: record[503]?.long))
    }
    return entries
  }
}
