// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Iceberg
import IcebergAWS
import Synchronization
import Testing

@Suite("S3FileIO writing")
struct S3FileIOWriteTests {
  private let location = ObjectLocation(bucket: "b", key: "data/ü f")
  private let table = TableIdentifier(namespace: Namespace(["db1"]), name: "t1")

  private static let properties = [
    "s3.write.tags.team": "blue & green", "s3.write.table-tag-enabled": "true", "s3.write.namespace-tag-enabled": "true",
    "s3.write.storage-class": "STANDARD_IA", "s3.acl": "bucket-owner-full-control", "s3.sse.type": "kms", "s3.sse.key": "key-1",
    "s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1.0",
  ]

  @Test("A PutObject is create-only and carries mark, checksum, tags, storage class, ACL and encryption")
  func putHeaders() async throws {
    let sender = ScriptedSender([.init(headers: [("ETag", "\"e\""), ("Date", "Sun, 22 Nov 2026 10:00:00 GMT")])])
    let options = WriteOptions(table: table)
    let attributes = try await files(sender, Self.properties).create(location, from: BytesContent(Array("hello".utf8)), options: options)
    #expect(attributes.etag == "\"e\"" && attributes.size == 5 && attributes.modified == 1_795_341_600_000_000_000)
    let request = try #require(sender.requests.first)
    #expect(sender.requests.count == 1)
    #expect(request.method == "PUT" && request.path == "/data/%C3%BC%20f" && request.body == Array("hello".utf8))
    #expect(request.header("If-None-Match") == "*")
    #expect(request.header("x-amz-checksum-crc32") == "NhCmhg==")
    #expect(request.header("Content-Encoding") == nil)
    #expect(request.header("x-amz-meta-bergfs-upload") == options.mark.text)
    #expect(request.header("x-amz-tagging") == "iceberg.namespace=db1&iceberg.table=t1&team=blue%20%26%20green")
    #expect(request.header("x-amz-storage-class") == "STANDARD_IA")
    #expect(request.header("x-amz-acl") == "bucket-owner-full-control")
    #expect(request.header("x-amz-server-side-encryption") == "aws:kms")
    #expect(request.header("x-amz-server-side-encryption-aws-kms-key-id") == "key-1")
  }

  @Test("Of a multipart upload only its beginning carries the object's headers, and only its end the condition")
  func multipartHeaders() async throws {
    let sender = multipartSender()
    let options = WriteOptions(table: table)
    let size = 2 * 5_242_880 + 1
    _ = try await files(sender, Self.properties).create(
      location, from: BytesContent([UInt8](repeating: 1, count: size)), options: options)
    let create = try #require(sender.requests.first)
    #expect(create.operation == "S3.CreateMultipartUpload")
    #expect(create.header("x-amz-meta-bergfs-upload") == options.mark.text)
    #expect(create.header("x-amz-checksum-algorithm") == "CRC32")
    #expect(create.header("x-amz-tagging") != nil && create.header("x-amz-acl") != nil && create.header("x-amz-storage-class") != nil)
    #expect(create.header("x-amz-server-side-encryption") == "aws:kms")
    #expect(create.header("If-None-Match") == nil)
    let parts = sender.requests.filter { $0.operation == "S3.UploadPart" }
    #expect(parts.map(\.body.count).sorted() == [1, 5_242_880, 5_242_880])
    for part in parts {
      #expect(part.headers.map(\.name) == ["x-amz-checksum-crc32"])
      #expect(part.queryValue("uploadId") == "u")
    }
    let complete = try #require(sender.requests.last)
    #expect(complete.operation == "S3.CompleteMultipartUpload")
    #expect(complete.header("If-None-Match") == "*")
    let body = String(decoding: complete.body, as: UTF8.self)
    #expect(body.contains("<Part><PartNumber>1</PartNumber><ETag>\"p1\"</ETag><ChecksumCRC32>"))
    #expect(body.components(of: "<PartNumber>") == 3)
  }

