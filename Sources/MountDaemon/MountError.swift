// SPDX-License-Identifier: Apache-2.0

/// Why a catalog cannot be mounted or checked: one sentence for the person at the terminal.
package struct MountError: Error, Sendable, CustomStringConvertible {
  package let message: String

  package init(_ message: String) {
    self.message = message
  }

  package var description: String { message }
}
