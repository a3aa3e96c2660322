// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// The `s3.*` properties that writing and deleting use. Source: spec/properties.md §4.
package struct S3WriteProperties: Sendable {
  /// Bytes of a part.
  package var partSize: Int
  /// Bytes from which on an object goes in parts.
  package var threshold: Int
  /// Parts of one object in flight.
  package var partsInFlight: Int
  package var cannedACL: String?
  package var storageClass: String?
  package var tags: [String: String]
  package var isTableTagged: Bool
  package var isNamespaceTagged: Bool
  /// What PutObject and CreateMultipartUpload carry.
  package var encryptionHeaders: [(name: String, value: String)]
  /// What parts and CompleteMultipartUpload carry: SSE-C's. S3 gives every object a checksum, and wants the key where there is one.
  package var partEncryptionHeaders: [(name: String, value: String)]
  /// What a session of a directory bucket is made with: all but SSE-C, which such buckets do not have.
  package var sessionEncryptionHeaders: [(name: String, value: String)] { partEncryptionHeaders.isEmpty ? encryptionHeaders : [] }
  /// Whether bodies carry a checksum even where the environment asks for those that S3 demands only. It is a CRC-32, not Java's MD5.
  package var isChecksumEnabled: Bool
  /// Whether requests that need a checksum carry an MD5 as well, for old servers.
  package var isLegacyMD5: Bool
  package var deleteTags: [String: String]
  /// Keys of one DeleteObjects.
  package var deleteBatchSize: Int
  /// Delete requests in flight.
  package var deletesInFlight: Int
  package var isDeleteEnabled: Bool

  private static let defaultPartSize: Int64 = 32 << 20
  /// Uploads wait for the network, not for the processors that Java's default counts: a machine with two of them has no slower line.
  private static let defaultPartsInFlight: Int64 = 4
  private static let defaultDeleteBatchSize: Int64 = 250
  private static let defaultDeletesInFlight: Int64 = 4
  private static let cannedACLs = [
    "private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control",
  ]

  package init(_ map: PropertyMap) throws(PropertyError) {
    let size = try map.integer("s3.multipart.part-size-bytes", default: Self.defaultPartSize, in: Int64.min...Int64(Int32.max))
    guard size >= Int64(PartPlan.minimumPartSize) else {
      throw PropertyError(
        key: "s3.multipart.part-size-bytes", message: "Minimum multipart upload object size must be larger than 5 MB.")
    }
    partSize = Int(size)
    threshold = Int(Double(size) * (try Self.thresholdFactor(map)))
    partsInFlight = Int(try map.integer("s3.multipart.num-threads", default: Self.defaultPartsInFlight, in: 1...1000))
    cannedACL = map.nonEmpty("s3.acl")
    if let cannedACL, !Self.cannedACLs.contains(cannedACL) {
      throw PropertyError(key: "s3.acl", message: "Cannot support S3 CannedACL \(cannedACL)")
    }
    storageClass = map.nonEmpty("s3.write.storage-class")
    tags = map.prefixed("s3.write.tags.")
    isTableTagged = map.bool("s3.write.table-tag-enabled", default: false)
    isNamespaceTagged = map.bool("s3.write.namespace-tag-enabled", default: false)
    isChecksumEnabled = map.bool("s3.checksum-enabled", default: false)
    isLegacyMD5 = map.bool("client.legacy-md5-plugin-enabled", default: false)
    deleteTags = map.prefixed("s3.delete.tags.")
    let batch = try map.integer("s3.delete.batch-size", default: Self.defaultDeleteBatchSize, in: Int64.min...Int64.max)
    guard (1...1000).contains(batch) else {
      throw PropertyError(key: "s3.delete.batch-size", message: "Deletion batch size must be between 1 and 1000")
    }
    deleteBatchSize = Int(batch)
    deletesInFlight = Int(try map.integer("s3.delete.num-threads", default: Self.defaultDeletesInFlight, in: 1...1000))
    isDeleteEnabled = map.bool("s3.delete-enabled", default: true)
    partEncryptionHeaders = try S3FileIOProperties.encryptionHeaders(map)
    encryptionHeaders = Self.serverSideEncryption(map) + partEncryptionHeaders
  }

  private static func thresholdFactor(_ map: PropertyMap) throws(PropertyError) -> Double {
    let key = "s3.multipart.threshold"
    guard let text = map.string(key) else { return 1.5 }
    guard let factor = Double(text) else { throw PropertyError(key: key, message: "\(key): For input string: \"\(text)\"") }
    guard factor >= 1 else { throw PropertyError(key: key, message: "Multipart threshold factor must be >= to 1.0") }
    // As in Java, a threshold fits 32 bits.
    return min(factor, Double(Int32.max) / Double(defaultPartSize))
  }

  /// The headers of the types whose keys stay with the service. Source: spec/s3fileio.md §6.
  private static func serverSideEncryption(_ map: PropertyMap) -> [(name: String, value: String)] {
    let algorithm: String
    switch (map.nonEmpty("s3.sse.type") ?? "none").lowercased() {
    case "s3": return [("x-amz-server-side-encryption", "AES256")]
    case "kms": algorithm = "aws:kms"
    case "dsse-kms": algorithm = "aws:kms:dsse"
    default: return []
    }
    var headers = [(name: "x-amz-server-side-encryption", value: algorithm)]
    if let key = map.nonEmpty("s3.sse.key") { headers.append(("x-amz-server-side-encryption-aws-kms-key-id", key)) }
    return headers
  }
}
