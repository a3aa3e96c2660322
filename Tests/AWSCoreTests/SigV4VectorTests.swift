// SPDX-License-Identifier: Apache-2.0

import HTTP
import Telemetry
import Testing

@testable import AWSCore

/// Vectors made with botocore's signer: AKIDEXAMPLE, 20150830T123600Z, us-east-1.
@Suite("SigV4 golden vectors")
struct SigV4VectorTests {
  struct Vector: Sendable, CustomTestStringConvertible {
    var name: String
    var service: String
    var method: String
    var host: String
    var target: String
    var headers: [(name: String, value: String)] = []
    var body = ""
    var token: String?
    var payloadHash: String?
    var signedHeaders: String
    var canonicalHash: String
    var signature: String

    var testDescription: String { name }
  }

  static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  static let deleteBody =
    "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>"
  static let assumeRoleBody =
    "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr&RoleSessionName=iceberg-aws-x"
    + "&DurationSeconds=3600&ExternalId=ext+id&Tags.member.1.Key=LakeFormationAuthorizedCaller&Tags.member.1.Value=emr"

  static let vectors = [
    Vector(
      name: "S3 list", service: "s3", method: "GET", host: "examplebucket.s3.us-east-1.amazonaws.com",
      target: "/?list-type=2&prefix=a%20b%2F&encoding-type=url", signedHeaders: "host;x-amz-content-sha256;x-amz-date",
      canonicalHash: "5b6a61d845763d130ed485a160527a1a240b3566ff6e25badd08d5e4aeb31905",
      signature: "3ec9a7a0b991256cdd9d2c241ee275433b0e473220d03e70815093579eca4565"),
    Vector(
      name: "S3 upload part", service: "s3", method: "PUT", host: "examplebucket.s3.us-east-1.amazonaws.com",
      target: "/warehouse/db.db/t%3D1/a%20b%2Bc.parquet?partNumber=2&uploadId=u%2F%2B%3D",
      headers: [("x-amz-checksum-crc32", "NhCmhg=="), ("Content-Length", "5")], body: "hello", token: "TOKENEXAMPLE",
      payloadHash: "UNSIGNED-PAYLOAD",
      signedHeaders: "content-length;host;x-amz-checksum-crc32;x-amz-content-sha256;x-amz-date;x-amz-security-token",
      canonicalHash: "717d26228aa53674d1dcea5fa44bec504be70c732d181f389bc35f31ced0cda4",
      signature: "c8ce2c41f8fa2b89e9daf4133b3b4cffcc0d84e20292eabba8fdced83bc8a7a4"),
    Vector(
      name: "S3 range", service: "s3", method: "GET", host: "examplebucket.s3.amazonaws.com", target: "/k",
      headers: [("Range", "bytes=0-9"), ("x-amz-checksum-mode", "ENABLED")],
      signedHeaders: "host;range;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date",
      canonicalHash: "577242d8d2fde145f617ffcd873f08eceea7cc36148f090a804325bcc59ee6fa",
      signature: "4a2724c50833c8cb24cefe7409a82f564f4599a061ba243259ee8e93e714f475"),
    Vector(
      name: "S3 delete objects", service: "s3", method: "POST", host: "examplebucket.s3.amazonaws.com", target: "/?delete",
      headers: [("x-amz-checksum-crc32", "32E4RA=="), ("x-amz-sdk-checksum-algorithm", "CRC32")], body: deleteBody,
      signedHeaders: "host;x-amz-checksum-crc32;x-amz-content-sha256;x-amz-date;x-amz-sdk-checksum-algorithm",
      canonicalHash: "d053d380c5bb582a169ff15b6d4acc1a6c91256d03630d0981c0fc23ef65d341",
      signature: "30a0e880ca471e62f356f75bafb9784b27347d5ba2e011584a2a49159c7317ed"),
    Vector(
      name: "Glue GetTable", service: "glue", method: "POST", host: "glue.us-east-1.amazonaws.com", target: "/",
      headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "AWSGlue.GetTable")],
      body: "{\"DatabaseName\":\"d\",\"Name\":\"t\"}", signedHeaders: "content-type;host;x-amz-date;x-amz-target",
      canonicalHash: "9f6d9a589f4a5afda4c006d024536a45a2269556b5f368fffab567e4ca7e2f40",
      signature: "df9c394dbbb9352faf0f5e1c58321885800ac5987a671ad56bf34fde964d1d59"),
    Vector(
      name: "DynamoDB GetItem", service: "dynamodb", method: "POST", host: "dynamodb.us-east-1.amazonaws.com", target: "/",
      headers: [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", "DynamoDB_20120810.GetItem")],
      body: "{\"TableName\": \"t\", \"Key\": {\"a\": {\"S\": \"b\"}}}", signedHeaders: "content-type;host;x-amz-date;x-amz-target",
      canonicalHash: "0d2dc38119a27cfb36c21edf0ccb09514af60c89bffc06e1cc7436cf63f07e9a",
      signature: "0350753ede348f3eae042ae7b8e233f821cbd9a9167a88fecd7ca99f484220fb"),
    Vector(
      name: "STS AssumeRole", service: "sts", method: "POST", host: "sts.us-east-1.amazonaws.com", target: "/",
      headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")], body: assumeRoleBody,
      signedHeaders: "content-type;host;x-amz-date",
      canonicalHash: "f4bddfdfe5c73518c7609e49582188058ab27390cf45a5e9fda47efe38afb3b6",
      signature: "10bbefead00f9776f346adc5640064eb1f64e256c389be913ab747087b9271ae"),
  ]

  @Test("Canonical request and signature are botocore's", arguments: vectors)
  func vector(_ vector: Vector) throws {
    var request = HTTPRequest(
      method: vector.method, endpoint: HTTPEndpoint(isSecure: true, host: vector.host), target: vector.target, headers: vector.headers,
      body: Array(vector.body.utf8))
    let credentials = AWSCredentials(
      accessKeyID: "AKIDEXAMPLE", secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
      sessionToken: vector.token.map { Secret($0) }, source: "test")
    let scope = SigV4Signer.Scope(service: vector.service, region: "us-east-1")
    SigV4Signer().sign(&request, scope: scope, credentials: credentials, payloadHash: vector.payloadHash, at: 1_440_938_160)

    let payload = vector.payloadHash ?? SHA256.hexDigest(Array(vector.body.utf8))
    let canonical = CanonicalRequest(request, keepsPath: vector.service == "s3", payloadHash: payload)
    #expect(SHA256.hexDigest(canonical.bytes) == vector.canonicalHash)
    #expect(canonical.signedHeaders == vector.signedHeaders)
    let authorization = try #require(request.header("authorization"))
    #expect(
      authorization == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/\(vector.service)/aws4_request, "
        + "SignedHeaders=\(vector.signedHeaders), Signature=\(vector.signature)")
  }

  @Test("Anonymous requests carry no signature, date or token")
  func anonymous() {
    var request = HTTPRequest(method: "GET", endpoint: HTTPEndpoint(isSecure: true, host: "h"), target: "/")
    SigV4Signer().sign(&request, scope: SigV4Signer.Scope(service: "s3", region: "r"), credentials: .anonymous, at: 0)
    #expect(request.headers.isEmpty)
  }

  @Test("A new day, region or secret gives another key; the same ones give the same signature")
  func keyCache() {
    let signer = SigV4Signer()
    func signature(secret: String = "s", region: String = "r", at seconds: Double = 0) -> String? {
      var request = HTTPRequest(method: "GET", endpoint: HTTPEndpoint(isSecure: true, host: "h"), target: "/")
      let credentials = AWSCredentials(accessKeyID: "A", secretAccessKey: Secret(secret), source: "test")
      signer.sign(&request, scope: SigV4Signer.Scope(service: "glue", region: region), credentials: credentials, at: seconds)
      return request.header("authorization").flatMap { $0.split(separator: "=").last.map(String.init) }
    }
    let all = [signature(), signature(secret: "t"), signature(region: "q"), signature(at: 86400)]
    #expect(Set(all).count == 4)
    #expect(signature() == all[0])
  }
}
