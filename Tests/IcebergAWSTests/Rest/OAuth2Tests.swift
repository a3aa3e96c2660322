// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Iceberg
import Synchronization
import Telemetry
import TestSupport
import Testing
import WireFormats

@testable import IcebergAWS

@Suite("OAuth2 of REST services")
struct OAuth2Tests {
  /// Answers token requests by `token`, with their number, and signs everything else that carries a bearer token.
  private static func signer(
    _ token: @escaping @Sendable (HTTPRequest, Int) -> HTTPResponse = { _, number in .token("token-\(number)") }
  ) -> Web.Answer {
    let count = Mutex(0)
    return { request, number in
      guard request.text.hasPrefix("grant_type") else {
        let isKnown = request.value("Authorization")?.hasPrefix("Bearer ") == true
        return .success(isKnown ? .signature(of: request, number) : HTTPResponse(status: 401, headers: [], body: []))
      }
      let index = count.withLock { count in
        count += 1
        return count
      }
      return .success(token(request, index))
    }
  }

  private func jwt(expiring seconds: Double) -> String {
    let claims = Base64.encode(Array("{\"sub\":\"a\",\"exp\":\(Int(seconds))}".utf8)).replacing("=", with: "").replacing("+", with: "-")
    return "e30.\(claims.replacing("/", with: "_")).c2ln"
  }

  private func bearers(_ lake: SignedLake) -> [String?] { lake.signs.map { $0.value("Authorization") } }

  @Test(
    "A token by client credentials: the credential at its first colon, or all of it the secret",
    arguments: [
      (["credential": " id : se:cret "], ["client_id": "id", "client_secret": "se:cret", "scope": "sign"]),
      (["credential": "alone"], ["client_secret": "alone", "scope": "sign"]),
      (
        ["credential": "a:b", "scope": "x y", "audience": "aud", "resource": "res"],
        ["client_id": "a", "client_secret": "b", "scope": "x y", "audience": "aud", "resource": "res"]
      ),
      (["credential": "a:b", "rest.auth.type": "OAuth2"], ["client_id": "a", "client_secret": "b", "scope": "sign"]),
    ] as [([String: String?], [String: String])])
  func clientCredentials(properties: [String: String?], fields: [String: String]) async throws {
    let lake = try SignedLake(properties, signer: Self.signer())
    try await lake.read("a")
    try await lake.read("b")
    let request = try #require(lake.tokens.first)
    #expect(lake.tokens.count == 1)
    #expect(request.method == "POST")
    #expect(request.endpoint.description + request.target == "https://signer.example/base/v1/oauth/tokens")
    #expect(request.value("Content-Type") == "application/x-www-form-urlencoded")
    #expect(request.value("Accept") == "application/json")
    #expect(request.value("Authorization") == nil)
    #expect(request.form == fields.merging(["grant_type": "client_credentials"]) { $1 })
    #expect(bearers(lake) == ["Bearer token-1", "Bearer token-1"])
  }

  @Test(
    "oauth2-server-uri is an address, or a path below the signer's",
    arguments: [
      ("https://login.example/token?x=1", "https://login.example/token?x=1"), ("auth/token", "https://signer.example/base/auth/token"),
    ])
  func server(uri: String, address: String) async throws {
    let lake = try SignedLake(["credential": "a:b", "oauth2-server-uri": uri], signer: Self.signer())
    try await lake.read()
    #expect(lake.tokens.map { $0.endpoint.description + $0.target } == [address])
  }

  @Test("A configured token is used as it is, before any credential; without either nobody is named")
  func configured() async throws {
    let lake = try SignedLake(["token": "mine", "credential": "a:b"], signer: Self.signer())
    try await lake.read()
    #expect(lake.tokens.isEmpty)
    #expect(bearers(lake) == ["Bearer mine"])
    for properties in [["rest.auth.type": "none", "token": "mine"], ["rest.auth.type": "oauth2"], [:]] as [[String: String?]] {
      let lake = try SignedLake(properties)
      try await lake.read()
      #expect(bearers(lake) == [nil])
    }
  }

  @Test("A header of one's own goes before every identity")
  func ownHeader() async throws {
    let lake = try SignedLake(["token": "mine", "header.authorization": "Custom x", "header.X-Tenant": "t"])
    try await lake.read()
    #expect(bearers(lake) == ["Custom x"])
    #expect(lake.signs.first?.value("X-Tenant") == "t")
    #expect(lake.toS3.allSatisfy { $0.value("X-Tenant") == nil })
  }

