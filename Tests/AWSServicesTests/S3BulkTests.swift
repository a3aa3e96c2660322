// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Testing

@Suite("S3 calls about many keys")
struct S3BulkTests {
  @Test("DeleteObjects escapes keys, and carries the checksum that S3 demands")
  func deleteRequest() async throws {
    let sender = ScriptedSender([.text("<DeleteResult/>")])
    _ = try await S3Client(sender: sender).deleteObjects(bucket: "b", keys: ["a&<b>\"'", "ü", "]]>"])
    let request = try #require(sender.requests.first)
    #expect(request.method == "POST" && request.path == "/" && request.bucket == "b")
    #expect(request.query.map(\.name) == ["delete"] && request.query[0].value == nil)
    #expect(
      String(decoding: request.body, as: UTF8.self)
        == "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;&lt;b&gt;\"'</Key></Object>"
        + "<Object><Key>ü</Key></Object><Object><Key>]]&gt;</Key></Object></Delete>")
    #expect(request.header("x-amz-checksum-crc32") == "Y+2wdw==")
    #expect(request.header("Content-MD5") == nil)
  }

  @Test("Old servers get an MD5 besides")
  func legacyMD5() async throws {
    let sender = ScriptedSender([.text("<DeleteResult/>")])
    let client = S3Client(sender: sender, checksums: S3Checksums(isLegacyMD5: true))
    _ = try await client.deleteObjects(bucket: "b", keys: ["k"])
    try await client.putObjectTagging(bucket: "b", key: "k", tags: [])
    #expect(sender.requests.map { $0.header("Content-MD5") } == ["cDL/HO6237pKgcrKF+HYeA==", "WLP1D+SVXa/6vT6Cg2jskA=="])
    #expect(sender.requests.allSatisfy { $0.header("x-amz-checksum-crc32") != nil })
  }

  @Test("What was not deleted is told key by key, and a key that was missing counts as deleted")
  func deleteAnswer() async throws {
    let sender = ScriptedSender([
      .text(
        """
        <?xml version="1.0"?><DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Deleted><Key>a</Key></Deleted>
        <Error><Key>b&amp;c</Key><Code>AccessDenied</Code><Message>no</Message></Error>
        <Error><Key>d</Key><Code>InternalError</Code></Error><Error><Key>e</Key><Code>NoSuchKey</Code></Error></DeleteResult>
        """)
    ])
    let refused = try await S3Client(sender: sender).deleteObjects(bucket: "b", keys: ["a", "b&c", "d", "e"])
    #expect(refused.map(\.key) == ["b&c", "d"])
    #expect(refused.map(\.error.kind) == [.accessDenied, .server])
    #expect(refused.map(\.error.message) == ["no", "S3 answered InternalError"])
    #expect(refused.first?.error.requestID == "request-0")
  }

  @Test("A page that is no answer to a delete is an error", arguments: ["", "<html/>x", "no"])
  func malformedDelete(_ body: String) async {
    await #expect(throws: AWSError.self) {
      _ = try await S3Client(sender: ScriptedSender([.text(body)])).deleteObjects(bucket: "b", keys: ["k"])
    }
  }

  @Test("Uploads of exactly one key are found over all pages, and none of the longer keys' pages is asked for")
  func uploads() async throws {
    func page(_ entries: [(String, String)], next: (String, String)?) -> ScriptedSender.Answer {
      let uploads = entries.map {
        "<Upload><Key>\($0.0)</Key><UploadId>\($0.1)</UploadId><Initiated>2026-01-02T03:04:05.000Z</Initiated></Upload>"
      }
      let cut = next.map { "<NextKeyMarker>\($0.0)</NextKeyMarker><NextUploadIdMarker>\($0.1)</NextUploadIdMarker>" }
      return .text(
        "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>\(next != nil)</IsTruncated>\(cut ?? "")"
          + "\(uploads.joined())</ListMultipartUploadsResult>")
    }
    let sender = ScriptedSender([
      page([("a+b%2Bc", "u1")], next: ("a+b%2Bc", "u1")), page([("a+b%2Bc", "u2"), ("a+b%2Bcd", "u3")], next: ("a+b%2Bcd", "u3")),
    ])
    let uploads = try await S3Client(sender: sender).listMultipartUploads(bucket: "b", key: "a b+c")
    #expect(uploads.map(\.id) == ["u1", "u2"])
    #expect(uploads.first?.initiated == 1_767_323_045_000_000_000)
    #expect(sender.requests.count == 2)
    #expect(sender.requests[0].query.map(\.name) == ["uploads", "encoding-type", "prefix"])
    #expect(sender.requests[1].queryValue("prefix") == "a b+c")
    #expect(sender.requests[1].queryValue("key-marker") == "a b+c" && sender.requests[1].queryValue("upload-id-marker") == "u1")
  }

  @Test(
    "A list of uploads that does not go on is an error",
    arguments: [
      "<R><IsTruncated>true</IsTruncated></R>",
      "<R><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker></R>",
    ])
  func endlessUploads(_ body: String) async {
    let error = await #expect(throws: AWSError.self) {
      _ = try await S3Client(sender: ScriptedSender([.text(body)])).listMultipartUploads(bucket: "b", key: "k")
    }
    #expect(error?.kind == .malformed)
  }

  @Test("A delete of a version names it, and a delete marker that came instead is told")
  func versions() async throws {
    let sender = ScriptedSender([
      .init(status: 204, headers: [("x-amz-delete-marker", "true"), ("x-amz-version-id", "m")]), .init(status: 204),
    ])
    let client = S3Client(sender: sender)
    #expect(try await client.deleteObject(bucket: "b", key: "k", ifMatch: nil) == "m")
    #expect(try await client.deleteObject(bucket: "b", key: "k", ifMatch: nil, versionID: "v") == nil)
    #expect(sender.requests.map { $0.queryValue("versionId") } == [nil, "v"])
  }
}
