// SPDX-License-Identifier: Apache-2.0

/// What a commit that succeeded has done.
package struct Committed: Sendable {
  package enum Outcome: String, Sendable, CaseIterable {
    /// The document is the table's metadata, or was and has been succeeded since.
    case committed
    /// The document says what its base says: nothing was sent but reads.
    case unchanged
    /// The table was made with this document.
    case created
    /// The table was made with a file that was there already.
    case registered
  }

  package var outcome: Outcome
  /// As this commit left it; the version is nil where the catalog does not tell.
  package var entry: TableEntry
  /// The metadata file; nil if nothing was changed, or a file that had been committed before was not looked at again.
  package var object: ObjectAttributes?
  package var metadata: TableMetadata
  /// For the log, a sentence each: numbers put back, unusual things in the document.
  package var warnings: [String]
  /// Earlier metadata files that `write.metadata.delete-after-commit.enabled` had deleted.
  package var removed: [ObjectLocation]

  package init(
    outcome: Outcome, entry: TableEntry, object: ObjectAttributes?, metadata: TableMetadata, warnings: [String] = [],
    removed: [ObjectLocation] = []
  ) {
    self.outcome = outcome
    self.entry = entry
    self.object = object
    self.metadata = metadata
    self.warnings = warnings
    self.removed = removed
  }
}
