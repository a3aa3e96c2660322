// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg

/// Writing; what deletes stands in `S3FileIO+Deleting.swift`. Source: spec/s3fileio.md §5–§8.
extension S3FileIO: WritableFileIO {
  /// Bytes of one server-side copied part: large enough that requests do not count, small enough that several run side by side.
  private static let copiedPartSize = 512 << 20

  package func create(
    _ location: ObjectLocation, from content: any ObjectContent, options: WriteOptions
  ) async throws(FileIOError) -> ObjectAttributes {
    try Self.checkKey(location)
    let size = content.size
    let plan = plan(expectedSize: size)
    guard let ranges = plan.ranges(of: size) else { throw Self.tooLarge(location, size: size, plan) }
    // As in a stream, a body in one piece takes no more memory than one and a half parts.
    if ranges.count <= 1 || size < Int64(min(write.threshold, uploads.largestPart + uploads.largestPart / 2)) {
      try await uploads.reserve(Int(size), for: location)
      defer { uploads.memory.release(Int(size)) }
      return try await put(try await content.bytes(0..<size), at: location, options)
    }
    try await announce(location, options)
    let upload = try await S3MultipartWrite.begin(self, location, options, isChecksummed: isChecksummed)
    do throws(FileIOError) {
      for range in ranges {
        try await uploads.reserve(range.count, for: location)
        let bytes: [UInt8]
        do {
          bytes = try await content.bytes(range)
        } catch {
          uploads.memory.release(range.count)
          throw error
        }
        try await upload.submit(bytes, reserved: range.count)
      }
    } catch {
      await upload.abort()
      throw error
    }
    return try await upload.complete(size: size)
  }

  package func writer(
    _ location: ObjectLocation, expectedSize: Int64?, options: WriteOptions
  ) throws(FileIOError) -> any ObjectWriter {
    try Self.checkKey(location)
    return S3ObjectWriter(self, location, expectedSize: expectedSize, options)
  }

  package func copy(
    _ source: ObjectAttributes, to location: ObjectLocation, options: WriteOptions
  ) async throws(FileIOError) -> ObjectAttributes {
    try Self.checkKey(location)
    try Self.checkKey(source.location)
    let plan = PartPlan(partSize: Self.copiedPartSize, largestPart: PartPlan.maximumPartSize, expectedSize: source.size)
    guard let ranges = plan.ranges(of: source.size) else { throw Self.tooLarge(location, size: source.size, plan) }
    // No range names nothing, so nothing cannot be copied.
    guard !ranges.isEmpty else { return try await put([], at: location, options) }
    try await announce(location, options)
    let upload = try await S3MultipartWrite.begin(self, location, options, isChecksummed: false)
    let origin = S3CopySource(bucket: target(source.location.bucket), key: source.location.key, etag: source.etag)
    let headers =
      write.partEncryptionHeaders
      + write.partEncryptionHeaders.map { name, value in
        (name: "x-amz-copy-source-" + name.dropFirst("x-amz-".count), value: value)
      }
    do throws(FileIOError) {
      for range in ranges {
        let client = client
        try await upload.submit(reserved: 0, size: Int64(range.count)) { upload, number throws(FileIOError) in
          do throws(AWSError) {
            return try await client.uploadPartCopy(upload, number: number, source: origin, range: range, headers: headers)
          } catch {
            throw FileIOError(error, reading: source.location, etag: source.etag)
          }
        }
      }
    } catch {
      await upload.abort()
      throw error
    }
    return try await upload.complete(size: source.size)
  }

  /// PutObject if there is none yet, to the end whatever becomes of the calling task.
  func put(_ body: [UInt8], at location: ObjectLocation, _ options: WriteOptions) async throws(FileIOError) -> ObjectAttributes {
    try await announce(location, options)
    return try await uninterrupted { [self] () throws(FileIOError) in
      do throws(FileIOError) {
        let attributes = try await sendPut(body, at: location, options)
        await options.journal?.didEnd(location, mark: options.mark)
        return attributes
      } catch {
        if error.code != .unknown { await options.journal?.didEnd(location, mark: options.mark) }
        throw error
      }
    }
  }

  private func sendPut(
    _ body: [UInt8], at location: ObjectLocation, _ options: WriteOptions
  ) async throws(FileIOError) -> ObjectAttributes {
    do {
      let result = try await resendingDamaged { [self] () throws(AWSError) in
        try await ifAbsent(location) { condition throws(AWSError) in
          try await client.putObject(
            bucket: target(location.bucket), key: location.key, body: body, condition: condition, isChecksummed: isChecksummed,
            headers: objectHeaders(options))
        }
      }
      return ObjectAttributes(location: location, size: Int64(body.count), etag: result.etag, modified: result.date)
    } catch {
      return try await S3WriteSettlement(files: self, location: location, mark: options.mark).settle(error)
    }
  }

  /// Sends a second time what the service found damaged. Source: spec/s3fileio.md §12.
  func resendingDamaged<Value>(_ send: () async throws(AWSError) -> Value) async throws(AWSError) -> Value {
    do {
      return try await send()
    } catch {
      guard FileIOError.damagedBodyCodes.contains(error.code) else { throw error }
      return try await send()
    }
  }

  /// Tells the journal of a write to come.
  func announce(_ location: ObjectLocation, _ options: WriteOptions) async throws(FileIOError) {
    try await options.journal?.willWrite(location, mark: options.mark)
  }

  func plan(expectedSize: Int64?) -> PartPlan {
    PartPlan(partSize: write.partSize, largestPart: uploads.largestPart, expectedSize: expectedSize)
  }

  /// What PutObject and CreateMultipartUpload carry. Source: spec/s3fileio.md §5, §6.
  func objectHeaders(_ options: WriteOptions) -> [(name: String, value: String)] {
    var headers = [(name: S3ObjectHead.metadataPrefix + WriteMark.metadataName, value: options.mark.text)]
    var tags = write.tags
    if let table = options.table {
      if write.isTableTagged { tags["iceberg.table"] = table.name }
      if write.isNamespaceTagged { tags["iceberg.namespace"] = "\(table.namespace)" }
    }
    if !tags.isEmpty {
      let pairs = tags.sorted { $0.key < $1.key }.map { "\(PercentEncoding.query($0.key))=\(PercentEncoding.query($0.value))" }
      headers.append(("x-amz-tagging", pairs.joined(separator: "&")))
    }
    if let storageClass = write.storageClass { headers.append(("x-amz-storage-class", storageClass)) }
    if let cannedACL = write.cannedACL { headers.append(("x-amz-acl", cannedACL)) }
    return headers + write.encryptionHeaders
  }

  private static func tooLarge(_ location: ObjectLocation, size: Int64, _ plan: PartPlan) -> FileIOError {
    FileIOError(
      code: .tooLarge,
      message: "\(location): \(size) bytes do not fit an upload of at most \(PartPlan.maximumParts) parts (\(plan.capacity) bytes).")
  }
}
