// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Iceberg

/// Finds out what became of a write whose answer does not say it. Source: spec/s3fileio.md §8.
struct S3WriteSettlement {
  let files: S3FileIO
  let location: ObjectLocation
  let mark: WriteMark

  /// The object, if the write was done in spite of the error.
  ///
  /// - Throws: `exists` if another one's object is there, `unknown` if nothing proves that the write was not done or never will be.
  func settle(_ error: AWSError) async throws(FileIOError) -> ObjectAttributes {
    // Only a lost answer, or an earlier send of the same request, leaves a question.
    let mayBeOurs = error.kind == .conditionFailed || error.code == "NoSuchUpload"
    if error.isDefinite, !(mayBeOurs && error.attempts > 1) { throw FileIOError(error, writing: location) }
    let head: S3ObjectHead
    do {
      head = try await files.client.headObject(
        bucket: files.target(location.bucket), key: location.key, headers: files.encryptionHeaders)
    } catch let headError {
      throw unknown(error, headError.status == 404 ? "there is no object yet" : "it cannot be looked at: \(headError.message)")
    }
    guard head.metadata[WriteMark.metadataName] == mark.text else {
      guard !files.conditions.areLookedUp else { throw unknown(error, "another writer's object is there, which ours may still replace") }
      // Whoever made it, our own request cannot succeed any more: its condition is that there is none.
      throw FileIOError(code: .exists, message: "Location already exists: \(location)", requestID: error.requestID)
    }
    return ObjectAttributes(
      location: location, size: head.contentLength ?? 0, etag: head.etag, modified: head.lastModified)
  }

  private func unknown(_ error: AWSError, _ why: String) -> FileIOError {
    FileIOError(
      code: .unknown,
      message: "\(location): whether it was written is unknown: \(error.message) (\(error.operation): \(error.code)), and \(why).",
      requestID: error.requestID)
  }
}

extension FileIOError {
  /// Codes of a body that was damaged on its way.
  static let damagedBodyCodes: Set<String> = ["BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"]

  /// For the calls that write an object, whose fate is known.
  init(_ error: AWSError, writing location: ObjectLocation) {
    switch error.kind {
    case .conditionFailed:
      self.init(code: .exists, message: "Location already exists: \(location)", requestID: error.requestID)
    case _ where error.code == "EntityTooLarge":
      self.init(code: .tooLarge, message: "\(location): \(error.message) (\(error.operation): \(error.code))", requestID: error.requestID)
    default: self.init(error, listing: "\(location)", bucket: location.bucket)
    }
  }
}

/// Runs to its end whatever becomes of the calling task: what is once on its way to a service is not called back.
func uninterrupted<Value: Sendable>(
  _ body: @escaping @Sendable () async throws(FileIOError) -> Value
) async throws(FileIOError) -> Value {
  let task = Task { () -> Result<Value, FileIOError> in
    do throws(FileIOError) {
      return .success(try await body())
    } catch {
      return .failure(error)
    }
  }
  return try await task.value.get()
}
