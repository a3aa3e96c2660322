// SPDX-License-Identifier: Apache-2.0

/// What must hold at the key of a write.
package enum S3WriteCondition: Sendable, Hashable {
  /// `If-None-Match: *`: there is no object yet.
  case absent
  /// `If-Match`: the object there is this version.
  case version(etag: String)

  var header: (name: String, value: String) {
    switch self {
    case .absent: ("If-None-Match", "*")
    case .version(let etag): ("If-Match", etag)
    }
  }
}

/// What the answer to a write says of the object.
package struct S3WriteResult: Sendable, Hashable {
  /// As the server writes it; empty if it did not say.
  package var etag: String
  /// The service's clock when it answered, nanoseconds since 1970; nil if it did not say.
  package var date: Int64?
  package var requestID: String?
  /// Sends of the request.
  package var attempts: Int
  /// Only in a bucket with versions.
  package var versionID: String?
}

/// How bodies are protected, beyond what S3 demands. Source: spec/s3fileio.md §13.
package struct S3Checksums: Sendable, Hashable {
  /// Whether requests carry a CRC-32 that need none: `request_checksum_calculation`.
  package var isSentWhenSupported: Bool
  /// `Content-MD5` on the requests that need a checksum, for servers that know no other.
  package var isLegacyMD5: Bool
  /// Whether GetObject asks for the object's checksum, so that it can be compared: `response_checksum_validation`.
  package var isAskedFor: Bool

  package init(isSentWhenSupported: Bool = true, isLegacyMD5: Bool = false, isAskedFor: Bool = true) {
    self.isSentWhenSupported = isSentWhenSupported
    self.isLegacyMD5 = isLegacyMD5
    self.isAskedFor = isAskedFor
  }
}

/// An entry of ListMultipartUploads.
package struct S3PendingUpload: Sendable, Hashable {
  package var id: String
  /// Nanoseconds since 1970, cut to seconds by S3; 0 if missing or unreadable.
  package var initiated: Int64
}

/// A part that S3 has taken, as CompleteMultipartUpload names it.
package struct S3UploadedPart: Sendable, Hashable {
  /// 1 to 10,000.
  package var number: Int
  /// With quotes.
  package var etag: String
  /// Base64 of the part's CRC-32; nil where none was sent.
  package var crc32: String?

  package init(number: Int, etag: String, crc32: String? = nil) {
    self.number = number
    self.etag = etag
    self.crc32 = crc32
  }
}

/// A multipart upload that S3 has begun.
package struct S3MultipartUpload: Sendable, Hashable {
  package var bucket: String
  package var key: String
  package var id: String
  /// The service's clock at the start, which is the later object's time; nanoseconds since 1970.
  package var date: Int64?

  package init(bucket: String, key: String, id: String, date: Int64? = nil) {
    self.bucket = bucket
    self.key = key
    self.id = id
    self.date = date
  }
}

/// A version of an object that parts are copied from.
package struct S3CopySource: Sendable, Hashable {
  /// Name, alias, or ARN of an access point.
  package var bucket: String
  package var key: String
  /// Sent as `x-amz-copy-source-if-match`.
  package var etag: String

  package init(bucket: String, key: String, etag: String) {
    self.bucket = bucket
    self.key = key
    self.etag = etag
  }
}
