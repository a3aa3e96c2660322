// SPDX-License-Identifier: Apache-2.0

import HTTP
import Synchronization
import Telemetry
import Testing

@testable import AWSCore

@Suite("Retries on a virtual clock")
struct RetryTests {
  private let get = AWSRequest(operation: "S3.GetObject", method: "GET", bucket: "bucket", path: "/k")
  private static let slowDown = "<Error><Code>SlowDown</Code><Message>m</Message></Error>"

  @Test("S3 throttling waits at least half of a doubling time and gives up after six sends")
  func s3Throttling() async throws {
    let test = try ClientUnderTest(.s3, [.answer(503, body: Self.slowDown)])
    let error = await test.error(get)
    #expect(error?.kind == .throttled)
    #expect(error?.attempts == 6)
    #expect(error?.isDefinite == true)
    #expect(test.clock.sleeps == [.seconds(1.5), .seconds(3), .seconds(6), .seconds(12), .seconds(15)])
    #expect(test.metrics.value(.requestRetries, "S3.GetObject") == 5)
    #expect(test.metrics.value(.requests, "S3.GetObject", "503") == 6)
    #expect(test.client.bucket.available == RetryTokenBucket.capacity)
  }

  @Test("Other failures wait a random part of 100 ms doubled")
  func transientBackoff() async throws {
    let test = try ClientUnderTest(.glue, [.answer(500), .failure(.reset), .answer(200)], retry: .standard(maxAttempts: 3))
    let response = try await test.outcome(AWSRequest(operation: "Glue.GetTable", method: "POST")).get()
    #expect(response.attempts == 3)
    #expect(test.clock.sleeps == [.milliseconds(50), .milliseconds(100)])
  }

  @Test("Definite refusals are not sent again", arguments: [400, 403, 404, 409, 412])
  func definite(status: Int) async throws {
    let test = try ClientUnderTest(.s3, [.answer(status)])
    let error = await test.error(get)
    #expect(error?.attempts == 1)
    #expect(error?.status == status)
    #expect(error?.code == "\(status)")
    #expect(error?.isDefinite == true)
    #expect(error?.isRetryable == false)
  }

  @Test("A certificate that is not trusted is not tried again")
  func untrusted() async throws {
    let test = try ClientUnderTest(.s3, [.failure(.untrusted)])
    let error = await test.error(get)
    #expect(error?.kind == .network)
    #expect(error?.attempts == 1)
  }

  @Test("A send that may have arrived makes a later refusal uncertain; one that cannot have does not")
  func definiteness() async throws {
    let refusal = FakeTransport.Outcome.answer(412, body: "<Error><Code>PreconditionFailed</Code></Error>")
    let uncertain = await (try ClientUnderTest(.s3, [.failure(.reset), refusal])).error(get)
    #expect(uncertain?.kind == .conditionFailed)
    #expect(uncertain?.isDefinite == false)
    #expect(uncertain?.attempts == 2)
    let certain = await (try ClientUnderTest(.s3, [.failure(.refused), refusal])).error(get)
    #expect(certain?.isDefinite == true)
    let failed = await (try ClientUnderTest(.s3, [.answer(500), refusal])).error(get)
    #expect(failed?.isDefinite == false)
  }

