// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Iceberg
import Synchronization
import Testing
import WireFormats

@testable import IcebergAWS

@Suite("Signers that refuse, break or talk nonsense")
struct RestFailureTests {
  private static func error(_ status: Int, type: String = "T", message: String = "m") -> HTTPResponse {
    .json(["error": ["message": .string(message), "type": .string(type), "code": .integer(Int64(status))]], status: status)
  }

  @Test(
    "Refusals become errors of their kind, in Iceberg's words, and of no status of S3",
    arguments: [
      (400, "T", AWSError.Kind.badRequest, FileIOError.Code.failed, "Malformed request: m"),
      (400, "IllegalArgumentException", .badRequest, .failed, "answered: m"), (401, "T", .credentials, .denied, "Not authorized: m"),
      (403, "T", .accessDenied, .denied, "Forbidden: m"),
      (404, "NoSuchKey", .badRequest, .failed, "Unable to process (code: 404, type: NoSuchKey): m"),
      (405, "T", .badRequest, .failed, "Unable to process (code: 405, type: T): m"), (406, "T", .badRequest, .failed, "code: 406"),
      (412, "T", .badRequest, .failed, "code: 412"), (419, "T", .badRequest, .failed, "code: 419"),
      (429, "T", .throttled, .failed, "code: 429"), (500, "T", .server, .failed, "Server error: T: m"),
      (501, "T", .unsupported, .unsupported, "answered: m"), (502, "T", .server, .failed, "code: 502"),
      (503, "T", .server, .failed, "Service unavailable: m"),
    ] as [(Int, String, AWSError.Kind, FileIOError.Code, String)])
  func refusals(status: Int, type: String, kind: AWSError.Kind, code: FileIOError.Code, text: String) async throws {
    let lake = try SignedLake(signer: { _, _ in .success(Self.error(status, type: type)) })
    let error = try #require(await lake.readError())
    #expect(error.kind == kind)
    #expect(error.status == 0)
    #expect(error.code == "Signer.\(type)")
    #expect(error.message.contains(text), "\(error.message)")
    #expect(error.message.hasPrefix("the signer at https://signer.example answered: "))
    #expect(error.operation == "S3.GetObject")
    #expect(error.isDefinite)
    #expect(lake.toS3.isEmpty)
    #expect(FileIOError(error, reading: ObjectLocation(bucket: "b", key: "k"), etag: nil).code == code)
    // A signer that finds nothing has not deleted anything.
    await #expect(throws: AWSError.self) { try await lake.s3.deleteObject(bucket: "b", key: "k", ifMatch: nil) }
    let isRepeated = [429, 500, 502, 503].contains(status)
    #expect(lake.signs.count == (isRepeated ? 12 : 2))
  }

  @Test("A refusal without a document is told as it came, and an empty one by its status")
  func plainRefusals() async throws {
    let lake = try SignedLake(signer: { _, number in
      .success(HTTPResponse(status: 403, headers: [], body: number == 1 ? Array("go\naway".utf8) : []))
    })
    #expect(await lake.readError()?.message.hasSuffix("answered: Forbidden: go away") == true)
    #expect(await lake.readError()?.message.hasSuffix("answered: Forbidden: HTTP 403") == true)
  }

  @Test("Waits double from a second, or are what the service asks for")
  func waits() async throws {
    let clock = HurriedClock()
    let lake = try SignedLake(
      clock: clock,
      signer: { request, number in
        let headers: [Int: String] = [3: "7", 4: "Fri, 15 Jan 2027 08:00:30 GMT", 5: "-3"]
        return number > 5
          ? .success(.signature(of: request, number))
          : .success(HTTPResponse(status: number == 1 ? 500 : 503, headers: headers[number].map { [("Retry-After", $0)] } ?? [], body: []))
      })
    try await lake.read()
    // The date is twenty seconds ahead of the clock by then.
    #expect(clock.sleeps == [.seconds(1), .seconds(2), .seconds(7), .seconds(20), .seconds(16)])
  }

  @Test("Connections that break are tried again soon; names, certificates and waits that ran out are not")
  func connections() async throws {
    let clock = HurriedClock()
    let refused = try SignedLake(
      clock: clock, signer: { _, _ in .failure(HTTPError(code: .refused, message: "h refused", mayHaveBeenSent: false, isRetryable: true)) }
    )
    let error = try #require(await refused.readError())
    #expect(error.kind == .network)
    #expect(error.message.contains("Error occurred while processing POST request: h refused"))
    #expect(FileIOError.isUnreachable(error))
    #expect(clock.sleeps == [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800), .milliseconds(1600)])
    for code in [HTTPError.Code.timedOut, .tls, .notResolved, .malformed] {
      let lake = try SignedLake(signer: { _, _ in .failure(HTTPError(code: code, message: "m", mayHaveBeenSent: true, isRetryable: true)) })
      #expect(await lake.readError()?.code == code.rawValue)
      #expect(lake.signs.count == 1)
    }
  }

  @Test("rest.client.max-retries says how often, and the deadline of the S3 request how long")
  func limits() async throws {
    let lake = try SignedLake(["rest.client.max-retries": "2"], signer: { _, _ in .success(Self.error(503)) })
    _ = await lake.readError()
    #expect(lake.signs.count == 3)
    let clock = HurriedClock()
    let slow = try SignedLake(["rest.client.max-retries": "1000"], clock: clock, signer: { _, _ in .success(Self.error(503)) })
    #expect(await slow.readError()?.kind == .server)
    #expect(clock.elapsed() <= .seconds(120))
    #expect(slow.signs.last.map { $0.deadline > .zero && $0.deadline < .seconds(120) } == true)
  }

