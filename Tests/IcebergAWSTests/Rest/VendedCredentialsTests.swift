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

@Suite("Vended credentials")
struct VendedCredentialsTests {
  private static let base = ["client.region": "eu-west-1", "uri": "https://catalog.example/api/"]

  private static func keys(_ id: String, until seconds: Double, prefix: String = "s3://bucket/") -> JSONValue {
    [
      "prefix": .string(prefix),
      "config": [
        "s3.access-key-id": .string(id), "s3.secret-access-key": "secret-word", "s3.session-token": .string("token-\(id)"),
        "s3.session-token-expires-at-ms": .string("\(Int(seconds * 1000))"),
      ],
    ]
  }

  /// Vends keys numbered from 1 that live for an hour.
  private static func vendor(_ clock: ManualClock) -> Web {
    Web { _, number in
      .success(
        .json(["storage-credentials": [keys("gcs", until: 0, prefix: "gs://b"), keys("KEY\(number)", until: clock.wallSeconds() + 3600)]]))
    }
  }

  private func provider(
    _ further: [String: String] = ["client.refresh-credentials-endpoint": "v1/credentials"], web: Web, clock: any AWSClock = ManualClock(),
    service: AWSService = .s3
  ) throws -> any AWSCredentialsProvider {
    try SignedLake.factory(Self.base.merging(further) { $1 }, web: web, clock: clock).credentials(for: service)
  }

  @Test("Keys are asked for with identity, headers and plan, kept, and replaced in the background five minutes before their end")
  func rotation() async throws {
    let clock = ManualClock()
    let web = Self.vendor(clock)
    let provider = try provider(
      [
        "client.refresh-credentials-endpoint": "/v1/ns/t/credentials", "token": "bearer-word", "header.X-Tenant": "t",
        "rest-scan-plan-id": "plan 1",
      ], web: web, clock: clock)
    for _ in 0..<3 { #expect(try await provider.credentials()?.accessKeyID == "KEY1") }
    let request = try #require(web.requests.first)
    #expect(web.requests.count == 1)
    #expect(request.method == "GET")
    #expect(request.endpoint.description + request.target == "https://catalog.example/api/v1/ns/t/credentials?planId=plan%201")
    #expect(request.value("Authorization") == "Bearer bearer-word")
    #expect(request.value("Accept") == "application/json")
    #expect(request.value("X-Tenant") == "t")
    let keys = try #require(try await provider.credentials())
    #expect(keys.secretAccessKey == Secret("secret-word"))
    #expect(keys.sessionToken == Secret("token-KEY1"))
    #expect(keys.expiration == ManualClock.start + 3600)
    clock.advance(3299)
    #expect(try await provider.credentials()?.accessKeyID == "KEY1")
    #expect(web.requests.count == 1)
    clock.advance(1)
    #expect(try await provider.credentials()?.accessKeyID == "KEY1")
    #expect(await becomesTrue { provider.latest?.accessKeyID == "KEY2" })
    #expect(try await provider.credentials()?.accessKeyID == "KEY2")
  }

  @Test("A failing service leaves the keys in use until their end, and not longer")
  func failingService() async throws {
    let clock = ManualClock()
    let web = Web { _, number in
      number == 1
        ? .success(.json(["storage-credentials": [Self.keys("KEY1", until: ManualClock.start + 3600)]]))
        : .success(.json(["error": ["message": "secret-word", "type": "T", "code": 403]], status: 403))
    }
    let provider = try provider(web: web, clock: clock)
    #expect(try await provider.credentials()?.accessKeyID == "KEY1")
    clock.advance(3500)
    #expect(try await provider.credentials()?.accessKeyID == "KEY1")
    #expect(await becomesTrue { web.requests.count == 2 })
    clock.advance(101)
    let error = await #expect(throws: AWSError.self) { _ = try await provider.credentials() }
    #expect(error?.kind == .accessDenied)
    #expect(error?.message.hasPrefix("the credential service at https://catalog.example answered: Forbidden: ") == true)
  }

  @Test(
    "The four ways in which an answer has no keys",
    arguments: [
      (["storage-credentials": []], "Invalid S3 Credentials: empty"), ([:], "Invalid S3 Credentials: empty"),
      (["storage-credentials": [keys("A", until: 9, prefix: "gs://b")]], "Invalid S3 Credentials: empty"),
      (
        ["storage-credentials": [keys("A", until: 9), keys("B", until: 9, prefix: "s3")]],
        "Invalid S3 Credentials: only one S3 credential should exist"
      ),
      (["storage-credentials": [["prefix": "s3", "config": [:]]]], "Invalid S3 Credentials: s3.access-key-id not set"),
      (
        [
          "storage-credentials": [
            ["prefix": "s3", "config": ["s3.access-key-id": "A", "s3.secret-access-key": "B", "s3.session-token": "C"]]
          ]
        ], "Invalid S3 Credentials: s3.session-token-expires-at-ms not set"
      ),
      (
        [
          "storage-credentials": [
            [
              "prefix": "s3",
              "config": [
                "s3.access-key-id": "A", "s3.secret-access-key": "secret-word", "s3.session-token": "C",
                "s3.session-token-expires-at-ms": "soon",
              ],
            ]
          ]
        ], "s3.session-token-expires-at-ms is no number"
      ), ([1], "it is not a JSON object"),
    ] as [(JSONValue, String)])
  func unusable(answer: JSONValue, text: String) async throws {
    let provider = try provider(web: Web { _, _ in .success(.json(answer)) })
    let error = await #expect(throws: AWSError.self) { _ = try await provider.credentials() }
    #expect(error?.kind == .malformed)
    #expect(error?.message.hasSuffix(text) == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("secret-word") == false)
  }

  @Test("What is missing is told in Java's words")
  func missing() {
    let vended = ["client.credentials-provider": "org.apache.iceberg.aws.s3.VendedCredentialsProvider"]
    let web = Web { _, _ in .success(.object()) }
    let noEndpoint = #expect(throws: PropertyError.self) { _ = try provider(vended, web: web) }
    #expect(noEndpoint?.message.hasPrefix("Invalid credentials endpoint: null") == true)
    let noBase = #expect(throws: PropertyError.self) {
      _ = try provider(["client.refresh-credentials-endpoint": "v1/c", "uri": ""], web: web)
    }
    #expect(noBase?.message.hasPrefix("Invalid catalog endpoint: null") == true)
  }

