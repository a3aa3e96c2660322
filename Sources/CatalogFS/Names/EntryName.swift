// SPDX-License-Identifier: Apache-2.0

/// The name of a directory entry as the kernel has it: 1–255 bytes without `/` and NUL.
///
/// Bytes, not a `String`: two names that differ only in Unicode normalisation are two names.
package struct EntryName: Sendable, Hashable, CustomStringConvertible {
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  package init(_ text: String) {
    self.bytes = Array(text.utf8)
  }

  /// For messages; bytes that are no UTF-8 are replaced.
  package var description: String { String(decoding: bytes, as: UTF8.self) }
}
