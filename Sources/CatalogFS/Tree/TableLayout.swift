// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// Where a table's files are, as its current metadata says.
struct TableLayout: Sendable {
  /// The file the catalog points at.
  let pointer: ObjectLocation
  /// Key ends in `/`.
  let metadataDirectory: ObjectLocation
  /// Key ends in `/`. Fails if the table names a place that is none.
  let dataDirectory: Result<ObjectLocation, FilesystemError>
  /// The virtual names of `metadata/`.
  let names: MetadataNames
  /// Why the metadata cannot be used: the table still lists, from where the pointer lies.
  let failure: FilesystemError?

  func directory(_ directory: TableDirectory) throws(FilesystemError) -> ObjectLocation {
    switch directory {
    case .metadata: metadataDirectory
    case .data: try dataDirectory.get()
    }
  }
}
