// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Iceberg
import IcebergAWS
import Testing

/// Which header stands on which kind of request: the table of spec/s3fileio.md §5 and §6, with our own mark, condition and checksums.
@Suite("S3FileIO headers of each request")
struct S3RequestHeaderTests {
  private static let sse = "x-amz-server-side-encryption"
  private static let customerKey = ["\(sse)-customer-algorithm", "\(sse)-customer-key", "\(sse)-customer-key-MD5"].map { $0.lowercased() }
  private static let copyKey = customerKey.map { "x-amz-copy-source-" + $0.dropFirst("x-amz-".count) }
  private static let objectHeaders = ["x-amz-acl", "x-amz-meta-bergfs-upload", "x-amz-storage-class", "x-amz-tagging"]
  private static let properties = [
    "s3.acl": "private", "s3.write.storage-class": "STANDARD_IA", "s3.write.tags.a": "1", "s3.write.table-tag-enabled": "true",
    "s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1.0", "s3.delete.tags.gone": "yes",
  ]

  /// One encryption and its headers on PutObject and CreateMultipartUpload, and on what touches an object's bytes otherwise.
  struct Encryption: Sendable, CustomTestStringConvertible {
    var properties: [String: String]
    var creating: [String]
    var touching: [String] = []
    var testDescription: String { properties["s3.sse.type"] ?? "none" }
  }

  private static let encryptions = [
    Encryption(properties: [:], creating: []),
    Encryption(properties: ["s3.sse.type": "none"], creating: []),
    Encryption(properties: ["s3.sse.type": "s3"], creating: [sse]),
    Encryption(properties: ["s3.sse.type": "kms"], creating: [sse]),
    Encryption(properties: ["s3.sse.type": "kms", "s3.sse.key": "key"], creating: [sse, "\(sse)-aws-kms-key-id"]),
    Encryption(properties: ["s3.sse.type": "dsse-kms", "s3.sse.key": "key"], creating: [sse, "\(sse)-aws-kms-key-id"]),
    Encryption(
      properties: ["s3.sse.type": "custom", "s3.sse.key": "a2V5", "s3.sse.md5": "bWQ1"], creating: customerKey, touching: customerKey),
  ]

  @Test("Every kind of request carries what belongs to it and nothing else", arguments: encryptions, [true, false])
  func table(_ encryption: Encryption, isChecksummed: Bool) async throws {
    let sent = try await headers(encryption.properties, isChecksummed: isChecksummed)
    let body = isChecksummed ? ["x-amz-checksum-crc32"] : []
    let expected: [String: [String]] = [
      "PutObject": Self.objectHeaders + encryption.creating + body + ["if-none-match", "content-type"],
      "CreateMultipartUpload": Self.objectHeaders + encryption.creating + (isChecksummed ? ["x-amz-checksum-algorithm"] : [])
        + ["content-type"],
      "UploadPart": encryption.touching + body,
      "CompleteMultipartUpload": encryption.touching + ["if-none-match", "content-type"],
      "AbortMultipartUpload": [],
      // Of a copy the parts carry no checksum of ours, since nobody here sees the bytes.
      "copy CreateMultipartUpload": Self.objectHeaders + encryption.creating + ["content-type"],
      "copy UploadPartCopy": encryption.touching + (encryption.touching.isEmpty ? [] : Self.copyKey)
        + ["x-amz-copy-source", "x-amz-copy-source-range", "x-amz-copy-source-if-match"],
      "copy CompleteMultipartUpload": encryption.touching + ["if-none-match", "content-type"],
      "HeadObject": encryption.touching,
      "GetObject": encryption.touching + ["range", "if-match", "x-amz-checksum-mode"],
      "GetObjectTagging": [],
      "PutObjectTagging": ["x-amz-checksum-crc32", "content-type"],
      "DeleteObject": ["if-match"],
      "DeleteObjects": ["x-amz-checksum-crc32", "content-type"],
      "ListMultipartUploads": [], "ListObjectsV2": [],
    ]
    #expect(Set(sent.keys) == Set(expected.keys))
    for (kind, names) in expected { #expect(sent[kind]?.keys.sorted() == names.sorted(), "\(kind)") }
  }

  @Test("The values are the service's words")
  func values() async throws {
    let words = [("s3", "AES256"), ("kms", "aws:kms"), ("dsse-kms", "aws:kms:dsse"), ("DSSE-KMS", "aws:kms:dsse")]
    for (type, word) in words {
      let sent = try await headers(["s3.sse.type": type, "s3.sse.key": "key"], isChecksummed: true)
      #expect(sent["PutObject"]?[Self.sse] == word && sent["CreateMultipartUpload"]?[Self.sse] == word)
      #expect(sent["PutObject"]?["\(Self.sse)-aws-kms-key-id"] == (type == "s3" ? nil : "key"))
    }
    let custom = try await headers(["s3.sse.type": "custom", "s3.sse.key": "a2V5", "s3.sse.md5": "bWQ1"], isChecksummed: true)
    for kind in ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "copy UploadPartCopy", "HeadObject"] {
      #expect(Self.customerKey.map { custom[kind]?[$0] } == ["AES256", "a2V5", "bWQ1"], "\(kind)")
    }
    #expect(Self.copyKey.map { custom["copy UploadPartCopy"]?[$0] } == ["AES256", "a2V5", "bWQ1"])
    let put = custom["PutObject"]
    #expect(put?["x-amz-acl"] == "private" && put?["x-amz-storage-class"] == "STANDARD_IA")
    #expect(put?["x-amz-tagging"] == "a=1&iceberg.table=t")
  }

  @Test("s3.checksum-enabled puts checksums on bodies whatever the environment asks for")
  func checksumEnabled() async throws {
    let sent = try await headers(["s3.checksum-enabled": "true"], isChecksummed: false)
    #expect(sent["PutObject"]?["x-amz-checksum-crc32"] != nil && sent["UploadPart"]?["x-amz-checksum-crc32"] != nil)
    #expect(sent["CreateMultipartUpload"]?["x-amz-checksum-algorithm"] == "CRC32")
  }

  /// Sends each kind of request once, and gives the headers of each by lower-case name.
  private func headers(_ encryption: [String: String], isChecksummed: Bool) async throws -> [String: [String: String]] {
    let properties = try S3FileIOProperties(Self.properties.merging(encryption) { $1 })
    let samples = SampleRequests()
    let client = S3Client(sender: samples.sender, checksums: S3Checksums(isSentWhenSupported: isChecksummed))
    let (direct, copying) = try await samples.send(properties, through: client)
    var sent: [String: [String: String]] = [:]
    for (prefix, requests) in [("", direct), ("copy ", copying)] {
      for request in requests {
        sent[prefix + request.operation.dropFirst("S3.".count)] = Dictionary(
          request.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
      }
    }
    return sent
  }
}
