// SPDX-License-Identifier: Apache-2.0

import AWSCore
import HTTP
import WireFormats

extension S3ObjectPage {
  /// Reads a `ListBucketResult`.
  ///
  /// Texts are decoded only where the answer says `EncodingType` url: servers that do not know the parameter send them plain.
  init(answer response: AWSResponse, asked request: AWSRequest, after token: String?) throws(AWSError) {
    func malformed(_ message: String) -> AWSError {
      AWSError(
        kind: .malformed, code: "MalformedListing", message: message, operation: request.operation, status: response.http.status,
        requestID: response.requestID, attempts: response.attempts)
    }
    let root = try RestXMLProtocol.document(of: response, operation: request.operation)
    guard root.name == "ListBucketResult" else {
      throw malformed("The answer to a bucket listing is a \(root.name) document: is the endpoint an S3 service?")
    }
    let isEncoded = root["EncodingType"]?.text.lowercased() == "url"
    // S3 writes a space as `+` and a plus as `%2B`.
    func decoded(_ text: String) -> String {
      isEncoded ? PercentEncoding.decode(text, plusIsSpace: true) : text
    }
    objects = []
    for contents in root.all("Contents") {
      guard let key = contents["Key"]?.text, let size = contents["Size"].flatMap({ Int64($0.text) }), size >= 0 else {
        throw malformed("An entry of a bucket listing has no key or no size.")
      }
      objects.append(
        S3ObjectSummary(
          key: decoded(key), size: size, etag: contents["ETag"]?.text ?? "",
          lastModified: contents["LastModified"].flatMap { Timestamp.nanoseconds(iso8601: $0.text) }))
    }
    commonPrefixes = root.all("CommonPrefixes").compactMap { $0["Prefix"]?.text }.map(decoded)
    guard root["IsTruncated"]?.text == "true" else { return }
    guard let next = root["NextContinuationToken"]?.text, !next.isEmpty, next != token else {
      throw malformed("A bucket listing is cut short and gives no way to go on: does the endpoint support ListObjectsV2?")
    }
    nextContinuationToken = next
  }
}
