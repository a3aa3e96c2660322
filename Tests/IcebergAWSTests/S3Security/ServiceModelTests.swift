// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Iceberg
import IcebergAWS
import TestSupport
import Testing
import WireFormats

/// Every request of S3 and S3 Control that there is, in every variety of encryption, held against botocore's service models.
@Suite("S3 requests against the service models of AWS")
struct ServiceModelTests {
  private static let everything = [
    "s3.acl": "bucket-owner-full-control", "s3.write.storage-class": "INTELLIGENT_TIERING", "s3.write.tags.a": "1",
    "s3.write.table-tag-enabled": "true", "s3.write.namespace-tag-enabled": "true", "s3.delete.tags.gone": "yes",
    "s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1.0", "s3.checksum-enabled": "true",
    "client.legacy-md5-plugin-enabled": "true", "s3.requester-pays": "true",
  ]

  private static let encryptions: [[String: String]] = [
    [:], ["s3.sse.type": "s3"], ["s3.sse.type": "kms", "s3.sse.key": "k"], ["s3.sse.type": "dsse-kms", "s3.sse.key": "k"],
    ["s3.sse.type": "custom", "s3.sse.key": "a2V5", "s3.sse.md5": "bWQ1"],
  ]

  @Test(
    "Every method, path, query item, header and value is one that the model of the operation knows, and none that it demands is missing")
  func known() async throws {
    var requests: [AWSRequest] = []
    for encryption in Self.encryptions { requests += try await Self.requests(Self.everything.merging(encryption) { $1 }) }
    let lines = requests.flatMap { Self.json($0).serialized() + [UInt8(ascii: "\n")] }
    let verdicts = try await ProjectPython.run("IcebergAWSTests/S3Security/Support/check_against_model.py", input: lines)
      .split(separator: "\n")
    #expect(verdicts.count == requests.count)
    for (request, verdict) in zip(requests, verdicts) { #expect(verdict == "ok", "\(request.operation) \(request.headers)") }
    let operations = Set(requests.map(\.operation))
    #expect(
      operations == [
        "S3.GetObject", "S3.HeadObject", "S3.HeadBucket", "S3.ListObjectsV2", "S3.PutObject", "S3.CreateMultipartUpload", "S3.UploadPart",
        "S3.UploadPartCopy", "S3.CompleteMultipartUpload", "S3.AbortMultipartUpload", "S3.ListMultipartUploads", "S3.DeleteObject",
        "S3.DeleteObjects", "S3.GetObjectTagging", "S3.PutObjectTagging", "S3.CreateSession", "S3Control.GetDataAccess",
        "S3Control.GetAccessGrantsInstanceForPrefix",
      ])
  }

  @Test("s3.requester-pays says so with every request that takes the header, and with no other; without it none does")
  func requesterPays() async throws {
    let paid = try await Self.requests(["s3.requester-pays": "true", "s3.delete.tags.gone": "yes"]).filter { $0.bucket == "b" }
    let header = "x-amz-request-payer"
    #expect(Set(paid.filter { $0.header(header) == nil }.map(\.operation)) == ["S3.HeadBucket", "S3.CreateSession"])
    #expect(Set(paid.compactMap { $0.header(header) }) == ["requester"])
    #expect(try await Self.requests([:]).allSatisfy { $0.header(header) == nil })
  }

  /// Sends each kind of request.
  private static func requests(_ properties: [String: String]) async throws -> [AWSRequest] {
    let samples = SampleRequests()
    let settings = try S3FileIOProperties(properties)
    let client = S3Client(
      sender: samples.sender, checksums: S3Checksums(isLegacyMD5: settings.write.isLegacyMD5),
      isRequesterPaying: settings.isRequesterPaying)
    _ = try await samples.send(settings, through: client)
    _ = try await client.headBucket("b")
    _ = try? await client.createSession(bucket: "b", headers: settings.write.sessionEncryptionHeaders)
    let control = S3ControlClient(sender: samples.sender)
    _ = try? await control.accessGrantsAccount(callerAccount: "1", prefix: "s3://b")
    _ = try? await control.dataAccess(account: "1", target: "s3://b/k*", permission: .readWrite)
    return samples.sender.requests
  }

  private static func json(_ request: AWSRequest) -> JSONValue {
    func pairs(_ list: [(name: String, value: String?)]) -> JSONValue {
      .array(list.map { .array([.string($0.name), $0.value.map { .string($0) } ?? .null]) })
    }
    return [
      "operation": .string(request.operation), "method": .string(request.method), "path": .string(request.path),
      "query": pairs(request.query), "headers": pairs(request.headers.map { ($0.name, $0.value) }),
    ]
  }
}
