// SPDX-License-Identifier: Apache-2.0

import Iceberg
import IcebergAWS
import Testing

@Suite("S3URI")
struct S3URITests {
  @Test(
    "Locations are split as Iceberg splits them, nothing decoded, nothing normalised",
    arguments: [
      ("s3://b/a/b", ObjectLocation(scheme: "s3", bucket: "b", key: "a/b")),
      ("s3a://b//a/./../%20 +", ObjectLocation(scheme: "s3a", bucket: "b", key: "/a/./../%20 +")),
      ("https://h:1/k", ObjectLocation(scheme: "https", bucket: "h:1", key: "k")),
      ("s3://b", ObjectLocation(scheme: "s3", bucket: "b", key: "")), ("s3://b/", ObjectLocation(scheme: "s3", bucket: "b", key: "")),
      ("s3://b/k?v#f", ObjectLocation(scheme: "s3", bucket: "b", key: "k")),
      ("s3://b/k#f?v", ObjectLocation(scheme: "s3", bucket: "b", key: "k")),
      ("s3://b/k\n\u{e9}", ObjectLocation(scheme: "s3", bucket: "b", key: "k\n\u{e9}")),
      ("s3:///k", ObjectLocation(scheme: "s3", bucket: "", key: "k")), ("://b/k", ObjectLocation(scheme: "", bucket: "b", key: "k")),
    ])
  func parsed(text: String, location: ObjectLocation) throws {
    #expect(try S3URI.parse(text) == location)
  }

  @Test("What has not exactly one scheme is refused with Java's sentence", arguments: ["", "b/k", "s3:/b/k", "s3://", "s3://b/x://y"])
  func refused(text: String) {
    let error = #expect(throws: FileIOError.self) { try S3URI.parse(text) }
    #expect(error?.code == .invalid)
    #expect(error?.message == "Invalid S3 URI, cannot determine scheme: \(text)")
  }

  @Test("Keys that differ only in their Unicode form are two locations")
  func unicodeForms() throws {
    #expect(try S3URI.parse("s3://b/\u{e9}") != S3URI.parse("s3://b/e\u{301}"))
  }
}
