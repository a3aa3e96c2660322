// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import HTTP
import WireFormats

/// The S3 calls that writing needs. Source: spec/s3fileio.md §5, §6, §11, §13.
///
/// Bodies go as they are, with `Content-Length` and a CRC-32 in a header; never aws-chunked, which many servers refuse.
/// `headers` are those that the caller's configuration adds to this kind of request.
extension S3Client {
  private static let expectation = (name: "Expect", value: "100-continue")
  /// Bytes of the slowest line that shall not run into a request's deadline, per second.
  private static let slowestBytesPerSecond = 64 * 1024

  /// The longest time for a call with a body of some bytes.
  package static func deadline(forBytes bytes: Int) -> Duration {
    .seconds(60) + .seconds(bytes / slowestBytesPerSecond)
  }

  /// PutObject.
  ///
  /// - Throws: status 412 if the condition does not hold. If the request was sent more than once, the object may be this very one.
  package func putObject(
    bucket: String, key: String, body: [UInt8], condition: S3WriteCondition?, isChecksummed: Bool,
    headers: [(name: String, value: String)] = []
  ) async throws(AWSError) -> S3WriteResult {
    var request = AWSRequest(
      operation: "S3.PutObject", method: "PUT", bucket: bucket, path: Self.path(of: key), headers: headers, body: body,
      deadline: Self.deadline(forBytes: body.count))
    request.headers.append(("Content-Type", Self.contentType))
    if let condition { request.headers.append(condition.header) }
    if isChecksummed { request.headers.append((Self.checksumHeader, Self.checksum(of: body))) }
    if expectsContinue, !body.isEmpty { request.headers.append(Self.expectation) }
    return Self.result(of: try await answer(request))
  }

  /// CreateMultipartUpload.
  ///
  /// - Parameter isChecksummed: whether the parts will carry a CRC-32.
  package func createMultipartUpload(
    bucket: String, key: String, isChecksummed: Bool, headers: [(name: String, value: String)] = []
  ) async throws(AWSError) -> S3MultipartUpload {
    var request = AWSRequest(
      operation: "S3.CreateMultipartUpload", method: "POST", bucket: bucket, path: Self.path(of: key), query: [("uploads", nil)],
      headers: headers)
    request.headers.append(("Content-Type", Self.contentType))
    if isChecksummed { request.headers.append(("x-amz-checksum-algorithm", "CRC32")) }
    let response = try await answer(request)
    let root = try RestXMLProtocol.document(of: response, operation: request.operation)
    guard let id = root["UploadId"]?.text, !id.isEmpty else {
      throw .malformed(response, operation: request.operation, "the answer has no UploadId")
    }
    return S3MultipartUpload(bucket: bucket, key: key, id: id, date: Self.date(of: response))
  }

  /// UploadPart.
  ///
  /// - Parameter number: 1 to 10,000.
  package func uploadPart(
    _ upload: S3MultipartUpload, number: Int, body: [UInt8], isChecksummed: Bool, headers: [(name: String, value: String)] = []
  ) async throws(AWSError) -> S3UploadedPart {
    var request = AWSRequest(
      operation: "S3.UploadPart", method: "PUT", bucket: upload.bucket, path: Self.path(of: upload.key),
      query: [("partNumber", "\(number)"), ("uploadId", upload.id)], headers: headers, body: body,
      deadline: Self.deadline(forBytes: body.count))
    let checksum = isChecksummed ? Self.checksum(of: body) : nil
    if let checksum { request.headers.append((Self.checksumHeader, checksum)) }
    if expectsContinue, !body.isEmpty { request.headers.append(Self.expectation) }
    let response = try await answer(request)
    guard let etag = response.http.header("ETag"), !etag.isEmpty else {
      throw .malformed(response, operation: request.operation, "the answer has no ETag")
    }
    return S3UploadedPart(number: number, etag: etag, crc32: checksum)
  }

  /// UploadPartCopy: a part out of another object's bytes, which stay with the service.
  ///
  /// - Throws: status 412 if the source is not the version asked for.
  package func uploadPartCopy(
    _ upload: S3MultipartUpload, number: Int, source: S3CopySource, range: Range<Int64>, headers: [(name: String, value: String)] = []
  ) async throws(AWSError) -> S3UploadedPart {
    var request = AWSRequest(
      operation: "S3.UploadPartCopy", method: "PUT", bucket: upload.bucket, path: Self.path(of: upload.key),
      query: [("partNumber", "\(number)"), ("uploadId", upload.id)],
      headers: headers + [
        ("x-amz-copy-source", Self.copySource(source)), ("x-amz-copy-source-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"),
        ("x-amz-copy-source-if-match", source.etag),
      ],
      // The service copies at some 10 MiB/s at the least, and answers only when it is done.
      deadline: .seconds(120) + .seconds(Int64(range.count) / (10 << 20)))
    if source.bucket == upload.bucket { request.commonPrefix = Self.commonPrefix(of: [source.key, upload.key]) }
    let response = try await answer(request)
    let root = try RestXMLProtocol.document(of: response, operation: request.operation)
    guard let etag = root["ETag"]?.text, !etag.isEmpty else {
      throw .malformed(response, operation: request.operation, "the answer has no ETag")
    }
    return S3UploadedPart(number: number, etag: etag, crc32: root["ChecksumCRC32"]?.text)
  }

