// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// The bytes of one new object on their way to S3.
package final class UploadingFile: Sendable {
  package init(
    location: ObjectLocation, files: any WritableFileIO, staging: StagingArea, options: WriteOptions, streamsAfter: Int64 = 64 << 20
  ) {}

  package var size: Int64 { 0 }
  package var isEmpty: Bool { true }
  package func write(_ bytes: [UInt8], at offset: Int64) async throws(FilesystemError) {}
  package func truncate(to size: Int64) async throws(FilesystemError) {}
  /// Cut at the end of the file.
  package func read(_ range: Range<Int64>) async throws(FilesystemError) -> [UInt8] { [] }
  package func copy(
    of source: ObjectAttributes, sourceFiles: any WritableFileIO, range: Range<Int64>, at offset: Int64
  ) async throws(FilesystemError) -> Bool { false }
  package func finish() async throws(FilesystemError) -> ObjectAttributes { throw FilesystemError(.notSupported) }
  /// Returns the object if it was published all the same, because a finish was under way or done.
  @discardableResult
  package func abort() async -> ObjectAttributes? { nil }
}