  @Test("An empty bucket of tokens ends retries; a success refills it")
  func tokens() async throws {
    let test = try ClientUnderTest(.glue, [.answer(500)], retry: .standard(maxAttempts: 3))
    let request = AWSRequest(operation: "Glue.GetTable", method: "POST")
    for _ in 0..<50 { #expect(await test.error(request)?.attempts == 3) }
    #expect(test.client.bucket.available == 0)
    #expect(await test.error(request)?.attempts == 1)
    test.client.bucket.refund(5)
    #expect(await test.error(request)?.attempts == 2)
  }

  @Test("Success after a retry gives its cost back")
  func refund() async throws {
    let test = try ClientUnderTest(.glue, [.answer(500), .answer(200)], retry: .standard())
    _ = try await test.outcome(AWSRequest(operation: "Glue.GetTable", method: "POST")).get()
    #expect(test.client.bucket.available == RetryTokenBucket.capacity)
  }

  @Test("The call's deadline covers all sends, and each send gets what is left")
  func deadline() async throws {
    let clock = VirtualClock()
    let test = try ClientUnderTest(.s3, [.failure(.reset)], clock: clock, whileSending: { clock.advance(.seconds(4)) })
    var request = get
    request.deadline = .seconds(10)
    let error = await test.error(request)
    #expect(error?.attempts == 3)
    #expect(test.transport.requests.map(\.deadline) == [.seconds(10), .milliseconds(5950), .milliseconds(1850)])
  }

  @Test("A single send is bounded by the policy's own limit")
  func attemptLimit() async throws {
    var policy = RetryPolicy.standard()
    policy.attemptTimeout = .seconds(3)
    let test = try ClientUnderTest(.s3, [.answer(200)], retry: policy)
    _ = try await test.outcome(get).get()
    #expect(test.transport.requests.map(\.deadline) == [.seconds(3)])
  }

  @Test("Every send is signed anew and numbered")
  func resigned() async throws {
    let test = try ClientUnderTest(.s3, [.answer(503, body: Self.slowDown), .answer(200)])
    _ = try await test.outcome(get).get()
    let sent = test.transport.requests
    #expect(sent.map { $0.header("amz-sdk-request") } == ["attempt=1; max=6", "attempt=2; max=6"])
    #expect(sent[0].header("x-amz-date") == "20150830T123600Z")
    #expect(sent[1].header("x-amz-date") == "20150830T123601Z")
    #expect(sent[0].header("authorization") != sent[1].header("authorization"))
    #expect(sent[0].header("amz-sdk-invocation-id") == sent[1].header("amz-sdk-invocation-id"))
  }

  @Test("Expired keys are fetched again once, and the call repeated once")
  func expired() async throws {
    let body = "<Error><Code>ExpiredToken</Code><Message>sessiontoken topsecret</Message></Error>"
    let provider = RotatingProvider()
    let test = try ClientUnderTest(.s3, [.answer(400, body: body), .answer(200)], provider: provider)
    #expect(try await test.outcome(get).get().attempts == 2)
    #expect(provider.invalidations == 1)

    let stuck = try ClientUnderTest(.s3, [.answer(400, body: body)], provider: RotatingProvider())
    let error = await stuck.error(get)
    #expect(error?.attempts == 2)
    #expect(error?.kind == .credentials)
    #expect(error?.message == "the session token of access key AKIA…0002 (from test) has expired")

    let fixed = try ClientUnderTest(.s3, [.answer(400, body: body)], provider: RotatingProvider(rotates: false))
    #expect(await fixed.error(get)?.attempts == 1)
  }

  @Test("A wrong clock is corrected from the answer's date, for signatures only")
  func clockSkew() async throws {
    let date = (name: "Date", value: "Sun, 30 Aug 2015 13:36:00 GMT")
    let skewed = FakeTransport.Outcome.answer(403, headers: [date], body: "<Error><Code>RequestTimeTooSkewed</Code></Error>")
    let test = try ClientUnderTest(.s3, [skewed, .answer(200)])
    #expect(try await test.outcome(get).get().attempts == 2)
    #expect(test.transport.requests[1].header("x-amz-date") == "20150830T133600Z")
    #expect(test.clock.sleeps.isEmpty)
    _ = try await test.outcome(get).get()
    #expect(test.transport.requests[2].header("x-amz-date") == "20150830T133600Z")
  }

  @Test("A wrong signature at the right time is not blamed on the clock")
  func wrongSecret() async throws {
    let date = (name: "Date", value: "Sun, 30 Aug 2015 12:37:00 GMT")
    let body = "<Error><Code>SignatureDoesNotMatch</Code><Message>x-amz-security-token:sessiontoken</Message></Error>"
    let test = try ClientUnderTest(.s3, [.answer(403, headers: [date], body: body)])
    let error = await test.error(get)
    #expect(error?.attempts == 1)
    #expect(error?.kind == .credentials)
    #expect(error?.message == "the secret key does not match access key AKIA…0001 (from test)")
  }

  @Test("A body that breaks after its first byte is the caller's to resume")
  func brokenBody() async throws {
    let sink = CountingSink()
    let test = try ClientUnderTest(.s3, [.partial([1, 2], .reset), .answer(200, body: "abc")])
    let error = await test.error(get, sink: sink)
    #expect(error?.isRetryable == true)
    #expect(error?.attempts == 1)
    #expect(sink.counts == [1, 2])
  }

  @Test("A body that breaks before its first byte is asked for again unseen")
  func unbrokenBody() async throws {
    let sink = CountingSink()
    let test = try ClientUnderTest(.s3, [.partial([], .reset), .answer(200, body: "abc")])
    #expect(try await test.outcome(get, sink: sink).get().attempts == 2)
    #expect(sink.counts == [1, 3])
  }

  @Test("An empty answer still begins the sink")
  func emptyBody() async throws {
    let sink = CountingSink()
    let test = try ClientUnderTest(.s3, [.answer(200)])
    _ = try await test.outcome(get, sink: sink).get()
    #expect(sink.counts == [1, 0])
  }

  @Test("A cancelled task stops between sends")
  func cancelled() async throws {
    let test = try ClientUnderTest(.s3, [.answer(500)], whileSending: { withUnsafeCurrentTask { $0?.cancel() } })
    let error = await Task { await test.error(get) }.value
    #expect(error?.kind == .cancelled)
    #expect(error?.attempts == 1)
  }

  @Test("A 200 with an error in it counts as a server error, save for an object's bytes")
  func hiddenError() async throws {
    let body = "\n<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>m</Message></Error>"
    let list = AWSRequest(operation: "S3.ListObjectsV2", method: "GET", bucket: "bucket")
    let test = try ClientUnderTest(.s3, [.answer(200, body: body), .answer(200, body: "<ListBucketResult/>")])
    #expect(try await test.outcome(list).get().attempts == 2)
    let object = try ClientUnderTest(.s3, [.answer(200, body: body)])
    #expect(try await object.outcome(get).get().http.body == Array(body.utf8))
  }

  @Test("A DynamoDB answer that does not match its checksum is asked for again")
  func checksum() async throws {
    let request = AWSRequest(operation: "DynamoDB.GetItem", method: "POST")
    let wrong = FakeTransport.Outcome.answer(200, headers: [(name: "x-amz-crc32", value: "1")], body: "{}")
    let right = FakeTransport.Outcome.answer(200, headers: [(name: "x-amz-crc32", value: "2745614147")], body: "{}")
    let test = try ClientUnderTest(.dynamodb, [wrong, right], retry: .standard())
    #expect(try await test.outcome(request).get().attempts == 2)
  }
}

/// Counts begins and bytes.
final class CountingSink: HTTPBodySink {
  private let state = Mutex([0, 0])
  var counts: [Int] { state.withLock { $0 } }

  func begin(status: Int, headers: [(name: String, value: String)]) -> Bool {
    state.withLock { $0[0] += 1 }
    return true
  }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    state.withLock { $0[1] += bytes.count }
    return true
  }
}