  @Test("All who come before the first token share one request for it")
  func sharedFirst() async throws {
    let gate = Mutex<[CheckedContinuation<Void, Never>]>([])
    let answer = Self.signer()
    let lake = try SignedLake(
      ["credential": "a:b"],
      signer: { request, number in
        if request.text.hasPrefix("grant_type") { await withCheckedContinuation { waiter in gate.withLock { $0.append(waiter) } } }
        return await answer(request, number)
      })
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<20 { group.addTask { try await lake.read("k\(index)") } }
      #expect(await becomesTrue { gate.withLock { !$0.isEmpty } })
      for _ in 0..<50 { await Task.yield() }
      for waiter in gate.withLock({ $0 }) { waiter.resume() }
      try await group.waitForAll()
    }
    #expect(lake.tokens.count == 1)
    #expect(lake.signs.count == 20)
  }

  @Test("A caller that is cancelled while it waits for a token ends at once, and the token comes for the others")
  func cancelledWaiter() async throws {
    let gate = Mutex<[CheckedContinuation<Void, Never>]>([])
    let answer = Self.signer()
    let lake = try SignedLake(
      ["credential": "a:b"],
      signer: { request, number in
        if request.text.hasPrefix("grant_type") { await withCheckedContinuation { waiter in gate.withLock { $0.append(waiter) } } }
        return await answer(request, number)
      })
    let impatient = Task { await lake.readError("a") }
    #expect(await becomesTrue { gate.withLock { !$0.isEmpty } })
    impatient.cancel()
    #expect(await impatient.value?.kind == .cancelled)
    let patient = Task { await lake.readError("b") }
    for waiter in gate.withLock({ $0 }) { waiter.resume() }
    #expect(await patient.value == nil)
    #expect(lake.tokens.count == 1)
  }

  @Test(
    "A token is exchanged in the background before its end: by a tenth of its life, five minutes at most",
    arguments: [(1000, 900.0), (10_000, 9700.0), (60, 54.0)] as [(Int64, Double)])
  func background(life: Int64, due: Double) async throws {
    let clock = ManualClock()
    let lake = try SignedLake(
      ["credential": "a:b", "audience": "aud", "auth.session-timeout-ms": "86400000"], clock: clock,
      signer: Self.signer { _, number in .token("token-\(number)", expiresIn: life) })
    try await lake.read("a")
    await clock.waitForSleepers()
    clock.advance(due - 1)
    await clock.waitForSleepers()
    #expect(lake.tokens.count == 1)
    clock.advance(1.01)
    #expect(await becomesTrue { lake.tokens.count == 2 })
    let exchange = lake.tokens[1]
    #expect(exchange.value("Authorization") == "Bearer token-1")
    #expect(
      exchange.form == [
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "scope": "sign", "subject_token": "token-1",
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token", "audience": "aud",
      ])
    await clock.waitForSleepers()
    try await lake.read("b")
    #expect(bearers(lake) == ["Bearer token-1", "Bearer token-2"])
    #expect(lake.tokens.count == 2)
  }

  @Test("A token that says in itself when it ends is believed, also where its answer says otherwise")
  func jwtExpiry() async throws {
    let clock = ManualClock()
    let token = jwt(expiring: ManualClock.start + 1000)
    let lake = try SignedLake(["token": token, "token-expires-in-ms": "10"], clock: clock, signer: Self.signer())
    try await lake.read("a")
    await clock.waitForSleepers()
    #expect(clock.sleeps == [.seconds(900)])
    #expect(OAuth2Token.expiration(ofJWT: token) == ManualClock.start + 1000)
    for other in ["a.b", "a.b.c", "e30.e30.", "e30.\(Base64.encode(Array("{\"exp\":\"x\"}".utf8))).x", "..", "e30.!!.x", ""] {
      #expect(OAuth2Token.expiration(ofJWT: other) == nil)
    }
  }

  @Test("token-expires-in-ms counts for a configured token only where it is set")
  func configuredLife() async throws {
    let clock = ManualClock()
    let lake = try SignedLake(["token": "mine", "token-expires-in-ms": "60000"], clock: clock, signer: Self.signer())
    try await lake.read()
    await clock.waitForSleepers()
    #expect(clock.sleeps == [.seconds(54)])
    let endless = ManualClock()
    let other = try SignedLake(["token": "mine"], clock: endless, signer: Self.signer())
    try await other.read()
    #expect(endless.sleeps.isEmpty)
  }

  @Test("A configured token that has ended is exchanged by the credential before it is ever used, else used all the same")
  func endedAtStart() async throws {
    let clock = ManualClock()
    let token = jwt(expiring: ManualClock.start - 1)
    let lake = try SignedLake(["token": token, "credential": "a:b"], clock: clock, signer: Self.signer())
    try await lake.read()
    #expect(lake.tokens.map { $0.value("Authorization") } == ["Basic YTpi"])
    #expect(lake.tokens.first?.form["subject_token"] == token)
    #expect(bearers(lake) == ["Bearer token-1"])
    let alone = try SignedLake(["token": token], clock: clock, signer: Self.signer())
    try await alone.read()
    #expect(alone.tokens.isEmpty)
    #expect(bearers(alone) == ["Bearer \(token)"])
  }

  @Test("Without exchange the credential gets another token; without a credential, or without refresh, the old one stays")
  func withoutExchange() async throws {
    let clock = ManualClock()
    let lake = try SignedLake(["credential": "a:b", "token-exchange-enabled": "false"], clock: clock, signer: Self.signer())
    try await lake.read("a")
    await clock.waitForSleepers()
    clock.advance(3301)
    #expect(await becomesTrue { lake.tokens.count == 2 })
    #expect(lake.tokens.map { $0.form["grant_type"] } == ["client_credentials", "client_credentials"])
    let settings: [[String: String?]] = [
      ["token": "mine", "token-exchange-enabled": "false", "token-expires-in-ms": "1000"],
      ["credential": "a:b", "token-refresh-enabled": "false"],
    ]
    for properties in settings {
      let still = ManualClock()
      let lake = try SignedLake(properties.merging(["auth.session-timeout-ms": "86400000"]) { $1 }, clock: still, signer: Self.signer())
      try await lake.read("a")
      let before = lake.tokens.count
      still.advance(10_000)
      try await lake.read("b")
      #expect(lake.tokens.count == before)
      #expect(bearers(lake)[0] == bearers(lake)[1])
      #expect(still.sleeps.isEmpty)
    }
  }

  @Test("A renewal that fails is tried six times by every way there is; the old token stays in use, and a minute later it goes on")
  func failingRenewal() async throws {
    let clock = ManualClock()
    let isDown = Mutex(true)
    let lake = try SignedLake(
      ["credential": "a:b"], clock: clock,
      signer: Self.signer { _, number in
        number == 1 || !isDown.withLock { $0 } ? .token("token-\(number)") : HTTPResponse(status: 400, headers: [], body: [])
      })
    try await lake.read("a")
    await clock.waitForSleepers()
    clock.advance(3300)
    for delay in [0.1, 0.2, 0.4, 0.8, 1.6] {
      await clock.waitForSleepers()
      clock.advance(delay)
    }
    // By the token, by the credential, and anew.
    #expect(await becomesTrue { lake.tokens.count == 1 + 6 * 3 })
    #expect(lake.tokens[1...3].map { $0.value("Authorization")?.prefix(6) } == ["Bearer", "Basic ", nil])
    await clock.waitForSleepers()
    try await lake.read("b")
    #expect(bearers(lake).last == "Bearer token-1")
    isDown.withLock { $0 = false }
    clock.advance(60.1)
    #expect(await becomesTrue { lake.tokens.count == 20 })
    await clock.waitForSleepers()
    try await lake.read("c")
    #expect(bearers(lake).last == "Bearer token-20")
  }

  @Test("A token refused with 401 is renewed once, and the call repeated once")
  func refused() async throws {
    let good = Mutex("Bearer token-2")
    let answer = Self.signer()
    let web: Web.Answer = { request, number in
      let isToken = request.text.hasPrefix("grant_type")
      if !isToken, request.value("Authorization") != good.withLock({ $0 }) {
        return .success(.json(["error": ["message": "stale", "type": "NotAuthorizedException", "code": 401]], status: 401))
      }
      return await answer(request, number)
    }
    let lake = try SignedLake(["credential": "a:b"], signer: web)
    try await lake.read()
    #expect(lake.tokens.count == 2)
    #expect(bearers(lake) == ["Bearer token-1", "Bearer token-2"])
    good.withLock { $0 = "nobody" }
    let error = try #require(await lake.readError("other"))
    #expect(error.kind == .credentials)
    #expect(error.message.contains("Not authorized: stale"))
    #expect(lake.tokens.count == 3)
    #expect(bearers(lake).count == 4)
    let fixed = try SignedLake(["token": "mine", "token-refresh-enabled": "false"], signer: web)
    #expect(await fixed.readError()?.kind == .credentials)
    #expect(fixed.signs.count == 1)
  }

  @Test("A session that nobody used for auth.session-timeout-ms starts anew, and is not renewed meanwhile")
  func sessionTimeout() async throws {
    let clock = ManualClock()
    let lake = try SignedLake(["credential": "a:b", "auth.session-timeout-ms": "1000000"], clock: clock, signer: Self.signer())
    try await lake.read("a")
    await clock.waitForSleepers()
    clock.advance(3400)
    try await lake.read("b")
    #expect(lake.tokens.map { $0.form["grant_type"] } == ["client_credentials", "client_credentials"])
    #expect(bearers(lake) == ["Bearer token-1", "Bearer token-2"])
  }

  @Test(
    "Refusals of a token service are told in Iceberg's words",
    arguments: [
      (401, #"{"error":"invalid_client","error_description":"who?"}"#, AWSError.Kind.credentials, "Not authorized: invalid_client: who?"),
      (400, #"{"error":"invalid_scope","error_description":"no"}"#, .badRequest, "Malformed request: invalid_scope: no"),
      (400, #"{"error":"invalid_grant"}"#, .credentials, "Malformed request: invalid_grant: "),
      (400, #"{"error":"unsupported_grant_type"}"#, .badRequest, "Malformed request: unsupported_grant_type: "),
      (403, #"{"error":"odd","error_description":"d b"}"#, .credentials, "Unable to process (code: 403, type: odd): d b"),
      (418, "teapot", .badRequest, "Unable to process (code: 418, type: RESTException): teapot"),
      (200, "[]", .malformed, "it is not a JSON object"), (200, "{}", .malformed, "it has no access_token"),
      (200, #"{"access_token":"a"}"#, .malformed, "it has no token_type"),
      (200, #"{"access_token":"a","token_type":"mac"}"#, .malformed, #"Unsupported token type: mac (must be "bearer" or "N_A")"#),
      (200, #"{"access_token":"a\n","token_type":"bearer"}"#, .malformed, "cannot stand in a header"),
      (200, #"{"access_token":"a","token_type":"N_A","issued_token_type":"x"}"#, .malformed, "Invalid token type: x"),
    ] as [(Int, String, AWSError.Kind, String)])
  func refusals(status: Int, body: String, kind: AWSError.Kind, text: String) async throws {
    let lake = try SignedLake(
      ["credential": "id:the-secret"],
      signer: Self.signer { request, _ in
        HTTPResponse(status: status, headers: [], body: Array(body.replacing("d b", with: "d b \(request.text)").utf8))
      })
    let error = try #require(await lake.readError())
    #expect(error.kind == kind)
    #expect(error.message.contains(text), "\(error.message)")
    #expect(error.message.contains("the token service at https://signer.example"))
    #expect(!error.message.contains("the-secret"))
    #expect(lake.toS3.isEmpty)
    let code = FileIOError(error, reading: ObjectLocation(bucket: "b", key: "k"), etag: nil).code
    #expect(code == (kind == .credentials ? .denied : .failed))
  }

  @Test("Basic authentication")
  func basic() async throws {
    let lake = try SignedLake(["rest.auth.type": "basic", "rest.auth.basic.username": "Aladdin", "rest.auth.basic.password": "open sesame"])
    try await lake.read()
    #expect(bearers(lake) == ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="])
  }

  @Test(
    "Signature version 4 over another identity, with keys, region and service of its own",
    arguments: [["rest.auth.type": "sigv4"], ["rest.sigv4-enabled": "true"]])
  func sigV4(how: [String: String]) async throws {
    let clock = ManualClock()
    var properties: [String: String?] = [
      "rest.access-key-id": "REST", "rest.secret-access-key": "s", "rest.session-token": "session", "rest.signing-name": "svc",
      "rest.signing-region": "eu-south-1", "token": "mine",
    ]
    for (key, value) in how { properties[key] = value }
    let lake = try SignedLake(properties, clock: clock)
    try await lake.read()
    let request = try #require(lake.signs.first)
    #expect(request.value("Original-Authorization") == "Bearer mine")
    #expect(request.value("X-Amz-Security-Token") == "session")
    let body = SHA256.digest(request.body)
    #expect(request.value("x-amz-content-sha256") == Base64.encode(body))
    // The same request signed once more, with the hash in hex where the signature has it.
    var again = request
    again.headers.removeAll { ["authorization", "x-amz-date", "x-amz-security-token"].contains($0.name.lowercased()) }
    SigV4Signer().sign(
      &again, scope: SigV4Signer.Scope(service: "svc", region: "eu-south-1"),
      credentials: AWSCredentials(
        accessKeyID: "REST", secretAccessKey: .init("s"), sessionToken: .init("session"), source: "test"),
      payloadHash: SHA256.hexText(body), at: ManualClock.start)
    #expect(request.value("Authorization") == again.value("Authorization"))
    #expect(request.value("Authorization")?.contains("/eu-south-1/svc/aws4_request") == true)
    #expect(request.value("Authorization")?.contains("original-authorization;x-amz-content-sha256;x-amz-date") == true)
  }

  @Test("Signature version 4 falls back on the catalog's region, execute-api and the keys of other services")
  func sigV4Defaults() async throws {
    let lake = try SignedLake(
      ["rest.auth.type": "sigv4", "rest.auth.sigv4.delegate-auth-type": "none", "token": "unused"],
      variables: ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "x"])
    try await lake.read()
    let header = try #require(lake.signs.first?.value("Authorization"))
    #expect(header.contains("Credential=ENV/") && header.contains("/eu-west-1/execute-api/aws4_request"))
    #expect(lake.signs.first?.value("Original-Authorization") == nil)
  }
}
