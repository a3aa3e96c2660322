// SPDX-License-Identifier: Apache-2.0

import HTTP
import Telemetry
import TestSupport
import Testing
import WireFormats

@testable import AWSCore

@Suite("SigV4A, the signatures of multi-region access points")
struct SigV4ATests {
  private static let accessKey = "AKISORANDOMAASORANDOM"
  private static let secret = Secret("q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom")

  @Test("AWS keys stand for the elliptic-curve key of the check vector")
  func derivation() throws {
    let point = try SigV4AKey(accessKeyID: Self.accessKey, secretAccessKey: Self.secret).publicPoint
    #expect(
      String(decoding: SHA256.hex(point), as: UTF8.self) == "04" + "15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb"
        + "0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0")
  }

  @Test("Another access key or secret is another key")
  func difference() throws {
    func point(_ id: String, _ secret: String) throws -> [UInt8] {
      try SigV4AKey(accessKeyID: id, secretAccessKey: Secret(secret)).publicPoint
    }
    #expect(try Set([point("a", "s"), point("b", "s"), point("a", "t")]).count == 3)
  }

  @Test("A signature names no region in its scope and the set of regions in a signed header")
  func form() throws {
    var request = HTTPRequest(
      method: "GET", endpoint: HTTPEndpoint(isSecure: true, host: "m.mrap.accesspoint.s3-global.amazonaws.com"), target: "/k")
    let keys = AWSCredentials(accessKeyID: Self.accessKey, secretAccessKey: Self.secret, sessionToken: Secret("t"), source: "test")
    try SigV4ASigner().sign(&request, scope: SigV4Signer.Scope(service: "s3", region: "*"), credentials: keys, at: 1_440_938_160)
    #expect(request.header("x-amz-region-set") == "*")
    let head =
      "AWS4-ECDSA-P256-SHA256 Credential=AKISORANDOMAASORANDOM/20150830/s3/aws4_request, SignedHeaders="
      + "host;x-amz-content-sha256;x-amz-date;x-amz-region-set;x-amz-security-token, Signature=30"
    #expect(request.header("authorization")?.hasPrefix(head) == true)
  }

  @Test("A request to a multi-region access point is signed so, any other with SigV4")
  func chosenByAddress() async throws {
    let test = try ClientUnderTest(.s3, [.answer(200)])
    let multi = "arn:aws:s3::123456789012:accesspoint/m.mrap"
    for bucket in [multi, "bucket"] {
      _ = try await test.client.send(AWSRequest(operation: "S3.GetObject", method: "GET", bucket: bucket, path: "/k"))
    }
    let sent = test.transport.requests
    #expect(sent.map(\.endpoint.host) == ["m.mrap.accesspoint.s3-global.amazonaws.com", "bucket.s3.us-east-1.amazonaws.com"])
    #expect(sent[0].header("authorization")?.hasPrefix("AWS4-ECDSA-P256-SHA256 ") == true)
    #expect(sent[1].header("authorization")?.hasPrefix("AWS4-HMAC-SHA256 ") == true)
    #expect(sent[1].header("x-amz-region-set") == nil)
  }

  @Test("Four hundred random requests: awscrt signs the same text with the same key", .timeLimit(.minutes(2)))
  func againstAwscrt() async throws {
    var random = SeededGenerator(seed: 20_261_128)
    var cases: [SigningCase] = []
    while cases.count < 400 {
      var one = SigningCase.random(&random)
      guard one.service == "s3" else { continue }
      // awscrt refuses what no client would send, and signs no header of its own making twice.
      one.headers = one.headers.filter { !$0.value.contains("\t") }
      one.secretKey = random.pick(["wJalr/K7MDENG+bPx", "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom"])
      cases.append(one)
    }
    let lines = try cases.flatMap { try $0.asymmetricJSON().serialized() + [UInt8(ascii: "\n")] }
    let output = try await ProjectPython.run("AWSCoreTests/Support/verify_with_awscrt.py", input: lines)
    let verdicts = output.split(separator: "\n")
    #expect(verdicts.count == cases.count)
    let differing = zip(cases, verdicts).filter { $0.1 != "same" }
    let count = differing.count
    #expect(count == 0, "\(count) differ; first: \(differing.first.map { "\($0.0)\n\($0.1)" } ?? "")")
  }
}

extension SigningCase {
  /// The case with our signature, string to sign and public key.
  func asymmetricJSON() throws -> JSONValue {
    let keys = AWSCredentials(
      accessKeyID: accessKey, secretAccessKey: Secret(secretKey), sessionToken: token.map { Secret($0) }, source: "test")
    var request = request
    try SigV4ASigner().sign(
      &request, scope: SigV4Signer.Scope(service: service, region: "*"), credentials: keys,
      payloadHash: isUnsigned ? SigV4Signer.unsignedPayload : nil, at: Double(time))
    let authorization = request.header("authorization") ?? ""
    var unsigned = request
    unsigned.headers.removeLast()
    let basic = AWSTimestamp.basic(Double(time))
    let canonical = CanonicalRequest(unsigned, keepsPath: true, payloadHash: request.header("x-amz-content-sha256") ?? "")
    let toSign = SigV4ASigner.stringToSign(canonical, time: basic, scopeText: "\(basic.prefix(8))/\(service)/aws4_request")
    let point = try SigV4AKey(accessKeyID: accessKey, secretAccessKey: Secret(secretKey)).publicPoint
    return [
      "case": json, "authorization": .string(authorization), "to_sign": .string(String(decoding: SHA256.hex(toSign), as: UTF8.self)),
      "public": .string(String(decoding: SHA256.hex(point), as: UTF8.self)),
    ]
  }
}
