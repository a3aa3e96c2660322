// SPDX-License-Identifier: Apache-2.0

/// A table that has a name and a place, but no entry in the catalog yet: its first committed metadata file makes one.
package struct PendingTable: Sendable, Hashable {
  package var identifier: TableIdentifier
  /// Full URI of the table's directory; a trailing `/` means nothing.
  package var location: String

  package init(identifier: TableIdentifier, location: String) {
    self.identifier = identifier
    self.location = location
  }
}
