// SPDX-License-Identifier: Apache-2.0

import HTTP
import Logging
import Synchronization
import Telemetry
import Testing

@testable import AWSCore

@Suite("A signer in place of keys")
struct RequestSignerTests {
  private let get = AWSRequest(operation: "S3.GetObject", method: "GET", bucket: "bucket", path: "/k", headers: [("Range", "bytes=0-9")])
  private static let mismatch = "<Error><Code>SignatureDoesNotMatch</Code><Message>StringToSign hides a token</Message></Error>"

  @Test("Every send is signed anew, with the headers of its own attempt and what is left of the deadline")
  func everySend() async throws {
    let signer = RecordingSigner()
    let test = SignedClient(signer, [.answer(500), .answer(200)])
    _ = try await test.client.send(get)
    #expect(signer.seen.count == 2)
    #expect(signer.seen.map { $0.header("amz-sdk-request") } == ["attempt=1; max=6", "attempt=2; max=6"])
    #expect(signer.seen.allSatisfy { $0.header("range") == "bytes=0-9" && $0.header("x-amz-date") == nil })
    #expect(signer.seen.map(\.deadline) == [.seconds(120), .seconds(120) - .milliseconds(50)])
    #expect(test.transport.requests.map { $0.header("authorization") } == ["signature 1", "signature 2"])
    #expect(test.transport.requests.allSatisfy { $0.endpoint.host == "other.example" && $0.target == "/signed?x=1" })
  }

  @Test("A refused signature is made anew once, without a wait", arguments: [("GET", Self.mismatch), ("HEAD", "")])
  func renewal(method: String, body: String) async throws {
    let signer = RecordingSigner()
    let test = SignedClient(signer, [.answer(403, body: body), .answer(200)])
    var request = get
    request.method = method
    _ = try await test.client.send(request)
    #expect(signer.renewals == 1)
    #expect(test.clock.sleeps == [])
    #expect(test.transport.requests.count == 2)
  }

  @Test("A signature refused twice is an error that names the signer and repeats nothing that it signed")
  func refusedTwice() async throws {
    let signer = RecordingSigner()
    let test = SignedClient(signer, [.answer(403, body: Self.mismatch)])
    let error = await test.error(get)
    #expect(error?.kind == .credentials)
    #expect(error?.message == "the signature of the signer at https://signer does not match what was sent")
    #expect(signer.seen.count == 2)
  }

  @Test("A signer that has nothing new is not asked to sign again")
  func nothingNew() async throws {
    let signer = RecordingSigner(renews: false)
    let test = SignedClient(signer, [.answer(403, body: Self.mismatch)])
    #expect(await test.error(get)?.attempts == 1)
  }

  @Test("A refusal that no signature mends is final", arguments: [("AccessDenied", AWSError.Kind.accessDenied), ("NoSuchKey", .notFound)])
  func denied(code: String, kind: AWSError.Kind) async throws {
    let signer = RecordingSigner()
    let test = SignedClient(signer, [.answer(kind == .notFound ? 404 : 403, body: "<Error><Code>\(code)</Code></Error>")])
    let error = await test.error(get)
    #expect(error?.kind == kind)
    #expect(signer.renewals == 0)
    if kind == .accessDenied {
      #expect(error?.message == "S3 denied access to requests that the signer at https://signer signs; it needs s3:GetObject")
    }
  }

  @Test("The clock of this machine is not corrected for a signature that another one made")
  func clock() async throws {
    let signer = RecordingSigner()
    let late = "<Error><Code>RequestTimeTooSkewed</Code></Error>"
    let test = SignedClient(signer, [.answer(403, headers: [("Date", "Sun, 30 Aug 2015 10:36:00 GMT")], body: late)])
    #expect(await test.error(get)?.message == "the clock of the signer at https://signer is wrong: RequestTimeTooSkewed")
    #expect(signer.seconds == [1_440_938_160, 1_440_938_160])
  }

  @Test("No signature, no send: the signer's error is the call's, with the operation's name, and definite")
  func noSignature() async throws {
    let signer = RecordingSigner(failure: AWSError(kind: .accessDenied, code: "Forbidden", message: "m", operation: "", isDefinite: false))
    let test = SignedClient(signer, [.answer(200)])
    let error = await test.error(get)
    #expect(error?.operation == "S3.GetObject")
    #expect(error?.isDefinite == true)
    #expect(error?.attempts == 1)
    #expect(test.transport.requests.isEmpty)
  }

  @Test("Time that signing takes is taken from the deadline; with none left nothing is sent")
  func slowSigner() async throws {
    let clock = VirtualClock()
    let signer = RecordingSigner { clock.advance(.seconds(100)) }
    let test = SignedClient(signer, [.answer(500), .answer(200)], clock: clock)
    let error = await test.error(get)
    #expect(error?.kind == .timedOut)
    #expect(test.transport.requests.map(\.deadline) == [.seconds(20)])
  }
}

/// Signs with a number, for another address.
private final class RecordingSigner: RequestSigner {
  private struct State {
    var seen: [HTTPRequest] = []
    var seconds: [Double] = []
    var renewals = 0
  }

  private let state = Mutex(State())
  private let canRenew: Bool
  private let failure: AWSError?
  private let whileSigning: @Sendable () -> Void

  init(renews: Bool = true, failure: AWSError? = nil, whileSigning: @escaping @Sendable () -> Void = {}) {
    canRenew = renews
    self.failure = failure
    self.whileSigning = whileSigning
  }

  var seen: [HTTPRequest] { state.withLock { $0.seen } }
  var seconds: [Double] { state.withLock { $0.seconds } }
  var renewals: Int { state.withLock { $0.renewals } }
  var usesOwnKeys: Bool { false }

  func sign(_ request: inout HTTPRequest, _ context: SigningContext) async throws(AWSError) {
    let unsigned = request
    let number = state.withLock { state in
      state.seen.append(unsigned)
      state.seconds.append(context.seconds)
      return state.seen.count
    }
    whileSigning()
    if let failure { throw failure }
    request.endpoint = HTTPEndpoint(isSecure: true, host: "other.example")
    request.target = "/signed?x=1"
    request.headers.append(("Authorization", "signature \(number)"))
  }

  func renews(_ request: HTTPRequest, _ context: SigningContext, refusedWith error: AWSError) -> Bool {
    state.withLock { $0.renewals += 1 }
    return canRenew
  }
}

private struct SignedClient {
  let transport: FakeTransport
  let clock: VirtualClock
  let client: AWSClient

  init(_ signer: RecordingSigner, _ outcomes: [FakeTransport.Outcome], clock: VirtualClock = VirtualClock()) {
    transport = FakeTransport(outcomes)
    self.clock = clock
    do {
      client = AWSClient(
        service: .s3, region: "us-east-1", endpoint: try EndpointResolver(service: .s3, region: "us-east-1"),
        credentials: StaticCredentialsProvider(.signedElsewhere(by: "the signer at https://signer")), signer: signer, retry: .s3(),
        transport: transport, metrics: Metrics(), logger: Logger(label: "test"), clock: clock)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  func error(_ request: AWSRequest) async -> AWSError? {
    do {
      _ = try await client.send(request)
      return nil
    } catch {
      return error
    }
  }
}