  @Test("Keys that stand in properties are the first, if all four do and five minutes are left")
  func initialKeys() async throws {
    let clock = ManualClock()
    func settings(_ left: Double, token: String? = "T") -> [String: String] {
      var settings = [
        "client.refresh-credentials-endpoint": "v1/c", "s3.access-key-id": "FIRST", "s3.secret-access-key": "S",
        "s3.session-token-expires-at-ms": "\(Int((ManualClock.start + left) * 1000))",
      ]
      settings["s3.session-token"] = token
      return settings
    }
    let web = Self.vendor(clock)
    let provider = try provider(settings(3600), web: web, clock: clock)
    #expect(try await provider.credentials()?.accessKeyID == "FIRST")
    clock.advance(3299)
    #expect(try await provider.credentials()?.accessKeyID == "FIRST")
    #expect(web.requests.isEmpty)
    clock.advance(1)
    #expect(try await provider.credentials()?.accessKeyID == "FIRST")
    #expect(await becomesTrue { provider.latest?.accessKeyID == "KEY1" })
    for (settings, time) in [(settings(299), 0.0), (settings(3600, token: nil), 0)] {
      let other = ManualClock()
      other.advance(time)
      let keys = try await self.provider(settings, web: Self.vendor(other), clock: other).credentials()
      #expect(keys?.accessKeyID == "KEY1")
    }
  }

  @Test("Keys that S3 refuses are asked for anew once")
  func refusedKeys() async throws {
    let clock = ManualClock()
    let answers = Mutex(0)
    let web = Web { request, number in
      if request.endpoint.host == "catalog.example" {
        return .success(.json(["storage-credentials": [Self.keys("KEY\(number)", until: ManualClock.start + 3600)]]))
      }
      let isFirst = answers.withLock { count in
        count += 1
        return count == 1
      }
      return .success(isFirst ? .refusal("ExpiredToken", status: 400) : .object())
    }
    let factory = try SignedLake.factory(
      Self.base.merging(["client.refresh-credentials-endpoint": "v1/c", "s3.endpoint": "http://s3.example"]) { $1 }, web: web, clock: clock)
    _ = try await factory.s3().headBucket("b")
    #expect(web.requests.map { $0.endpoint.host.hasSuffix("s3.example") } == [false, true, false, true])
    #expect(web.requests.last?.value("X-Amz-Security-Token") == "token-KEY3")
  }

  @Test("Which service uses them: S3 by the endpoint, all by the class; not where refreshing is off, and a class goes first")
  func order() async throws {
    let clock = ManualClock()
    let vended = ["client.credentials-provider": "org.apache.iceberg.aws.s3.VendedCredentialsProvider"]
    let endpoint = ["client.refresh-credentials-endpoint": "v1/c", "s3.access-key-id": "S3", "s3.secret-access-key": "x"]
    let own = ["client.access-key-id": "ALL", "client.secret-access-key": "x"]
    func key(_ settings: [String: String], _ service: AWSService) async throws -> String? {
      try await provider(settings.merging(own) { $1 }, web: Self.vendor(clock), clock: clock, service: service).credentials()?.accessKeyID
    }
    #expect(try await key(endpoint, .s3) == "KEY1")
    #expect(try await key(endpoint, .glue) == "ALL")
    #expect(try await key(endpoint.merging(["client.refresh-credentials-enabled": "false"]) { $1 }, .s3) == "S3")
    for service in [AWSService.s3, .glue, .dynamodb] {
      #expect(try await key(vended.merging(["credentials.uri": "https://vendor.example/c"]) { $1 }, service) == "KEY1")
    }
    let first = endpoint.merging([
      "client.credentials-provider": "software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider"
    ]) { $1 }
    #expect(try await provider(first, web: Self.vendor(clock), clock: clock).credentials()?.isAnonymous == true)
  }

  @Test("Settings of the provider go before the catalog's")
  func prefixed() async throws {
    let clock = ManualClock()
    let web = Self.vendor(clock)
    let settings = [
      "client.credentials-provider": "org.apache.iceberg.aws.s3.VendedCredentialsProvider",
      "client.credentials-provider.credentials.uri": "creds", "client.credentials-provider.uri": "https://other.example", "token": "all",
      "client.credentials-provider.token": "own",
    ]
    _ = try await provider(settings, web: web, clock: clock).credentials()
    #expect(web.requests.map { $0.endpoint.description + $0.target } == ["https://other.example/creds"])
    #expect(web.requests.first?.value("Authorization") == "Bearer own")
  }
}
