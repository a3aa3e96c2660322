// SPDX-License-Identifier: Apache-2.0

/// Why a mount cannot be started, ended, or found: one sentence for a person.
package struct LifecycleError: Error, Sendable, CustomStringConvertible {
  package enum Code: Sendable, Hashable {
    /// The mountpoint is no usable directory.
    case mountpoint
    /// Something is mounted there already.
    case alreadyMounted
    /// Nothing of ours is mounted there.
    case notMounted
    /// Files of the mount are in use.
    case busy
    /// The daemon said why it cannot start, or died.
    case daemon
    /// The system refused (no memory, no process, no right).
    case system
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}
