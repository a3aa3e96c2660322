// SPDX-License-Identifier: Apache-2.0

/// A text that must never be shown: prints, logs, and interpolates as `****`.
///
/// The text itself comes out only through ``reveal()``, so a reader finds every use by that name. Equality compares the texts.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  private let text: String

  package init(_ text: String) {
    self.text = text
  }

  /// The text, for a request, a key derivation, or a file that is private to its owner.
  package func reveal() -> String { text }

  package var isEmpty: Bool { text.isEmpty }
  package var description: String { "****" }
  package var debugDescription: String { "****" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
