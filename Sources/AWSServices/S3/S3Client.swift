// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import HTTP
import WireFormats

/// The S3 calls that Iceberg needs, reading; those that write stand in `S3Client+Writing.swift`. Source: spec/s3fileio.md §11.
///
/// Bucket names are passed on as they are: addressing, access points among it, is the resolver's. Keys are raw text.
package struct S3Client: Sendable {
  private let sender: any AWSRequestSender
  package let checksums: S3Checksums
  /// Whether requests say that their sender pays for them, as buckets of requester pays demand.
  package let isRequesterPaying: Bool
  /// Whether the bodies of objects and parts wait for the service to say that it takes them.
  package let expectsContinue: Bool

  package init(
    sender: any AWSRequestSender, checksums: S3Checksums = S3Checksums(), isRequesterPaying: Bool = false, expectsContinue: Bool = false
  ) {
    self.sender = sender
    self.checksums = checksums
    self.isRequesterPaying = isRequesterPaying
    self.expectsContinue = expectsContinue
  }

  /// GetObject into a sink.
  ///
  /// - Parameters:
  ///   - range: bytes of the object, not empty; nil for all without a `Range` header.
  ///   - etag: sent as `If-Match`.
  ///   - headers: further headers, those of SSE-C.
  ///   - sink: takes the body of a 200 or 206.
  /// - Throws: status 412 when the etag does not match, 416 when the range starts past the end, 404 when there is no such key.
  package func getObject(
    bucket: String, key: String, range: Range<Int64>?, ifMatch etag: String?, headers: [(name: String, value: String)] = [],
    deadline: Duration, sink: any HTTPBodySink
  ) async throws(AWSError) -> S3ObjectHead {
    var request = AWSRequest(
      operation: "S3.GetObject", method: "GET", bucket: bucket, path: Self.path(of: key), headers: headers, deadline: deadline)
    if let range, !range.isEmpty {
      request.headers.append(("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
    }
    if let etag {
      request.headers.append(("If-Match", etag))
    }
    if checksums.isAskedFor { request.headers.append(("x-amz-checksum-mode", "ENABLED")) }
    return Self.head(of: try await answer(request, sink: sink))
  }

  /// HeadObject. An error answer has no body, so a missing bucket cannot be told from a missing key.
  package func headObject(
    bucket: String, key: String, headers: [(name: String, value: String)] = []
  ) async throws(AWSError) -> S3ObjectHead {
    let request = AWSRequest(operation: "S3.HeadObject", method: "HEAD", bucket: bucket, path: Self.path(of: key), headers: headers)
    let response = try await answer(request)
    var head = Self.head(of: response)
    for (name, value) in response.http.headers where name.lowercased().hasPrefix(S3ObjectHead.metadataPrefix) {
      head.metadata[String(name.lowercased().dropFirst(S3ObjectHead.metadataPrefix.count))] = value
    }
    return head
  }

  /// HeadBucket: success means that the bucket is there and may be listed.
  ///
  /// - Returns: the bucket's region, if the server says.
  package func headBucket(_ bucket: String) async throws(AWSError) -> String? {
    let request = AWSRequest(operation: "S3.HeadBucket", method: "HEAD", bucket: bucket)
    return try await answer(request).http.header(Self.bucketRegionHeader)
  }

  /// The region of a bucket, which S3 names in refusals of HeadBucket too. Nil where neither answer nor error names one.
  package func region(ofBucket bucket: String) async -> String? {
    do {
      return try await headBucket(bucket)
    } catch {
      return error.headers.first { $0.name.lowercased() == Self.bucketRegionHeader }?.value
    }
  }

  /// One page of ListObjectsV2, asked for with `encoding-type=url` so that keys with any character survive XML.
  ///
  /// - Parameter delimiter: groups keys into common prefixes; nil for a flat listing.
  package func listObjectsV2(
    bucket: String, prefix: String, delimiter: String?, from position: S3ListPosition
  ) async throws(AWSError) -> S3ObjectPage {
    var request = AWSRequest(
      operation: "S3.ListObjectsV2", method: "GET", bucket: bucket,
      query: [("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix)])
    if let delimiter {
      request.query.append(("delimiter", delimiter))
    }
    var token: String?
    switch position {
    case .start: break
    case .continuationToken(let text):
      token = text
      request.query.append(("continuation-token", text))
    case .startAfter(let key): request.query.append(("start-after", key))
    }
    let response = try await answer(request)
    return try S3ObjectPage(answer: response, asked: request, after: token)
  }

  package static let bucketRegionHeader = "x-amz-bucket-region"

  /// Those that do not take the header, as the service model says.
  private static let neverPaid: Set<String> = ["S3.HeadBucket", "S3.CreateSession"]

  /// Sends, and turns every status outside 2xx into an error.
  func answer(_ request: AWSRequest, sink: (any HTTPBodySink)? = nil) async throws(AWSError) -> AWSResponse {
    guard isRequesterPaying, !Self.neverPaid.contains(request.operation) else {
      return try Self.checked(try await sender.send(request, sink: sink), request)
    }
    var paid = request
    paid.headers.append(("x-amz-request-payer", "requester"))
    return try Self.checked(try await sender.send(paid, sink: sink), request)
  }

  static func path(of key: String) -> String {
    "/" + PercentEncoding.path(key)
  }

  private static func head(of response: AWSResponse) -> S3ObjectHead {
    let http = response.http
    return S3ObjectHead(
      status: http.status, contentLength: http.header("Content-Length").flatMap { Int64($0) }.flatMap { $0 < 0 ? nil : $0 },
      etag: http.header("ETag") ?? "", lastModified: http.header("Last-Modified").flatMap(Timestamp.nanoseconds(httpDate:)),
      requestID: response.requestID)
  }

  /// A sender may hand on 304, 412 and 416 as answers; to the callers of these calls they are errors like the others.
  private static func checked(_ response: AWSResponse, _ request: AWSRequest) throws(AWSError) -> AWSResponse {
    let status = response.http.status
    guard !(200..<300).contains(status) else { return response }
    let (kind, code, message): (AWSError.Kind, String, String) =
      switch status {
      case 412: (.conditionFailed, "PreconditionFailed", "The object is not the version that was asked for.")
      case 416: (.badRequest, "InvalidRange", "The range starts past the end of the object.")
      default: (.malformed, "\(status)", "The service answered with status \(status).")
      }
    throw AWSError(
      kind: kind, code: code, message: message, operation: request.operation, status: status, requestID: response.requestID,
      attempts: response.attempts, headers: response.http.headers)
  }
}
