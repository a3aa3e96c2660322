// SPDX-License-Identifier: Apache-2.0

import HTTP
import Telemetry
import TestSupport
import Testing
import WireFormats

@testable import AWSCore

@Suite("SigV4 against botocore")
struct SigV4BotocoreTests {
  @Test("Six thousand random requests get botocore's signature", .timeLimit(.minutes(5)))
  func randomRequests() async throws {
    var random = SeededGenerator(seed: 20_260_102)
    let cases = (0..<6000).map { _ in SigningCase.random(&random) }
    let lines = cases.flatMap { $0.json.serialized() + [UInt8(ascii: "\n")] }
    let expected = try await ProjectPython.run("AWSCoreTests/Support/sign_with_botocore.py", input: lines).split(separator: "\n")
    try #require(expected.count == cases.count)

    let signer = SigV4Signer()
    var differing: [String] = []
    for (signingCase, authorization) in zip(cases, expected) where signingCase.authorization(by: signer) != authorization {
      differing.append("\(signingCase)\n\(signingCase.authorization(by: signer))\n\(authorization)")
    }
    #expect(differing.isEmpty, "\(differing.count) differ; first: \(differing.first ?? "")")
  }
}

/// A request to be signed by both.
struct SigningCase {
  var service: String
  var region: String
  var accessKey: String
  var secretKey: String
  var token: String?
  /// Seconds since 1970, whole.
  var time: Int
  var method: String
  var endpoint: HTTPEndpoint
  var path: String
  var query: [(name: String, value: String?)]
  var headers: [(name: String, value: String)]
  var body: [UInt8]
  var isUnsigned: Bool

  static func random(_ random: inout SeededGenerator) -> SigningCase {
    let service = random.pick(["s3", "s3", "s3", "glue", "dynamodb", "sts", "lakeformation"])
    let isS3 = service == "s3"
    let hosts = ["s3.us-east-1.amazonaws.com", "b.s3.eu-west-1.amazonaws.com", "127.0.0.1", "localhost", "[::1]", "b--x.example.org"]
    let port = random.pick([nil, nil, 80, 443, 9000, 65535] as [Int?])
    let host = random.pick(hosts)
    let alphabet: [String] = [
      "a", "Z", "0", "-", "_", ".", "~", " ", "%", "+", "=", "&", "?", "#", "@", ":", ";", ",", "!", "*", "'", "(", ")", "\"", "<", "\\",
      "|", "é", "日", "😀", "\u{301}", "\u{7F}", "\u{1}", "\n", "\t", "%20", "a%2Fb",
    ]
    func text(_ upTo: Int) -> String { (0..<random.below(upTo + 1)).map { _ in random.pick(alphabet) }.joined() }
    // S3 keys are raw; other services' paths are sent encoded, and stay plain here so that both sides start from the same text.
    let segments = (0..<random.below(6)).map { _ in
      random.below(4) == 0
        ? random.pick(["", ".", "..", "..."]) : (isS3 ? text(8) : random.pick(["a", "b%20c", "x.y", "~z", "2015-03-31", "%25"]))
    }
    let query = (0..<random.below(6)).map { _ -> (name: String, value: String?) in
      let name = random.pick(["prefix", "list-type", "uploads", "a", "A", "a-", text(3)])
      return (name.isEmpty ? "n" : name, random.pick([nil, "", text(10), "1", "2"]))
    }
    var headers: [(name: String, value: String)] = []
    for _ in 0..<random.below(5) {
      let name = random.pick(["Content-Type", "x-amz-meta-a", "X-Amz-Meta-B", "Range", "If-Match", "x-amz-target", "User-Agent", "Expect"])
      let value = random.pick(["v", "  two  spaces ", "tab\tinside", "\"e\"", "a,b", "", " ", "bytes=0-9"])
      headers.append((name, value))
    }
    return SigningCase(
      service: service, region: random.pick(["us-east-1", "eu-central-1", "cn-north-1", "local"]),
      accessKey: random.pick(["AKIDEXAMPLE", "ASIA1234567890", "test"]),
      secretKey: random.pick(["wJalr/K7MDENG+bPx", "s", "very secret é"]),
      token: random.pick([nil, nil, "TOKEN//+==", String(repeating: "t", count: 900)]), time: random.below(4_000_000_000),
      method: random.pick(["GET", "PUT", "POST", "DELETE", "HEAD"]),
      endpoint: HTTPEndpoint(isSecure: random.below(2) == 0, host: host, port: port),
      path: "/" + segments.joined(separator: "/"), query: query, headers: headers,
      body: random.pick([[], [], Array("{}".utf8), (0..<random.below(200)).map { UInt8(truncatingIfNeeded: $0) }]),
      isUnsigned: random.below(2) == 0)
  }

  var json: JSONValue {
    let basic = AWSTimestamp.basic(Double(time))
    func digits(_ start: Int, _ count: Int) -> Substring { basic.dropFirst(start).prefix(count) }
    let iso = "\(digits(0, 4))-\(digits(4, 2))-\(digits(6, 2))T\(digits(9, 2)):\(digits(11, 2)):\(digits(13, 2))"
    return [
      "service": .string(service), "region": .string(region), "access_key": .string(accessKey), "secret_key": .string(secretKey),
      "token": token.map { .string($0) } ?? .null, "time": .string(iso), "method": .string(method), "base": .string(endpoint.description),
      "path": .string(path), "query": .array(query.map { .array([.string($0.name), $0.value.map { .string($0) } ?? .null]) }),
      "headers": .array(headers.map { .array([.string($0.name), .string($0.value)]) }),
      "body": .string(String(decoding: SHA256.hex(body), as: UTF8.self)), "unsigned": .bool(isUnsigned),
    ]
  }

  /// Before it is signed.
  var request: HTTPRequest {
    let pairs = query.map { name, value in
      value.map { "\(PercentEncoding.query(name))=\(PercentEncoding.query($0))" } ?? PercentEncoding.query(name)
    }
    let encodedPath = service == "s3" ? PercentEncoding.path(path) : path
    return HTTPRequest(
      method: method, endpoint: endpoint, target: pairs.isEmpty ? encodedPath : "\(encodedPath)?\(pairs.joined(separator: "&"))",
      headers: headers, body: body)
  }

  func authorization(by signer: SigV4Signer) -> String {
    var request = request
    signer.sign(
      &request, scope: SigV4Signer.Scope(service: service, region: region),
      credentials: AWSCredentials(
        accessKeyID: accessKey, secretAccessKey: Secret(secretKey), sessionToken: token.map { Secret($0) }, source: "test"),
      payloadHash: service == "s3" && isUnsigned ? SigV4Signer.unsignedPayload : nil, at: Double(time))
    return request.header("authorization") ?? ""
  }
}

extension SeededGenerator {
  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<max(1, bound), using: &self) }

  mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
}
