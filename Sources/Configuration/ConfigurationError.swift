// SPDX-License-Identifier: Apache-2.0

/// Why a configuration or an option cannot be used: one sentence for a person, without secrets and without a full stop.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Code: String, Sendable, CaseIterable {
    /// No source knows the catalog.
    case unknownCatalog
    /// A file cannot be opened or read.
    case unreadable
    /// A file or variable does not follow its syntax; the message begins with `file:line` where there is one.
    case syntax
    /// A known key has a value it cannot have.
    case badValue
    /// A property that is needed is not set.
    case missing
    /// Two properties exclude each other.
    case contradiction
    /// A command line option cannot be used as given.
    case option
  }
  package var code: Code
  package var message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}
