// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Iceberg
import Logging
import Synchronization
import Telemetry
import Testing
import WireFormats

@testable import IcebergAWS

@Suite("Requests signed by a service")
struct RemoteSignerTests {
  @Test("The signer is told method, region, address and headers, before there is a date or a signature; nothing else of the request")
  func ask() async throws {
    let lake = try SignedLake(["rest.remote-signing.config": #"{"headers":{"X-Team":["a","b"]},"properties":{"warehouse":"w"}}"#])
    try await lake.read("dir/a b=1")
    let call = try #require(lake.signs.first)
    #expect(call.method == "POST")
    #expect(call.endpoint.description == "https://signer.example")
    #expect(call.target == "/base/v1/aws/s3/sign")
    #expect(call.value("Content-Type") == "application/json")
    #expect(call.value("Accept") == "application/json")
    #expect(call.value("X-Client-Version") == "bergfs")
    #expect(call.value("X-Team") == "a, b")
    #expect(call.value("Authorization") == nil)
    let ask = try #require(call.document)
    #expect(ask.members.map(\.key) == ["region", "method", "uri", "headers", "properties", "provider"])
    #expect(ask["region"]?.string == "eu-west-1")
    #expect(ask["method"]?.string == "GET")
    #expect(ask["uri"]?.string == "http://s3.example/b/dir/a%20b%3D1")
    #expect(ask["properties"]?["warehouse"]?.string == "w")
    #expect(ask["provider"]?.string == "s3")
    let headers = try #require(ask["headers"])
    #expect(headers["Range"]?.elements.map(\.string) == ["bytes=0-9"])
    #expect(headers["amz-sdk-request"]?.elements.map(\.string) == ["attempt=1; max=6"])
    let names = headers.members.map { $0.key.lowercased() }
    #expect(!names.contains { ["host", "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"].contains($0) })
    #expect(Set(names) == Set(lake.toS3[0].headers.map { $0.name.lowercased() }).subtracting(["authorization"]))
  }

  @Test("No keys of this machine sign or name themselves where a service signs, whichever are configured")
  func noOwnKeys() async throws {
    let lake = try SignedLake(
      ["s3.access-key-id": "OWN", "s3.secret-access-key": "own", "s3.anonymous": "true"],
      variables: ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "x"])
    try await lake.read()
    #expect(lake.toS3.map { $0.value("Authorization") } == ["signature 1"])
    #expect(try await lake.factory.credentials(for: .s3).credentials()?.isAnonymous == true)
    #expect(try await lake.factory.credentials(for: .glue).credentials()?.accessKeyID == "ENV")
  }

  @Test(
    "Address and path by the keys of any Iceberg version, the older ones first",
    arguments: [
      (["signer.uri": "https://one.example"], "https://one.example/v1/aws/s3/sign"),
      (["signer.uri": "https://one.example", "s3.signer.uri": "http://old.example//"], "http://old.example/v1/aws/s3/sign"),
      (["signer.uri": nil, "uri": "https://catalog.example:8443/api"], "https://catalog.example:8443/api/v1/aws/s3/sign"),
      (["uri": "https://catalog.example"], "https://signer.example/base/v1/aws/s3/sign"),
      (["signer.endpoint": "/sign/here"], "https://signer.example/base/sign/here"),
      (["signer.endpoint": "new", "s3.signer.endpoint": "old", "rest.remote-signing.endpoint": "main"], "https://signer.example/base/old"),
      (["signer.endpoint": "new", "rest.remote-signing.endpoint": "main"], "https://signer.example/base/new"),
      (["rest.remote-signing.endpoint": "v1/ns/t/sign"], "https://signer.example/base/v1/ns/t/sign"),
      (["signer.uri": nil, "signer.endpoint": "https://alone.example/sign"], "https://alone.example/sign"),
    ] as [([String: String?], String)])
  func addresses(properties: [String: String?], address: String) async throws {
    let lake = try SignedLake(properties)
    try await lake.read()
    #expect(lake.signs.map { $0.endpoint.description + $0.target } == [address])
  }

  @Test(
    "What cannot work is refused before anything is sent, and says which key is at fault",
    arguments: [
      (["signer.uri": nil], "S3 signer service URI is required"), (["signer.uri": "signer.example"], "does not start with http"),
      (["signer.uri": "https://user@signer.example"], "carries a user or password"),
      (["rest.remote-signing.config": "{"], "it is not JSON"), (["rest.remote-signing.config": "[]"], "it is not an object"),
      (["rest.remote-signing.config": #"{"headers":{"A":"b"}}"#], "must be an object of arrays of texts"),
      (["rest.remote-signing.config": #"{"headers":[]}"#], "headers must be an object"),
      (["rest.remote-signing.config": #"{"properties":{"A":1}}"#], "properties must be an object of texts"),
      (["rest.auth.type": "google"], "rest.auth.type=google is not supported here"),
      (["rest.auth.type": "com.example.Auth"], "rest.auth.type=com.example.Auth is not supported here"),
      (["rest.auth.type": "basic"], "Invalid username: missing required property rest.auth.basic.username"),
      (
        ["rest.auth.type": "basic", "rest.auth.basic.username": "u"], "Invalid password: missing required property rest.auth.basic.password"
      ),
      (
        ["rest.auth.type": "sigv4", "rest.auth.sigv4.delegate-auth-type": "sigv4"],
        "Cannot delegate a SigV4 auth manager to another SigV4 auth manager"
      ),
      (["rest.auth.type": "sigv4", "rest.access-key-id": "A"], "must be set at the same time"),
      (["credential": "a:b", "scope": "a  b"], "scope holds a character"), (["header.A b": "c"], "a character that HTTP does not allow"),
      (["rest.client.max-retries": "0"], "it must be more than 0"), (["rest.client.max-connections": "0"], "must be between"),
      (["rest.client.proxy.hostname": "a b", "rest.client.proxy.port": "1"], "is not a host name"),
      (["token": "t", "oauth2-server-uri": "https://a@b"], "oauth2-server-uri names no token service"),
      (["glue.lakeformation-enabled": "true"], "Lake Formation"),
    ] as [([String: String?], String)])
  func refused(properties: [String: String?], message: String) {
    let error = #expect(throws: PropertyError.self) { _ = try SignedLake(properties) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    #expect(error?.key.isEmpty == false)
  }

  @Test("The answer's address replaces ours to the letter, its headers are added, and ours win over its")
  func answer() async throws {
    let lake = try SignedLake(signer: { request, number in
      .success(
        .signature(
          of: request, number,
          further: [
            ("range", ["bytes=5-6"]), ("Cache-Control", ["private"]), ("Host", ["h"]), ("Content-Length", ["7"]), ("X-Amz-Date", ["d"]),
            ("x-many", ["1", "2"]), ("Transfer-Encoding", ["chunked"]),
          ], uri: "http://s3.example/other/a%2fb//c/../d?x&y=%20"))
    })
    try await lake.read()
    let request = try #require(lake.toS3.first)
    #expect(request.target == "/other/a%2fb//c/../d?x&y=%20")
    #expect(request.values("range") == ["bytes=0-9"])
    #expect(request.values("x-many") == ["1", "2"])
    #expect(request.value("X-Amz-Date") == "d")
    for name in ["cache-control", "host", "content-length", "transfer-encoding"] { #expect(request.value(name) == nil) }
  }

  @Test("A body goes to the signer for DeleteObjects only, with its checksum before it is signed, and that signature is never used again")
  func bodies() async throws {
    let lake = try SignedLake(
      s3: { request, _ in
        let body = request.method == "POST" ? "<DeleteResult/>" : ""
        return .success(HTTPResponse(status: 200, headers: [("ETag", "\"e\"")], body: Array(body.utf8)))
      }, signer: { .success(.signature(of: $0, $1, cacheControl: "private")) })
    for _ in 0..<2 { _ = try await lake.s3.deleteObjects(bucket: "b", keys: ["a&b"]) }
    _ = try await lake.s3.putObject(bucket: "b", key: "delete", body: Array("data".utf8), condition: nil, isChecksummed: true)
    let upload = S3MultipartUpload(bucket: "b", key: "delete", id: "delete", date: nil)
    _ = try? await lake.s3.completeMultipartUpload(upload, parts: [], condition: nil)
    #expect(lake.signs.map { $0.document?["body"]?.string != nil } == [true, true, false, false])
    let ask = try #require(lake.signs.first?.document)
    #expect(ask["body"]?.string == #"<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a&amp;b</Key></Object></Delete>"#)
    #expect(ask["uri"]?.string == "http://s3.example/b/?delete")
    #expect(ask["headers"]?["x-amz-checksum-crc32"] != nil)
    #expect(lake.signs[2].document?["headers"]?["x-amz-checksum-crc32"] != nil)
    #expect(lake.toS3.allSatisfy { $0.value("x-amz-content-sha256") == nil })
  }

  @Test("A refused signature is dropped and made anew once", arguments: ["SignatureDoesNotMatch", "ExpiredToken", "InvalidAccessKeyId"])
  func refusedSignature(code: String) async throws {
    let refusals = Mutex(1)
    let lake = try SignedLake(s3: { _, _ in
      let isRefused = refusals.withLock { left in
        defer { left -= 1 }
        return left > 0
      }
      return .success(isRefused ? .refusal(code) : .object())
    })
    try await lake.read()
    #expect(lake.toS3.compactMap { $0.value("Authorization") } == ["signature 1", "signature 3"])
    // Nothing of the refused signature is left, whatever the attempt.
    refusals.withLock { $0 = 1 }
    try await lake.read()
    #expect(lake.signs.count == 4)
    refusals.withLock { $0 = 5 }
    let error = await lake.readError()
    #expect(error?.kind == .credentials)
    #expect(error?.message.contains("the signer at https://signer.example") == true)
    #expect(error?.attempts == 2)
  }

  @Test("Another region's requests are signed by the same signer, for that region")
  func crossRegion() async throws {
    let lake = try SignedLake(
      ["s3.cross-region-access-enabled": "true"],
      s3: { request, _ in
        request.value("Authorization") == "signature 1"
          ? .success(HTTPResponse(status: 301, headers: [("x-amz-bucket-region", "eu-north-1")], body: [])) : .success(.object())
      })
    try await lake.read()
    #expect(lake.signs.map { $0.document?["region"]?.string } == ["eu-west-1", "eu-north-1"])
  }

  @Test("With the factory of roles the service signs for S3 in the role's region, and no role is assumed for it")
  func roles() async throws {
    let web = Web { request, number in
      .success(request.endpoint.host == "signer.example" ? .signature(of: request, number) : .object())
    }
    let factory = try CatalogLoader.clientFactory(
      properties: SignedLake.properties.merging([
        "client.factory": AwsClientFactoryName.assumeRole.rawValue, "client.assume-role.arn": "arn:aws:iam::1:role/r",
        "client.assume-role.region": "eu-south-2",
      ]) { $1 }, variables: [:], transport: { _ throws(HTTPError) in web }, metrics: Metrics(), logger: Logger(label: "test"),
      clock: ManualClock())
    _ = try await factory.s3().headBucket("b")
    #expect(web.requests.map(\.endpoint.host) == ["signer.example", "s3.example"])
    #expect(web.requests.first?.document?["region"]?.string == "eu-south-2")
    #expect(web.requests.last?.value("Authorization") == "signature 1")
  }

  @Test("No session of a directory bucket and no grant is asked for where a service signs")
  func directoryBuckets() async throws {
    let lake = try SignedLake(["s3.endpoint": nil, "s3.access-grants.enabled": "true"])
    _ = try await lake.s3.headObject(bucket: "b--euw1-az1--x-s3", key: "k")
    #expect(lake.web.requests.map(\.method) == ["POST", "HEAD"])
    #expect(lake.signs.first?.document?["uri"]?.string == "https://b--euw1-az1--x-s3.s3express-euw1-az1.eu-west-1.amazonaws.com/k")
    #expect(lake.web.requests.last?.value("Authorization") == "signature 1")
  }

  @Test("Other services sign for themselves")
  func otherServices() async throws {
    let lake = try SignedLake(["client.access-key-id": "ALL", "client.secret-access-key": "x", "glue.endpoint": "http://s3.glue"])
    _ = try? await lake.factory.glue().getDatabases(nextToken: nil)
    #expect(lake.toSigner.isEmpty)
    #expect(lake.web.requests(to: "s3.glue").first?.value("Authorization")?.hasPrefix("AWS4-HMAC-SHA256 Credential=ALL/") == true)
  }
}
