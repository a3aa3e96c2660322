// SPDX-License-Identifier: Apache-2.0

/// A checked document, and what is to be done with it.
struct CommitPlan: Sendable {
  let table: TableIdentifier
  /// The entry that the document follows; nil to create the table.
  let base: TableEntry?
  /// Of the base's file.
  let baseHead: TableMetadataHead?
  /// Of the new file, with the scheme that the catalog is to hold.
  let location: ObjectLocation
  let bytes: [UInt8]
  let metadata: TableMetadata
  let warnings: [String]
  /// Whether the user chose the file's name: then an earlier attempt may have used it.
  let isNameGiven: Bool
  /// The file where it lies already, with equal bytes; nil to upload it.
  let existing: ObjectAttributes?

  /// What the catalog is to hold.
  var uri: String { "\(location)" }
  var context: String { "Commit of \(table)" }
}
