// SPDX-License-Identifier: Apache-2.0

/// One manifest, as its manifest list says. Source: spec/manifests.md §2.
package struct ManifestFile: Sendable, Hashable {
  /// What the files of a manifest are.
  package enum Content: Int64, Sendable, CaseIterable {
    case data = 0
    case deletes = 1
  }

  /// Of files or rows; nil where the writer left it out, which counts as some.
  package struct Counts: Sendable, Hashable {
    package var added: Int64?
    package var existing: Int64?
    package var deleted: Int64?
  }

  /// What a manifest holds of one partition field. Source: spec/manifests.md §2, `partitions`.
  package struct PartitionSummary: Sendable, Hashable {
    package var containsNull: Bool
    /// Nil where the writer left it out.
    package var containsNaN: Bool?
    /// Serialised single values.
    package var lowerBound: [UInt8]?
    package var upperBound: [UInt8]?
  }

  /// Full URI.
  package var path: String
  /// Bytes.
  package var length: Int64
  /// 0 where the writer left it out.
  package var specID: Int64
  package var content: Content
  /// 0 in version 1.
  package var sequenceNumber: Int64
  /// 0 in version 1.
  package var minSequenceNumber: Int64
  /// Nil where a writer left it out.
  package var addedSnapshotID: Int64?
  package var files: Counts
  package var rows: Counts
  /// Whether it can only be read with a key.
  package var isEncrypted: Bool
  /// Of the first row that it adds; nil before version 3.
  package var firstRowID: Int64?
  /// One for each field of the spec. Nil unless they were asked for, and where the writer left them out.
  package var partitions: [PartitionSummary]?

  /// Whether a manifest says that it holds no live file; one that does not say how many may.
  package var isKnownEmpty: Bool { files.added == 0 && files.existing == 0 }
}
