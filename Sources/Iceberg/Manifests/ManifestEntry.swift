// SPDX-License-Identifier: Apache-2.0

/// A file of a table, and what a manifest says of its coming and going. Source: spec/manifests.md §3.
package struct ManifestEntry: Sendable {
  /// What the commit that wrote the manifest did to the file.
  package enum Status: Int64, Sendable, CaseIterable {
    case existing = 0
    case added = 1
    case deleted = 2
  }

  /// What is in the file.
  package enum Content: Int64, Sendable, CaseIterable {
    case data = 0
    /// Position deletes, deletion vectors among them.
    case positionDeletes = 1
    case equalityDeletes = 2
  }

  package var status: Status
  /// Of the snapshot that added or deleted the file; nil where neither entry nor list say.
  package var snapshotID: Int64?
  /// The data sequence number; nil where old writers left it out.
  package var sequenceNumber: Int64?
  /// Nil where old writers left it out.
  package var fileSequenceNumber: Int64?
  package var content: Content
  /// Full URI. Bytes of the decoded block, which lives as long as the slice does: copied if it is to be kept. UTF-8 is not checked.
  package var filePath: ArraySlice<UInt8>
  package var format: FileFormat
  package var recordCount: Int64
  /// Bytes.
  package var fileSize: Int64
  /// Data files of version 3 only.
  package var firstRowID: Int64?
  /// Nil unless it was asked for.
  package var details: FileDetails?
}

/// How a file of a table is written.
package enum FileFormat: String, Sendable, CaseIterable {
  case parquet, avro, orc, puffin
  /// A format that is not known here.
  case other

  /// Ignores case: writers have it in capitals, the spec does not.
  init(_ name: ArraySlice<UInt8>) {
    self = Self.allCases.first { name.elementsEqual($0.rawValue.utf8) { $0 | 0x20 == $1 } } ?? .other
  }
}
