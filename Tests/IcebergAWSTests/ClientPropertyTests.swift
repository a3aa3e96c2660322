// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import IcebergAWS
import Logging
import Synchronization
import Telemetry
import Testing

@Suite("What each property of the HTTP client and of single services changes")
struct ClientPropertyTests {
  private typealias Settings = CurlTransportConfiguration

  private static let base = [
    "type": "glue", "client.region": "eu-west-1", "client.access-key-id": "ALL", "client.secret-access-key": "x",
  ]

  @Test("Properties of the HTTP client change the transport that requests go through")
  func transport() throws {
    let changes: [(properties: [String: String], isSet: (Settings) -> Bool)] = [
      (["http-client.apache.connection-timeout-ms": "111"], { $0.connectTimeout == .milliseconds(111) }),
      (["http-client.apache.socket-timeout-ms": "7000"], { $0.socketTimeout == .seconds(7) }),
      (["http-client.apache.connection-max-idle-time-ms": "9000"], { $0.maxIdle == .seconds(9) }),
      (["http-client.apache.connection-time-to-live-ms": "8000"], { $0.maxLifetime == .seconds(8) }),
      (["http-client.apache.max-connections": "3"], { $0.maxConnections == 3 }),
      (["http-client.apache.connection-acquisition-timeout-ms": "500"], { $0.acquisitionTimeout == .milliseconds(500) }),
      ([:], { $0.acquisitionTimeout == nil }),
      (["http-client.apache.tcp-keep-alive-enabled": "true"], { $0.sendsTCPKeepAlive }),
      (["http-client.proxy-endpoint": "http://p:1"], { $0.proxy == .endpoint("http://p:1") }),
      (["http-client.proxy-use-environment-variable-values": "false"], { $0.proxy == .none }),
      (
        ["http-client.type": "urlconnection", "http-client.urlconnection.connection-timeout-ms": "222"],
        { $0.connectTimeout == .milliseconds(222) }
      ),
      (["http-client.type": "urlconnection", "http-client.urlconnection.socket-timeout-ms": "6000"], { $0.socketTimeout == .seconds(6) }),
      // A key of the other type is not read.
      (["http-client.urlconnection.socket-timeout-ms": "6000"], { $0.socketTimeout == .seconds(30) }),
    ]
    for change in changes {
      let (factory, recorder) = try Self.factory(change.properties)
      _ = try factory.glue()
      _ = try factory.s3()
      let given = recorder.settings
      #expect(!given.isEmpty && given.allSatisfy(change.isSet), "\(change.properties)")
    }
  }

  @Test(
    "http-client.apache.expect-continue-enabled has PutObject and UploadPart ask before their body, unsigned",
    arguments: ["true", "false", nil])
  func expectContinue(value: String?) async throws {
    let (factory, recorder) = try Self.factory(value.map { ["http-client.apache.expect-continue-enabled": $0] } ?? [:])
    let s3 = try factory.s3()
    let upload = S3MultipartUpload(bucket: "b", key: "k", id: "u", date: nil)
    _ = try? await s3.putObject(bucket: "b", key: "k", body: [1], condition: nil, isChecksummed: false)
    _ = try? await s3.uploadPart(upload, number: 1, body: [1], isChecksummed: false)
    let asking = recorder.requests.count
    _ = try? await s3.putObject(bucket: "b", key: "k", body: [], condition: nil, isChecksummed: false)
    _ = try? await s3.completeMultipartUpload(upload, parts: [], condition: nil)
    _ = try? await factory.glue().getDatabases(nextToken: nil)
    let requests = recorder.requests
    #expect(asking == 2 && requests.count == 5)
    for (number, request) in requests.enumerated() {
      let isAsking = value == "true" && number < asking
      #expect(request.headers.filter { $0.name == "Expect" }.map(\.value) == (isAsking ? ["100-continue"] : []), "\(number)")
      #expect(request.headers.contains { $0.name == "Authorization" && !$0.value.contains("expect") })
    }
  }

  @Test("s3.analytics-accelerator.useragentprefix stands before the user agent of S3's requests alone, where the library is switched on")
  func userAgentPrefix() async throws {
    let prefix = "s3.analytics-accelerator.useragentprefix"
    let cases = [("my-lake", "true", "my-lake bergfs"), (" my lake/1.0 ", "true", "my_lake_1.0 bergfs"), ("  ", "true", "bergfs")]
    for (value, enabled, expected) in cases + [("my-lake", "false", "bergfs")] {
      let (factory, recorder) = try Self.factory([prefix: value, "s3.analytics-accelerator.enabled": enabled])
      _ = try? await factory.s3().headObject(bucket: "b", key: "k")
      _ = try? await factory.glue().getDatabases(nextToken: nil)
      #expect(recorder.requests.map { $0.headers.first { $0.name == "User-Agent" }?.value } == [expected, "bergfs"])
    }
    for value in ["a\r\nx: y", "a\u{7f}", "ä"] {
      let error = #expect(throws: PropertyError.self) { try Self.factory([prefix: value, "s3.analytics-accelerator.enabled": "true"]) }
      #expect(error?.message == "\(prefix) holds a control character, or one that is not ASCII")
    }
  }

