// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Iceberg
import IcebergAWS
import Testing

@Suite("Checksums of answers")
struct AnswerChecksumTests {
  private let place = ObjectLocation(bucket: "b", key: "k")
  /// The check values of `123456789`, big-endian in base64.
  private static let checks = [
    "x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-checksum-crc32c": "4waSgw==", "x-amz-checksum-crc64nvme": "rosUhgp5mIg=",
    "x-amz-checksum-sha1": "98O8HYCOBHMq32eZZczDTKeuNEE=", "x-amz-checksum-sha256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
  ]

  @Test("The checksum of a whole object is compared, whatever its kind", arguments: checks.keys.sorted())
  func whole(header: String) async throws {
    let value = try #require(Self.checks[header])
    for pieces in [["123456789"], ["1234", "5678", "9"]] {
      #expect(try await read([answer(pieces, [(header, value)])]) == "123456789")
    }
    let error = await #expect(throws: FileIOError.self) { _ = try await read([answer(["1234", "5678", "8"], [(header, value)])]) }
    #expect(error?.code == .failed)
    #expect(error?.message == "s3://b/k: the bytes that came do not match the object's \(header).")
  }

  @Test("Damaged bytes that nobody has seen are asked for again, three times; the last bytes of a damaged object are never handed on")
  func damaged() async throws {
    let header = "x-amz-checksum-crc32"
    let (good, bad) = (answer(["123456789"], [(header, "y/Q5Jg==")]), answer(["123456780"], [(header, "y/Q5Jg==")]))
    #expect(try await read([bad, bad, good]) == "123456789")
    let sender = ScriptedSender([bad])
    let sink = CollectedBytes()
    await #expect(throws: FileIOError.self) { _ = try await files(sender).read(place, etag: "\"e\"", range: 0..<9, into: sink) }
    #expect(sender.requests.count == 4 && sink.bytes.isEmpty)
    let begun = CollectedBytes()
    let pieces = ScriptedSender([answer(["12345", "6780"], [(header, "y/Q5Jg==")])])
    await #expect(throws: FileIOError.self) { _ = try await files(pieces).read(place, etag: "\"e\"", range: 0..<9, into: begun) }
    #expect(pieces.requests.count == 1 && begun.bytes == Array("12345".utf8))
  }

  @Test("Checksums of parts, of a part of the object, and of a kind that is not known here are passed over")
  func passedOver() async throws {
    #expect(try await read([answer(["123456789"], [("x-amz-checksum-crc32", "AAAAAA==-2")])]) == "123456789")
    let composite = [("x-amz-checksum-sha256", "AAAA"), ("x-amz-checksum-type", "COMPOSITE")]
    #expect(try await read([answer(["123456789"], composite)]) == "123456789")
    #expect(try await read([answer(["123456789"], [("x-amz-checksum-xxhash64", "AAAA")])]) == "123456789")
    let part = answer(["2345"], [("x-amz-checksum-crc32", "AAAAAA==")], "bytes 1-4/9")
    #expect(try await read([part], 1..<5) == "2345")
  }

  @Test("A 200 that covers the whole object is compared too")
  func without206() async throws {
    func whole(_ text: String) -> ScriptedSender.Answer {
      .init(
        status: 200, headers: [("ETag", "\"e\""), ("Content-Length", "9"), ("x-amz-checksum-crc64nvme", "rosUhgp5mIg=")],
        pieces: [Array(text.utf8)])
    }
    #expect(try await read([whole("123456789")]) == "123456789")
    await #expect(throws: FileIOError.self) { _ = try await read([whole("123456788")]) }
  }

  @Test("Checksums are asked for unless response_checksum_validation is when_required")
  func asked() async throws {
    for isAsked in [true, false] {
      let sender = ScriptedSender([answer(["123456789"], [])])
      let client = S3Client(sender: sender, checksums: S3Checksums(isAskedFor: isAsked))
      _ = try await S3FileIO(client: client, properties: S3FileIOProperties([:])).bytes(place, 0..<9)
      #expect(sender.requests.first?.header("x-amz-checksum-mode") == (isAsked ? "ENABLED" : nil))
    }
  }

  private func answer(
    _ pieces: [String], _ headers: [(String, String)], _ range: String = "bytes 0-8/9"
  ) -> ScriptedSender.Answer {
    .init(
      status: 206, headers: [("ETag", "\"e\""), ("Content-Range", range)] + headers.map { (name: $0.0, value: $0.1) },
      pieces: pieces.map { Array($0.utf8) })
  }

  private func read(_ answers: [ScriptedSender.Answer], _ range: Range<Int64> = 0..<9) async throws -> String {
    String(decoding: try await files(ScriptedSender(answers)).bytes(place, range, etag: "\"e\""), as: UTF8.self)
  }

  private func files(_ sender: ScriptedSender) throws -> S3FileIO {
    S3FileIO(client: S3Client(sender: sender), properties: try S3FileIOProperties([:]))
  }
}
