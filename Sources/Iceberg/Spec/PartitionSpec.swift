// SPDX-License-Identifier: Apache-2.0

/// How a table is partitioned. Source: spec/table-metadata.md §4.
package struct PartitionSpec: Sendable, Hashable {
  /// One partition column.
  package struct Field: Sendable, Hashable {
    package var fieldID: Int
    /// One column, several only for transforms of version 3 that take several.
    package var sourceIDs: [Int]
    package var name: String
    package var transform: Transform
  }

  package var id: Int
  package var fields: [Field]

  /// The first id a partition field may have.
  package static let firstFieldID = 1000
}
