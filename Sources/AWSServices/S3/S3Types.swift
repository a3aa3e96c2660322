// SPDX-License-Identifier: Apache-2.0

/// What the headers of a GetObject or HeadObject answer say of the object. Source: spec/s3fileio.md §11.
package struct S3ObjectHead: Sendable, Hashable {
  /// HTTP status: 200, or 206 for a range.
  package var status: Int
  /// `Content-Length`: bytes of the object (HEAD) or of the answer's body (GET); nil if the server did not say.
  package var contentLength: Int64?
  /// As the server writes it; empty if it did not say.
  package var etag: String
  /// Nanoseconds since 1970; nil if missing or unreadable.
  package var lastModified: Int64?
  package var requestID: String?
  /// User metadata by lower-case name without its prefix; only HeadObject fills it.
  package var metadata: [String: String] = [:]

  /// What headers of user metadata start with.
  package static let metadataPrefix = "x-amz-meta-"
}

/// One object of a listing.
package struct S3ObjectSummary: Sendable, Hashable {
  /// Decoded.
  package var key: String
  /// Bytes.
  package var size: Int64
  /// As the server writes it, with quotes.
  package var etag: String
  /// Nanoseconds since 1970; nil if missing or unreadable.
  package var lastModified: Int64?
}

/// One page of ListObjectsV2.
package struct S3ObjectPage: Sendable, Hashable {
  package var objects: [S3ObjectSummary]
  /// Decoded.
  package var commonPrefixes: [String]
  /// Nil after the last page.
  package var nextContinuationToken: String?
}