  @Test("SSE-C headers go with the object's requests, the parts, and the checksummed completion, but not with an abort")
  func customerKeys() async throws {
    let properties = [
      "s3.sse.type": "custom", "s3.sse.key": "a2V5", "s3.sse.md5": "bWQ1", "s3.multipart.part-size-bytes": "5242880",
      "s3.multipart.threshold": "1.0",
    ]
    let header = "x-amz-server-side-encryption-customer-key"
    let sender = multipartSender()
    _ = try await files(sender, properties).create(
      location, from: BytesContent([UInt8](repeating: 1, count: 5_242_881)), options: WriteOptions())
    #expect(sender.requests.count == 4)
    #expect(sender.requests.allSatisfy { $0.header(header) == "a2V5" })
    let failing = ScriptedSender { request, _ in
      switch request.operation {
      case "S3.CreateMultipartUpload": .text("<R><UploadId>u</UploadId></R>")
      case "S3.UploadPart": .failure(.accessDenied, code: "AccessDenied", status: 403)
      default: .init(status: 204)
      }
    }
    await #expect(throws: FileIOError.self) {
      _ = try await files(failing, properties).create(
        location, from: BytesContent([UInt8](repeating: 1, count: 5_242_881)), options: WriteOptions())
    }
    #expect(failing.requests.last?.operation == "S3.AbortMultipartUpload")
    #expect(failing.requests.last?.header(header) == nil)
  }

  @Test("A server-side copy names version and ranges of its source, and moves no bytes")
  func copy() async throws {
    let sender = multipartSender()
    let source = ObjectAttributes(
      location: ObjectLocation(bucket: "src", key: "a b/ü"), size: (512 << 20) + 1, etag: "\"s\"", modified: 0)
    _ = try await files(sender).copy(source, to: location, options: WriteOptions())
    let parts = sender.requests.filter { $0.operation == "S3.UploadPartCopy" }
    #expect(Set(parts.compactMap { $0.header("x-amz-copy-source-range") }) == ["bytes=0-536870911", "bytes=536870912-536870912"])
    for part in parts {
      #expect(part.header("x-amz-copy-source") == "src/a%20b/%C3%BC")
      #expect(part.header("x-amz-copy-source-if-match") == "\"s\"")
      #expect(part.body.isEmpty)
    }
    #expect(sender.requests.last?.header("If-None-Match") == "*")
  }

  @Test("A copy whose source was replaced is a change, and leaves no upload")
  func copyOfChanged() async throws {
    let sender = ScriptedSender { request, _ in
      switch request.operation {
      case "S3.CreateMultipartUpload": .text("<R><UploadId>u</UploadId></R>")
      case "S3.UploadPartCopy": .failure(.conditionFailed, code: "PreconditionFailed", status: 412)
      default: .init(status: 204)
      }
    }
    let source = ObjectAttributes(location: ObjectLocation(bucket: "b", key: "s"), size: 10, etag: "\"s\"", modified: 0)
    let error = await #expect(throws: FileIOError.self) {
      _ = try await files(sender).copy(source, to: location, options: WriteOptions())
    }
    #expect(error?.code == .changed)
    #expect(sender.requests.last?.operation == "S3.AbortMultipartUpload")
  }

  @Test("A delete names the version, puts its tags on first, and does nothing else where deleting is off")
  func deletes() async throws {
    let sender = ScriptedSender { request, _ in
      request.operation == "S3.GetObjectTagging"
        ? .text("<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>gone</Key><Value>no</Value></Tag></TagSet></Tagging>")
        : .init(status: 204)
    }
    let properties = ["s3.delete.tags.gone": "yes"]
    try await files(sender, properties).delete(location, etag: "\"e\"")
    #expect(sender.requests.map(\.operation) == ["S3.GetObjectTagging", "S3.PutObjectTagging", "S3.DeleteObject"])
    let tags = String(decoding: sender.requests[1].body, as: UTF8.self)
    #expect(tags.contains("<Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>gone</Key><Value>yes</Value></Tag></TagSet>"))
    #expect(sender.requests[1].header("x-amz-checksum-crc32") != nil)
    #expect(sender.requests[2].header("If-Match") == "\"e\"")
    try await files(sender, properties.merging(["s3.delete-enabled": "false"]) { $1 }).delete(location, etag: nil)
    #expect(sender.requests.count == 5)
  }

  @Test("Only the object that carries the mark is deleted as our own, and only that version of it")
  func deletesOwn() async throws {
    let mark = WriteMark()
    func sender(_ text: String) -> ScriptedSender {
      ScriptedSender { request, _ in
        request.method == "HEAD"
          ? .init(headers: [("ETag", "\"e\""), ("Content-Length", "1"), ("X-Amz-Meta-Bergfs-Upload", text)]) : .init(status: 204)
      }
    }
    let own = sender(mark.text)
    #expect(try await files(own).deleteOwn(location, mark: mark))
    #expect(own.requests.last?.header("If-Match") == "\"e\"")
    let another = sender("another")
    #expect(try await !files(another).deleteOwn(location, mark: mark))
    #expect(another.requests.count == 1)
  }

  @Test("Memory for parts is bounded, waited for, and given back whatever happens")
  func memory() async throws {
    let budget = CountingMemory(limit: 24 << 20)
    let bucket = SimulatedBucket()
    let (files, _) = try bucket.files(["s3.multipart.part-size-bytes": "5242880"], memory: budget)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<12 {
        group.addTask {
          let place = ObjectLocation(bucket: "b", key: "many/\(number)")
          let writer = try files.writer(place, expectedSize: nil, options: WriteOptions())
          for _ in 0..<(number * 3) { try await writer.append([UInt8](repeating: UInt8(number), count: 1_000_003)) }
          if number == 7 { await writer.abort() } else { _ = try await writer.finish() }
        }
      }
      try await group.waitForAll()
    }
    #expect(budget.used == 0)
    #expect(budget.highWater <= budget.limit && budget.highWater > 0)
    for number in 0..<12 {
      let object = bucket.object("/b/many/\(number)")
      #expect(number == 7 ? object == nil : object?.bytes.count == number * 3 * 1_000_003)
      if number != 7 { #expect(object?.bytes.allSatisfy { $0 == UInt8(number) } == true) }
    }
    #expect(bucket.uploadsLeft == 0)
  }

  @Test("A writer whose part failed says so at the next bytes, and leaves nothing")
  func failedPart() async throws {
    let budget = CountingMemory(limit: 64 << 20)
    let bucket = SimulatedBucket()
    let (files, _) = try bucket.files(["s3.multipart.part-size-bytes": "5242880"], memory: budget) { operation, _ in
      operation == "UploadPart" ? .refused(403, "AccessDenied") : nil
    }
    let writer = try files.writer(location, expectedSize: nil, options: WriteOptions())
    let error = await #expect(throws: FileIOError.self) {
      for _ in 0..<100 { try await writer.append([UInt8](repeating: 1, count: 1 << 20)) }
    }
    #expect(error?.code == .denied)
    await writer.abort()
    #expect(budget.used == 0)
    #expect(bucket.uploadsLeft == 0)
    await #expect(throws: FileIOError.self) { _ = try await writer.finish() }
  }

  @Test("Properties out of their range are refused in Iceberg's words")
  func badProperties() {
    let cases = [
      ("s3.multipart.part-size-bytes", "5000000", "Minimum multipart upload object size must be larger than 5 MB."),
      ("s3.multipart.threshold", "0.5", "Multipart threshold factor must be >= to 1.0"),
      ("s3.acl", "mine", "Cannot support S3 CannedACL mine"),
    ]
    for (key, value, message) in cases {
      let error = #expect(throws: PropertyError.self) { _ = try S3FileIOProperties([key: value]) }
      #expect(error?.message == message)
    }
  }

  private func files(_ sender: ScriptedSender, _ properties: [String: String] = [:]) throws -> S3FileIO {
    S3FileIO(client: S3Client(sender: sender), properties: try S3FileIOProperties(properties))
  }

  private func multipartSender() -> ScriptedSender {
    ScriptedSender { request, _ in
      switch request.operation {
      case "S3.CreateMultipartUpload": .text("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
      case "S3.UploadPart": .init(headers: [("ETag", "\"p\(request.queryValue("partNumber") ?? "")\"")])
      case "S3.UploadPartCopy": .text("<CopyPartResult><ETag>\"c\"</ETag></CopyPartResult>")
      case "S3.CompleteMultipartUpload": .text("<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>")
      default: .init(status: 204)
      }
    }
  }
}