  /// CompleteMultipartUpload. A 200 that holds an error counts as one.
  ///
  /// - Parameter parts: in ascending order.
  /// - Throws: status 412 if the condition does not hold; code `NoSuchUpload` if there is no such upload, also after an earlier send was done.
  package func completeMultipartUpload(
    _ upload: S3MultipartUpload, parts: [S3UploadedPart], condition: S3WriteCondition?, headers: [(name: String, value: String)] = []
  ) async throws(AWSError) -> S3WriteResult {
    var body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for part in parts {
      body += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(Self.escaped(part.etag))</ETag>"
      if let crc32 = part.crc32 { body += "<ChecksumCRC32>\(crc32)</ChecksumCRC32>" }
      body += "</Part>"
    }
    body += "</CompleteMultipartUpload>"
    var request = AWSRequest(
      operation: "S3.CompleteMultipartUpload", method: "POST", bucket: upload.bucket, path: Self.path(of: upload.key),
      query: [("uploadId", upload.id)], headers: headers + [("Content-Type", "application/xml")], body: Array(body.utf8),
      // Putting thousands of parts together takes minutes.
      deadline: .seconds(600))
    if let condition { request.headers.append(condition.header) }
    let response = try await answer(request)
    let root = try RestXMLProtocol.document(of: response, operation: request.operation)
    return S3WriteResult(
      etag: root["ETag"]?.text ?? "", date: upload.date ?? Self.date(of: response), requestID: response.requestID,
      attempts: response.attempts)
  }

  /// AbortMultipartUpload. An upload that is not there counts as aborted.
  package func abortMultipartUpload(_ upload: S3MultipartUpload) async throws(AWSError) {
    let request = AWSRequest(
      operation: "S3.AbortMultipartUpload", method: "DELETE", bucket: upload.bucket, path: Self.path(of: upload.key),
      query: [("uploadId", upload.id)])
    do {
      _ = try await answer(request)
    } catch {
      guard error.status == 404, error.code != "NoSuchBucket" else { throw error }
    }
  }

  /// DeleteObject. A missing object counts as deleted.
  ///
  /// - Parameters:
  ///   - etag: the version that may be deleted; nil for any.
  ///   - versionID: removes this version for good, or this delete marker; nil removes the current object.
  /// - Returns: the delete marker that took the object's place in a bucket with versions, if one did.
  /// - Throws: status 412 if the object is another version.
  @discardableResult
  package func deleteObject(
    bucket: String, key: String, ifMatch etag: String?, versionID: String? = nil
  ) async throws(AWSError) -> String? {
    var request = AWSRequest(operation: "S3.DeleteObject", method: "DELETE", bucket: bucket, path: Self.path(of: key))
    if let versionID { request.query.append(("versionId", versionID)) }
    if let etag { request.headers.append(("If-Match", etag)) }
    do {
      let response = try await answer(request)
      return response.http.header("x-amz-delete-marker") == "true" ? response.http.header("x-amz-version-id") : nil
    } catch {
      guard error.status == 404, error.code != "NoSuchBucket" else { throw error }
      return nil
    }
  }

  /// GetObjectTagging.
  package func getObjectTagging(bucket: String, key: String) async throws(AWSError) -> [(key: String, value: String)] {
    let request = AWSRequest(
      operation: "S3.GetObjectTagging", method: "GET", bucket: bucket, path: Self.path(of: key), query: [("tagging", nil)])
    let root = try RestXMLProtocol.document(of: try await answer(request), operation: request.operation)
    return root["TagSet"]?.all("Tag").map { ($0["Key"]?.text ?? "", $0["Value"]?.text ?? "") } ?? []
  }

  /// PutObjectTagging: puts these tags in place of all that the object has.
  package func putObjectTagging(bucket: String, key: String, tags: [(key: String, value: String)]) async throws(AWSError) {
    var body = "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>"
    for tag in tags {
      body += "<Tag><Key>\(Self.escaped(tag.key))</Key><Value>\(Self.escaped(tag.value))</Value></Tag>"
    }
    body += "</TagSet></Tagging>"
    let bytes = Array(body.utf8)
    _ = try await answer(
      AWSRequest(
        operation: "S3.PutObjectTagging", method: "PUT", bucket: bucket, path: Self.path(of: key), query: [("tagging", nil)],
        headers: [("Content-Type", "application/xml")] + requiredChecksum(of: bytes, bucket: bucket), body: bytes))
  }

  /// For requests that S3 takes with a checksum only.
  func requiredChecksum(of body: [UInt8], bucket: String) -> [(name: String, value: String)] {
    var headers = [(name: Self.checksumHeader, value: Self.checksum(of: body))]
    // Directory buckets know no MD5.
    if checksums.isLegacyMD5, !DirectoryBucketName.isDirectory(bucket), let digest = MD5.digest(body) {
      headers.append(("Content-MD5", Base64.encode(digest)))
    }
    return headers
  }

  private static let contentType = "application/octet-stream"
  private static let checksumHeader = "x-amz-checksum-crc32"

  private static func checksum(of body: [UInt8]) -> String {
    Base64.encode(CRC32Checksum.checksum(body))
  }

  private static func result(of response: AWSResponse) -> S3WriteResult {
    S3WriteResult(
      etag: response.http.header("ETag") ?? "", date: date(of: response), requestID: response.requestID, attempts: response.attempts,
      versionID: response.http.header("x-amz-version-id"))
  }

  private static func date(of response: AWSResponse) -> Int64? {
    response.http.header("Date").flatMap(Timestamp.nanoseconds(httpDate:))
  }

  /// An access point's objects are named below its ARN, others below the bucket's name.
  private static func copySource(_ source: S3CopySource) -> String {
    let key = PercentEncoding.path(source.key)
    return source.bucket.hasPrefix("arn:") ? "\(PercentEncoding.path(source.bucket))/object/\(key)" : "\(source.bucket)/\(key)"
  }

  static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\r": escaped += "&#13;"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }
}
