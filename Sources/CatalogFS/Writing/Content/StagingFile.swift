// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// One file of the staging area.
package final class StagingFile: ObjectContent {
  package var size: Int64 { 0 }
  package func write(_ bytes: [UInt8], at offset: Int64) throws(FilesystemError) { throw FilesystemError(.notSupported) }
  /// Cut at the end of the file.
  package func read(_ range: Range<Int64>) throws(FilesystemError) -> [UInt8] { throw FilesystemError(.notSupported) }
  package func truncate(to size: Int64) throws(FilesystemError) { throw FilesystemError(.notSupported) }
  package func bytes(_ range: Range<Int64>) async throws(FileIOError) -> [UInt8] { [] }
}
