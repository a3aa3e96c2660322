// SPDX-License-Identifier: Apache-2.0

/// A property whose value cannot be used: found while a catalog is set up, before anything is sent.
package struct PropertyError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The key at fault; empty where it is a combination of several.
  package var key: String
  /// One sentence for a person: Iceberg's own where it has one. Never holds a secret.
  package var message: String

  package init(key: String, message: String) {
    self.key = key
    self.message = message
  }

  package var description: String { message }
}
