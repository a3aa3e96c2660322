// SPDX-License-Identifier: Apache-2.0

import AWSCore
package import AWSServices
package import Iceberg
package import Logging

/// Objects in S3 behind Iceberg's `FileIO`; writing stands in `S3FileIO+Writing.swift`. Source: spec/s3fileio.md.
///
/// Buckets keep the name that locations give them; access points stand in for them in requests only.
///
/// An object is created on the condition that there is none of its name (`If-None-Match: *`). With a server that refuses the header or, by the
/// probe, ignores it, the name is looked up by HEAD and then written without: two writers of one name at the same time are then not kept apart.
package final class S3FileIO: FileIO {
  /// Broken bodies of one read that are taken up again where they broke: Iceberg's number. Source: spec/s3fileio.md §4.
  static let streamRetries = 3

  let client: S3Client
  private let properties: S3FileIOProperties
  private let accessPoints: [String: String]
  private let isPrefixListedAsDirectory: Bool
  let encryptionHeaders: [(name: String, value: String)]
  let write: S3WriteProperties
  let uploads: UploadAdmission
  let conditions: S3Conditions
  /// Whether bodies carry a CRC-32.
  let isChecksummed: Bool

  /// - Parameter uploadMemory: what the bytes of uploads are counted in.
  package convenience init(
    client: S3Client, properties: S3FileIOProperties, uploadMemory: any UploadMemory = UnlimitedUploadMemory(),
    logger: Logger = Logger(label: "bergfs.s3")
  ) {
    self.init(
      client: client, properties: properties, conditions: S3Conditions(logger: logger), uploads: UploadAdmission(memory: uploadMemory))
  }

  private init(client: S3Client, properties: S3FileIOProperties, conditions: S3Conditions, uploads: UploadAdmission) {
    self.client = client
    self.properties = properties
    self.conditions = conditions
    self.uploads = uploads
    isChecksummed = properties.write.isChecksumEnabled || client.checksums.isSentWhenSupported
    write = properties.write
    accessPoints = properties.accessPoints
    isPrefixListedAsDirectory = properties.isDirectoryBucketListPrefixAsDirectory
    encryptionHeaders = properties.encryptionHeaders
  }

  /// The same access with another client, whose requests count with this one's.
  func with(client: S3Client) -> S3FileIO {
    S3FileIO(client: client, properties: properties, conditions: conditions, uploads: uploads)
  }

  package func head(_ location: ObjectLocation) async throws(FileIOError) -> ObjectAttributes {
    try Self.checkKey(location)
    let head: S3ObjectHead
    do {
      head = try await client.headObject(bucket: target(location.bucket), key: location.key, headers: encryptionHeaders)
    } catch {
      throw FileIOError(error, reading: location, etag: nil)
    }
    guard let size = head.contentLength else {
      throw FileIOError(
        code: .failed, message: "\(location): the answer to HeadObject does not say how long the object is.", requestID: head.requestID)
    }
    return ObjectAttributes(location: location, size: size, etag: head.etag, modified: head.lastModified)
  }

  package func read(
    _ location: ObjectLocation, etag: String?, range: Range<Int64>, into sink: any RangeSink
  ) async throws(FileIOError) -> Int64 {
    guard range.lowerBound >= 0 else {
      throw FileIOError(code: .invalid, message: "position is negative: \(range.lowerBound)")
    }
    try Self.checkKey(location)
    if range.isEmpty { return 0 }
    return try await S3RangeRead(files: self, location: location, range: range, sink: sink).run(etag: etag)
  }

  package func list(
    bucket: String, prefix: String, isDirectory: Bool, from position: ListPosition
  ) async throws(FileIOError) -> ObjectListing {
    let target = target(bucket)
    var (prefix, position) = (prefix, position)
    let isDirectoryBucket = DirectoryBucketName.isDirectory(target)
    // There is no order in which anything could come after a key: whoever asks for it gets all.
    if isDirectoryBucket, case .key = position { position = .start }
    if isDirectoryBucket, isPrefixListedAsDirectory, !prefix.isEmpty, prefix.utf8.last != UInt8(ascii: "/") {
      prefix += "/"
    }
    let page: S3ObjectPage
    do {
      page = try await client.listObjectsV2(
        bucket: target, prefix: prefix, delimiter: isDirectory ? "/" : nil, from: position.s3)
    } catch {
      guard error.code != LakeFormationCredentialsProvider.tableMissing else { return ObjectListing(objects: [], prefixes: [], next: nil) }
      throw FileIOError(error, listing: "s3://\(bucket)/\(prefix)", bucket: bucket)
    }
    return ObjectListing(
      objects: page.objects.map {
        ObjectAttributes(
          location: ObjectLocation(bucket: bucket, key: $0.key), size: $0.size, etag: $0.etag, modified: $0.lastModified)
      },
      prefixes: page.commonPrefixes, next: page.nextContinuationToken)
  }

  package func location(_ text: String) throws(FileIOError) -> ObjectLocation {
    try S3URI.parse(text)
  }

  /// What stands for a bucket in requests.
  func target(_ bucket: String) -> String {
    accessPoints[bucket] ?? bucket
  }

  /// Without a key the request would be one about the bucket.
  static func checkKey(_ location: ObjectLocation) throws(FileIOError) {
    guard !location.key.isEmpty else {
      throw FileIOError(code: .invalid, message: "\(location) names no object: its key is empty.")
    }
    guard !location.bucket.isEmpty else {
      throw FileIOError(code: .invalid, message: "\(location) names no object: its bucket is empty.")
    }
  }
}

extension ListPosition {
  fileprivate var s3: S3ListPosition {
    switch self {
    case .start: .start
    case .token(let token): .continuationToken(token)
    case .key(let key): .startAfter(key)
    }
  }
}
