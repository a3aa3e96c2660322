// SPDX-License-Identifier: Apache-2.0

/// Writes objects besides reading them. Implementations: S3, and in-memory for tests; both run the same conformance suite.
///
/// Nothing here replaces an object: every write is create-only, and one that finds the name taken throws `exists`. An object carries the mark
/// of the write that made it, by which a write whose answer was lost is told from another writer's; so a write that was done is never
/// reported as `exists`, and one whose fate stays unknown throws `unknown`.
///
/// Servers that do not keep conditions (``probeConditionalWrites(in:)``) are looked at before each write instead. There two writers of one name who
/// write at the same time are not kept apart: the later one wins, and both are told that they have.
package protocol WritableFileIO: FileIO {
  /// Creates an object from content of known size, in one piece or in parts.
  ///
  /// - Returns: attributes of the new object; the time is the service's at the start of the write.
  func create(
    _ location: ObjectLocation, from content: any ObjectContent, options: WriteOptions
  ) async throws(FileIOError) -> ObjectAttributes

  /// A writer of a new object whose size nobody knows yet. Nothing is sent before there are more bytes than go in one piece.
  ///
  /// - Parameter expectedSize: bytes, if the caller has an idea: parts are made large enough for it.
  func writer(_ location: ObjectLocation, expectedSize: Int64?, options: WriteOptions) throws(FileIOError) -> any ObjectWriter

  /// Creates an object with the content of another one, without moving the bytes through this machine.
  ///
  /// - Parameter source: exactly the version that its etag names; `changed` if it is gone or replaced.
  func copy(
    _ source: ObjectAttributes, to location: ObjectLocation, options: WriteOptions
  ) async throws(FileIOError) -> ObjectAttributes

  /// Deletes an object; one that is not there counts as deleted. A configuration may say that nothing is ever deleted.
  ///
  /// - Parameter etag: the version that may be deleted, any if nil; `changed` if the object is another one.
  func delete(_ location: ObjectLocation, etag: String?) async throws(FileIOError)

  /// Deletes many objects with few requests, whatever version they are: what must be one certain version goes through ``delete(_:etag:)``.
  ///
  /// - Returns: for each place in turn why it could not be deleted; nil for one that was, or that held no object.
  func deleteAll(_ locations: [ObjectLocation]) async -> [FileIOError?]

  /// Deletes an object if it is the one that the write with this mark made.
  ///
  /// - Returns: whether it was; false also if there is no object.
  func deleteOwn(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) -> Bool

  /// The object, if it is the one that the write with this mark made; nil if there is none or it is another's.
  func ownObject(at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) -> ObjectAttributes?

  /// The uploads under way at exactly this place, whoever began them.
  func pendingUploads(at location: ObjectLocation) async throws(FileIOError) -> [PendingUpload]

  /// Finds out whether the server keeps the condition that an object must not exist yet, and writes accordingly from then on.
  ///
  /// Writes an empty object of a random name twice and deletes it, if that is allowed; nothing else is touched. Where deleting is not allowed or
  /// switched off, nothing is sent that would stay.
  ///
  /// - Parameter location: the directory of the random name.
  func probeConditionalWrites(in location: ObjectLocation) async -> ConditionalWrites

  /// Gives up a multipart upload that an ended process left behind. One that is gone counts as given up.
  func abandon(upload id: String, at location: ObjectLocation) async throws(FileIOError)
}

/// Takes the bytes of one new object in order. Calls come one after another, but ``abort()`` may also come during ``append(_:)``.
///
/// Holds memory of the upload budget from the first byte on, until it has finished or aborted: every writer must come to one of the two.
package protocol ObjectWriter: AnyObject, Sendable {
  /// Bytes taken so far.
  var count: Int64 { get }

  /// Takes the next bytes, waiting while memory or parts in flight are at their limit. An error is final.
  ///
  /// - Throws: `tooLarge` beyond what the parts of one upload can hold; what an earlier part met.
  func append(_ bytes: [UInt8]) async throws(FileIOError)

  /// Publishes the object. On an error nothing is left of the upload, except where the error is `unknown`.
  ///
  /// - Throws: as ``WritableFileIO/create(_:from:options:)``.
  func finish() async throws(FileIOError) -> ObjectAttributes

  /// Gives the object up, and the parts that were sent. Does nothing once ``finish()`` was called, which cleans up for itself.
  func abort() async
}

/// Content of known size that can be read again, in any order: memory, or a file in the staging directory.
package protocol ObjectContent: Sendable {
  /// Bytes.
  var size: Int64 { get }
  /// The bytes of a range within the size. Must not hold a thread of the cooperative pool for long.
  func bytes(_ range: Range<Int64>) async throws(FileIOError) -> [UInt8]
}

/// Content in memory.
package struct BytesContent: ObjectContent {
  private let content: [UInt8]

  package init(_ content: [UInt8]) {
    self.content = content
  }

  package var size: Int64 { Int64(content.count) }

  package func bytes(_ range: Range<Int64>) async throws(FileIOError) -> [UInt8] {
    guard range.lowerBound >= 0, range.upperBound <= size else {
      throw FileIOError(code: .invalid, message: "bytes \(range) are not within content of \(size) bytes")
    }
    return range.count == content.count ? content : Array(content[Int(range.lowerBound)..<Int(range.upperBound)])
  }
}
