// SPDX-License-Identifier: Apache-2.0

/// How values are ordered in files. Order id 0 is the unsorted one.
package struct SortOrder: Sendable, Hashable {
  /// One key of the order.
  package struct Field: Sendable, Hashable {
    package var sourceIDs: [Int]
    package var transform: Transform
    package var isAscending: Bool
    package var hasNullsFirst: Bool
  }

  package var id: Int
  package var fields: [Field]
}
