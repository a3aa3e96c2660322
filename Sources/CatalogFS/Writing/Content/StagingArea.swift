// SPDX-License-Identifier: Apache-2.0

/// Local space for files that are being written, with a cap.
package final class StagingArea: Sendable {
  package init(directory: String, capacity: Int64) throws(FilesystemError) { throw FilesystemError(.notSupported) }
  /// Bytes.
  package let capacity: Int64
  package var used: Int64 { 0 }
  package func makeFile() throws(FilesystemError) -> StagingFile { throw FilesystemError(.notSupported) }
}
