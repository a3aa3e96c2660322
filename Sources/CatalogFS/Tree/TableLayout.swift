// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// Where a table's files are, as its current metadata says.
struct TableLayout: Sendable {
  /// Where the table is, as its metadata has it; nil if that cannot be read.
  let location: String?
  /// Key ends in `/`.
  let metadataDirectory: ObjectLocation
  /// Key ends in `/`. Fails if the table names a place that is none.
  let dataDirectory: Result<ObjectLocation, FilesystemError>
  /// The virtual names of `metadata/`; nil for a pending table, which has none.
  let names: MetadataNames?
  /// Why the metadata cannot be used: the table still lists, from where the pointer lies.
  let failure: FilesystemError?

  func directory(_ directory: TableDirectory) throws(FilesystemError) -> ObjectLocation {
    switch directory {
    case .metadata: metadataDirectory
    case .data: try dataDirectory.get()
    }
  }
}