  @Test(
    "Answers of success that cannot be used are errors that say why, and nothing is sent to S3",
    arguments: [
      ("", "it is empty"), ("<html>", "not a JSON object"), ("[]", "not a JSON object"), ("{}", "no `uri`"),
      (#"{"uri":5,"headers":{}}"#, "no `uri`"), (#"{"uri":"http://s3.example/k"}"#, "no `headers`"),
      (#"{"uri":"http://s3.example/k","headers":[]}"#, "no `headers`"),
      (#"{"uri":"http://s3.example/k","headers":{"A":"b"}}"#, "not an array"),
      (#"{"uri":"http://s3.example/k","headers":{"A":[1]}}"#, "not an array"),
      (#"{"uri":"http://s3.example/k","headers":{"A":["b\r\nC: d"]}}"#, "a character that HTTP does not allow"),
      (#"{"uri":"http://s3.example/k","headers":{"A b":["c"]}}"#, "a character that HTTP does not allow"),
      (#"{"uri":"ftp://s3.example/k","headers":{}}"#, "does not start with http"),
      (#"{"uri":"file:///etc/passwd","headers":{}}"#, "does not start with http"),
      (#"{"uri":"/k","headers":{}}"#, "does not start with http"),
      (#"{"uri":"http://u:p@s3.example/k","headers":{}}"#, "carries a user or password"),
      (#"{"uri":"http://s3.example/k#f","headers":{}}"#, "has a fragment"),
      (#"{"uri":"http://s3.example/a b","headers":{}}"#, "must be percent-encoded"),
      (#"{"uri":"http:///k","headers":{}}"#, "no usable host"), (#"{"uri":"http://s3:99999/k","headers":{}}"#, "no usable host"),
    ])
  func nonsense(body: String, reason: String) async throws {
    let lake = try SignedLake(signer: { _, _ in
      .success(HTTPResponse(status: body.isEmpty ? 204 : 200, headers: [], body: Array(body.utf8)))
    })
    let error = try #require(await lake.readError())
    #expect(error.kind == .malformed)
    #expect(error.message.contains(reason), "\(error.message)")
    #expect(lake.toS3.isEmpty)
    #expect(lake.signs.count == 1)
  }

  @Test("A request that TLS protects is never sent on without it")
  func downgrade() async throws {
    let lake = try SignedLake(
      ["s3.endpoint": "https://s3.example"], signer: { .success(.signature(of: $0, $1, uri: "http://s3.example/b/k")) })
    #expect(await lake.readError()?.message.contains("without TLS") == true)
    #expect(lake.toS3.isEmpty)
  }

  @Test("Three thousand damaged answers are an error or a signature, never a crash")
  func fuzz() async throws {
    let whole = Array(
      #"{"uri":"http://s3.example/b/k?x=%20","headers":{"Authorization":["AWS4 SignedHeaders=host;range, S"],"X":["a","b"]},"y":[1,{}]}"#
        .utf8)
    var random = SystemRandomNumberGenerator()
    let seed = UInt64.random(in: 0..<UInt64.max, using: &random)
    let state = Mutex(seed)
    let lake = try SignedLake(signer: { _, _ in
      let body = state.withLock { state in
        var body = whole
        for _ in 0..<Int(state % 4) + 1 {
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          guard !body.isEmpty else { break }
          let index = Int((state >> 33) % UInt64(body.count))
          switch (state >> 20) % 4 {
          case 0: body[index] = UInt8(truncatingIfNeeded: state >> 40)
          case 1: body.remove(at: index)
          case 2: body.insert(contentsOf: body[index...].prefix(9), at: index)
          default: body = Array(body.prefix(index + 1))
          }
        }
        return body
      }
      return .success(HTTPResponse(status: 200, headers: [("Cache-Control", "no-cache")], body: body))
    })
    for _ in 0..<3000 {
      let error = await lake.readError()
      #expect(error == nil || error?.kind == .malformed, "seed \(seed)")
    }
    #expect(lake.toS3.allSatisfy { RestClientProperties.isHeader("A", $0.headers.map(\.value).joined()) })
  }

  @Test("What a service repeats of tokens, passwords and keys is not in the error")
  func secrets() async throws {
    let lake = try SignedLake(
      ["token": "tok-en.secret", "header.X-Api-Key": "api-key-1"],
      signer: { request, _ in
        let echo = request.headers.map { "\($0.name)=\($0.value)" }.joined(separator: " ") + request.text
        return .success(Self.error(403, type: "Forbidden tok-en.secret", message: echo))
      })
    let key = "c2VjcmV0LWtleS1vZi1zc2U="
    let error = try #require(
      await { () -> AWSError? in
        do throws(AWSError) {
          _ = try await lake.s3.headObject(bucket: "b", key: "k", headers: [("x-amz-server-side-encryption-customer-key", key)])
          return nil
        } catch {
          return error
        }
      }())
    for secret in ["tok-en.secret", "api-key-1", key] {
      #expect(!"\(error) \(error.message) \(error.code)".contains(secret))
    }
    #expect(error.message.contains("****"))
    #expect(error.message.utf8.count < 700)
  }
}
