// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Iceberg
import IcebergAWS
import TestSupport
import Testing

/// Every kind of request that S3FileIO makes, sent to a service that grants each.
struct SampleRequests {
  let sender = ScriptedSender { request, _ in Self.answer(request) }

  /// - Parameters:
  ///   - properties: every kind is sent where they ask for parts of 5 MiB.
  ///   - client: of the sender above.
  /// - Returns: what was sent, and apart from it what copying an object sent.
  func send(_ properties: S3FileIOProperties, through client: S3Client) async throws -> (direct: [AWSRequest], copying: [AWSRequest]) {
    let files = S3FileIO(client: client, properties: properties)
    let options = WriteOptions(table: TableIdentifier(namespace: Namespace(["n"]), name: "t"))
    let place = ObjectLocation(bucket: "b", key: "k")
    let object = try await files.create(place, from: BytesContent([1]), options: options)
    let large = BytesContent([UInt8](repeating: 1, count: 5_242_881))
    _ = try await files.create(ObjectLocation(bucket: "b", key: "l"), from: large, options: options)
    try await files.abandon(upload: "u", at: place)
    _ = try await files.head(place)
    _ = try await files.read(place, etag: "\"e\"", range: 0..<1, into: CollectedBytes())
    _ = try await files.pendingUploads(at: place)
    for position in [ListPosition.start, .token("t"), .key("a")] {
      _ = try await files.list(bucket: "b", prefix: "p/", isDirectory: true, from: position)
    }
    try await files.delete(place, etag: "\"e\"")
    #expect(await files.deleteAll([place, ObjectLocation(bucket: "b", key: "l")]).allSatisfy { $0 == nil })
    let direct = sender.requests
    _ = try await files.copy(object, to: ObjectLocation(bucket: "b", key: "m"), options: options)
    return (direct, Array(sender.requests.dropFirst(direct.count)))
  }

  private static func answer(_ request: AWSRequest) -> ScriptedSender.Answer {
    switch request.operation {
    case "S3.CreateMultipartUpload": .text("<R><UploadId>u</UploadId></R>")
    case "S3.UploadPartCopy", "S3.CompleteMultipartUpload": .text("<R><ETag>\"e\"</ETag></R>")
    case "S3.UploadPart", "S3.PutObject": .init(headers: [("ETag", "\"e\"")])
    case "S3.HeadObject": .init(headers: [("ETag", "\"e\""), ("Content-Length", "1")])
    case "S3.GetObjectTagging": .text("<Tagging><TagSet/></Tagging>")
    case "S3.ListObjectsV2": .text("<ListBucketResult/>")
    case "S3.GetObject":
      .init(status: 206, headers: [("ETag", "\"e\""), ("Content-Range", "bytes 0-0/1"), ("Content-Length", "1")], pieces: [[1]])
    default: .text("<R/>")
    }
  }
}
