// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Iceberg
import Synchronization

/// One multipart upload from its beginning to its object or to nothing: parts in flight up to a limit, a failure kept for the next caller.
///
/// Source: spec/s3fileio.md §5, §11. Calls come one after another, but ``abort()`` may come at any time.
final class S3MultipartWrite: Sendable {
  private struct State {
    var nextNumber = 1
    var inFlight: [Task<Void, Never>] = []
    var parts: [S3UploadedPart] = []
    var failure: FileIOError?
  }

  typealias Send = @Sendable (_ upload: S3MultipartUpload, _ number: Int) async throws(FileIOError) -> S3UploadedPart

  private let files: S3FileIO
  private let location: ObjectLocation
  private let options: WriteOptions
  private let upload: S3MultipartUpload
  private let isChecksummed: Bool
  private let state = Mutex(State())

  /// CreateMultipartUpload. The journal knows of the write already.
  ///
  /// - Parameter isChecksummed: whether the parts will carry a checksum.
  static func begin(
    _ files: S3FileIO, _ location: ObjectLocation, _ options: WriteOptions, isChecksummed: Bool
  ) async throws(FileIOError) -> S3MultipartWrite {
    try await uninterrupted { () throws(FileIOError) in
      let upload: S3MultipartUpload
      do throws(AWSError) {
        upload = try await files.client.createMultipartUpload(
          bucket: files.target(location.bucket), key: location.key, isChecksummed: isChecksummed, headers: files.objectHeaders(options))
      } catch {
        // An upload that was begun without our learning its id makes no object, but it is there: the journal keeps its place.
        if error.isDefinite { await options.journal?.didEnd(location, mark: options.mark) }
        throw FileIOError(error, writing: location)
      }
      let write = S3MultipartWrite(files, location, options, upload, isChecksummed: isChecksummed)
      do throws(FileIOError) {
        try await options.journal?.didBegin(upload: upload.id, at: location, mark: options.mark)
      } catch {
        await write.abort()
        throw error
      }
      return write
    }
  }

  private init(
    _ files: S3FileIO, _ location: ObjectLocation, _ options: WriteOptions, _ upload: S3MultipartUpload, isChecksummed: Bool
  ) {
    self.files = files
    self.location = location
    self.options = options
    self.upload = upload
    self.isChecksummed = isChecksummed
  }

  /// The number of the next part.
  var nextNumber: Int { state.withLock { $0.nextNumber } }

  /// Sends the next part, after waiting for a free place among those in flight.
  ///
  /// - Parameters:
  ///   - reserved: bytes of upload memory that the part holds; given back when it has ended, however it ends.
  ///   - size: bytes of the part.
  ///   - send: sends it.
  func submit(reserved: Int, size: Int64, _ send: @escaping Send) async throws(FileIOError) {
    while let oldest = state.withLock({ $0.inFlight.count >= files.write.partsInFlight ? $0.inFlight.removeFirst() : nil }) {
      await oldest.value
    }
    // In one step: an abort that comes between would not know of the part.
    let failure = state.withLock { state -> FileIOError? in
      if let failure = state.failure { return failure }
      let number = state.nextNumber
      state.nextNumber += 1
      state.inFlight.append(Task { [self] in await run(number, reserved: reserved, size: size, send) })
      return nil
    }
    guard let failure else { return }
    files.uploads.memory.release(reserved)
    throw failure
  }

  private func run(_ number: Int, reserved: Int, size: Int64, _ send: Send) async {
    do throws(FileIOError) {
      let part = try await send(upload, number)
      state.withLock { $0.parts.append(part) }
      options.progress?.add(size)
    } catch {
      state.withLock { $0.failure = $0.failure ?? error }
    }
    files.uploads.memory.release(reserved)
  }

  /// As ``submit(reserved:size:_:)`` with bytes of this machine.
  func submit(_ bytes: [UInt8], reserved: Int) async throws(FileIOError) {
    let (files, location, isChecksummed) = (files, location, isChecksummed)
    try await submit(reserved: reserved, size: Int64(bytes.count)) { upload, number throws(FileIOError) in
      do throws(AWSError) {
        return try await files.resendingDamaged { () throws(AWSError) in
          try await files.client.uploadPart(
            upload, number: number, body: bytes, isChecksummed: isChecksummed, headers: files.write.partEncryptionHeaders)
        }
      } catch {
        throw FileIOError(error, writing: location)
      }
    }
  }

  /// Waits until no part is in flight.
  func drain() async {
    while let task = state.withLock({ $0.inFlight.isEmpty ? nil : $0.inFlight.removeFirst() }) {
      await task.value
    }
  }

  /// Waits for the parts and puts them together, if there is no object yet. On a known failure the upload is given up.
  ///
  /// - Parameter size: bytes of all parts.
  func complete(size: Int64) async throws(FileIOError) -> ObjectAttributes {
    try await uninterrupted { [self] () throws(FileIOError) in
      await drain()
      let (parts, failure) = state.withLock { ($0.parts.sorted { $0.number < $1.number }, $0.failure) }
      if let failure {
        await abort()
        throw failure
      }
      do throws(FileIOError) {
        let attributes = try await put(together: parts, size: size)
        await options.journal?.didEnd(location, mark: options.mark)
        return attributes
      } catch {
        // While the outcome is open, the journal keeps upload and mark; the upload itself may only still become the object.
        if error.code != .unknown { await abort() }
        throw error
      }
    }
  }

  private func put(together parts: [S3UploadedPart], size: Int64) async throws(FileIOError) -> ObjectAttributes {
    do {
      let result = try await files.ifAbsent(location) { condition throws(AWSError) in
        try await files.client.completeMultipartUpload(
          upload, parts: parts, condition: condition, headers: files.write.partEncryptionHeaders)
      }
      return ObjectAttributes(location: location, size: size, etag: result.etag, modified: result.date)
    } catch {
      return try await S3WriteSettlement(files: files, location: location, mark: options.mark).settle(error)
    }
  }

  /// Ends the parts in flight, then the upload. Where that fails, the journal keeps it.
  func abort() async {
    let tasks = state.withLock { state in
      state.failure = state.failure ?? FileIOError(code: .cancelled, message: "\(location): the upload was given up.")
      defer { state.inFlight = [] }
      return state.inFlight
    }
    for task in tasks { task.cancel() }
    // A part that arrives after the abort would stay in the bucket.
    for task in tasks { await task.value }
    let (client, upload) = (files.client, upload)
    let isGone = await Task {
      do throws(AWSError) {
        try await client.abortMultipartUpload(upload)
        return true
      } catch {
        return false
      }
    }.value
    if isGone { await options.journal?.didEnd(location, mark: options.mark) }
  }
}