  @Test("PyIceberg's timeouts and proxy of S3 are S3's alone")
  func s3Transport() throws {
    let (factory, recorder) = try Self.factory(["s3.connect-timeout": "1.5", "s3.request-timeout": "4", "s3.proxy-uri": "http://s:2"])
    _ = try factory.s3()
    _ = try factory.glue()
    let s3 = try #require(recorder.settings.first { $0.proxy == .endpoint("http://s:2") })
    #expect(s3.connectTimeout == .milliseconds(1500) && s3.socketTimeout == .seconds(4))
    #expect(recorder.settings.contains { $0.proxy == .environment && $0.connectTimeout == .seconds(2) })
  }

  @Test("PyIceberg's keys of DynamoDB and Glue sign the requests of these services alone")
  func serviceKeys() async throws {
    let (factory, recorder) = try Self.factory([
      "dynamodb.region": "eu-north-1", "dynamodb.access-key-id": "DDB", "dynamodb.secret-access-key": "x", "dynamodb.session-token": "dt",
      "glue.region": "eu-south-1", "glue.access-key-id": "GLUE", "glue.secret-access-key": "x", "glue.session-token": "gt",
    ])
    _ = try? await factory.dynamo().describeTable("t")
    _ = try? await factory.glue().getDatabases(nextToken: nil)
    _ = try? await factory.s3().headObject(bucket: "b", key: "k")
    let requests = recorder.requests
    #expect(
      requests.map(\.endpoint.host) == ["dynamodb.eu-north-1.amazonaws.com", "glue.eu-south-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"])
    for (request, key) in zip(requests, ["DDB", "GLUE", "ALL"]) {
      #expect(request.headers.contains { $0.name == "Authorization" && $0.value.contains("Credential=\(key)/") })
    }
    #expect(requests.map { $0.headers.first { $0.name == "X-Amz-Security-Token" }?.value } == ["dt", "gt", nil])
  }

  @Test("DynamoDB has a profile of its own")
  func serviceProfile() async throws {
    let (factory, recorder) = try Self.factory(
      ["dynamodb.profile-name": "d", "client.access-key-id": "", "client.secret-access-key": ""],
      shared: "[d]\naws_access_key_id=PROFILE\naws_secret_access_key=x\n")
    _ = try? await factory.dynamo().describeTable("t")
    #expect(recorder.requests.first?.headers.contains { $0.value.contains("Credential=PROFILE/") } == true)
  }

  @Test("glue.max-retries and glue.retry-mode decide how often Glue is asked", arguments: [("0", "standard", 1), ("2", "legacy", 3)])
  func glueRetries(retries: String, mode: String, sends: Int) async throws {
    let (factory, recorder) = try Self.factory(["glue.max-retries": retries, "glue.retry-mode": mode], status: 503)
    _ = try? await factory.glue().getDatabases(nextToken: nil)
    #expect(recorder.requests.count == sends)
  }

  @Test("S3's role has S3's own session name")
  func roleSession() async throws {
    let (factory, recorder) = try Self.factory([
      "s3.role-arn": "arn:aws:iam::1:role/r", "s3.role-session-name": "mine", "client.role-session-name": "theirs",
    ])
    _ = try? await factory.s3().headObject(bucket: "b", key: "k")
    #expect(
      recorder.requests.contains {
        String(decoding: $0.body, as: UTF8.self).contains("RoleSessionName=mine&")
          || String(decoding: $0.body, as: UTF8.self).hasSuffix("RoleSessionName=mine")
      })
  }

  private static func factory(
    _ properties: [String: String], status: Int = 403, shared: String? = nil
  ) throws -> (DefaultAwsClientFactory, Recorder) {
    let recorder = Recorder(status: status)
    let factory = try DefaultAwsClientFactory(
      properties: base.merging(properties) { $1 }, variables: ["HOME": "/h", "AWS_EC2_METADATA_DISABLED": "true"],
      transport: { settings throws(HTTPError) in
        recorder.note(settings)
        return recorder
      }, metrics: Metrics(), logger: Logger(label: "test"), clock: InstantClock(),
      readFile: { path throws(AWSError) in path.hasSuffix("/credentials") ? shared.map { Array($0.utf8) } : nil })
    return (factory, recorder)
  }
}

/// Waits for nothing.
private struct InstantClock: AWSClock {
  func wallSeconds() -> Double { 1_440_938_160 }
  func elapsed() -> Duration { .zero }
  func sleep(for duration: Duration) async throws(CancellationError) {}
  func random() -> Double { 0.5 }
}

/// Keeps the settings that transports are asked for with, and the requests.
private final class Recorder: HTTPTransport {
  private let state = Mutex<(settings: [CurlTransportConfiguration], requests: [HTTPRequest])>(([], []))
  private let status: Int

  init(status: Int) { self.status = status }

  var settings: [CurlTransportConfiguration] { state.withLock { $0.settings } }
  var requests: [HTTPRequest] { state.withLock { $0.requests } }

  func note(_ settings: CurlTransportConfiguration) { state.withLock { $0.settings.append(settings) } }

  func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse {
    state.withLock { $0.requests.append(request) }
    return HTTPResponse(status: status, headers: [], body: [])
  }
}