extension String {
  fileprivate func components(of part: String) -> Int {
    split(separator: part, omittingEmptySubsequences: false).count - 1
  }
}

/// A budget that waits in turn and knows the most that was ever reserved.
final class CountingMemory: UploadMemory {
  private struct State {
    var used = 0
    var highWater = 0
    var waiters: [(bytes: Int, continuation: CheckedContinuation<Bool, Never>)] = []
  }

  let limit: Int
  private let state = Mutex(State())

  init(limit: Int) {
    self.limit = limit
  }

  var used: Int { state.withLock { $0.used } }
  var highWater: Int { state.withLock { $0.highWater } }

  func tryReserve(_ bytes: Int) -> Bool {
    state.withLock { state in
      guard state.waiters.isEmpty, state.used + bytes <= limit else { return false }
      state.used += bytes
      state.highWater = max(state.highWater, state.used)
      return true
    }
  }

  func reserve(_ bytes: Int) async -> Bool {
    guard bytes <= limit else { return false }
    if tryReserve(bytes) { return true }
    return await withCheckedContinuation { continuation in
      state.withLock { $0.waiters.append((bytes, continuation)) }
      serve()
    }
  }

  func release(_ bytes: Int) {
    state.withLock { $0.used -= bytes }
    serve()
  }

  private func serve() {
    while let waiter = state.withLock({ state -> CheckedContinuation<Bool, Never>? in
      guard let first = state.waiters.first, state.used + first.bytes <= limit else { return nil }
      state.used += first.bytes
      state.highWater = max(state.highWater, state.used)
      return state.waiters.removeFirst().continuation
    }) {
      waiter.resume(returning: true)
    }
  }
}
