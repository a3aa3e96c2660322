// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Iceberg
import IcebergAWS
import Logging
import Telemetry
import Testing

/// What decides where S3's requests go, in the end: the host that a request of the factory's client has.
@Suite("S3 addressing by properties, variables and the profile")
struct S3AddressingTests {
  private static let accessPoint = "arn:aws:s3:us-east-1:123456789012:accesspoint/ap"
  private static let multiRegion = "arn:aws:s3::123456789012:accesspoint/m.mrap"

  struct Row: Sendable, CustomTestStringConvertible {
    var properties: [String: String] = [:]
    var variables: [String: String] = [:]
    var profile = ""
    var bucket = "bucket"
    var host: String
    var testDescription: String { "\(properties) \(variables) \(profile) → \(host)" }
  }

  static let rows: [Row] = [
    Row(host: "bucket.s3.eu-west-1.amazonaws.com"),
    Row(properties: ["s3.dualstack-enabled": "true"], host: "bucket.s3.dualstack.eu-west-1.amazonaws.com"),
    Row(variables: ["AWS_USE_DUALSTACK_ENDPOINT": "true"], host: "bucket.s3.dualstack.eu-west-1.amazonaws.com"),
    Row(profile: "use_dualstack_endpoint = true", host: "bucket.s3.dualstack.eu-west-1.amazonaws.com"),
    Row(profile: "s3 =\n  use_dualstack_endpoint = true", host: "bucket.s3.dualstack.eu-west-1.amazonaws.com"),
    Row(variables: ["AWS_USE_FIPS_ENDPOINT": "true"], host: "bucket.s3-fips.eu-west-1.amazonaws.com"),
    Row(profile: "use_fips_endpoint = true", host: "bucket.s3-fips.eu-west-1.amazonaws.com"),
    Row(properties: ["s3.acceleration-enabled": "true"], host: "bucket.s3-accelerate.amazonaws.com"),
    Row(profile: "s3 =\n  use_accelerate_endpoint = true", host: "bucket.s3-accelerate.amazonaws.com"),
    Row(properties: ["s3.path-style-access": "true"], host: "s3.eu-west-1.amazonaws.com"),
    Row(profile: "s3 =\n  addressing_style = path", host: "s3.eu-west-1.amazonaws.com"),
    Row(
      properties: ["s3.path-style-access": "false"], profile: "s3 =\n  addressing_style = path",
      host: "bucket.s3.eu-west-1.amazonaws.com"),
    Row(
      properties: ["s3.endpoint": "http://localhost:9000"], profile: "s3 =\n  addressing_style = virtual", host: "bucket.localhost:9000"),
    Row(properties: ["s3.endpoint": "http://localhost:9000"], profile: "s3 =\n  addressing_style = auto", host: "localhost:9000"),
    Row(
      properties: ["s3.access-points.bucket": accessPoint, "s3.use-arn-region-enabled": "true"],
      host: "ap-123456789012.s3-accesspoint.us-east-1.amazonaws.com"),
    Row(
      properties: ["s3.access-points.bucket": accessPoint], variables: ["AWS_S3_USE_ARN_REGION": "true"],
      host: "ap-123456789012.s3-accesspoint.us-east-1.amazonaws.com"),
    Row(
      properties: ["s3.access-points.bucket": accessPoint], profile: "s3_use_arn_region = true",
      host: "ap-123456789012.s3-accesspoint.us-east-1.amazonaws.com"),
    Row(
      properties: ["s3.access-points.bucket": accessPoint], profile: "s3 =\n  use_arn_region = true",
      host: "ap-123456789012.s3-accesspoint.us-east-1.amazonaws.com"),
    Row(
      properties: ["s3.access-points.bucket": accessPoint, "s3.use-arn-region-enabled": "false"],
      profile: "s3 =\n  use_arn_region = true", host: ""),
    Row(properties: ["s3.access-points.bucket": "ap-s3alias"], host: "ap-s3alias.s3.eu-west-1.amazonaws.com"),
    Row(properties: ["s3.access-points.bucket": multiRegion], host: "m.mrap.accesspoint.s3-global.amazonaws.com"),
    Row(
      properties: ["s3.access-points.bucket": multiRegion], variables: ["AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS": "true"], host: ""),
    Row(properties: ["s3.access-points.bucket": multiRegion], profile: "s3_disable_multiregion_access_points = true", host: ""),
    Row(bucket: "b--euw1-az1--x-s3", host: "b--euw1-az1--x-s3.s3express-euw1-az1.eu-west-1.amazonaws.com"),
    Row(
      properties: ["s3.path-style-access": "true"], variables: ["AWS_USE_FIPS_ENDPOINT": "true"], bucket: "b--euw1-az1--x-s3",
      host: "b--euw1-az1--x-s3.s3express-fips-euw1-az1.eu-west-1.amazonaws.com"),
  ]

  @Test("Properties come first, then variables, then the profile and its s3 block; none of them is passed over", arguments: rows)
  func host(_ row: Row) async throws {
    let transport = RecordingTransport()
    let files = S3FileIO(
      client: try factory(row.properties, row.variables, row.profile, transport).s3(), properties: try S3FileIOProperties(row.properties))
    _ = try? await files.head(.init(bucket: row.bucket, key: "k"))
    #expect(Set(transport.requests.map(\.endpoint.authority)) == (row.host.isEmpty ? [] : [row.host]))
  }

  @Test("A directory bucket's first request makes a session; with s3_disable_express_session_auth the own keys sign")
  func sessions() async throws {
    for (profile, target) in [("", "/?session"), ("s3_disable_express_session_auth = true", "/k")] {
      let transport = RecordingTransport()
      _ = try? await factory([:], [:], profile, transport).s3().headObject(bucket: "b--euw1-az1--x-s3", key: "k")
      #expect(transport.requests.map(\.target) == [target])
      #expect(transport.requests.first?.headers.contains { $0.value.contains("/eu-west-1/s3express/aws4_request") } == true)
    }
  }

  @Test("Keys of SSE-C are never sent over an open line: without https the configuration is refused")
  func customerKeys() throws {
    let custom = ["s3.sse.type": "custom", "s3.sse.key": "a2V5", "s3.sse.md5": "bWQ1"]
    _ = try factory(custom).s3()
    _ = try factory(custom.merging(["s3.endpoint": "https://minio:9000"]) { $1 }).s3()
    let error = #expect(throws: PropertyError.self) { _ = try factory(custom.merging(["s3.endpoint": "http://minio:9000"]) { $1 }).s3() }
    #expect(
      error?.message == "s3.sse.type=custom sends the key with each request, and s3.endpoint http://minio:9000 is not encrypted: "
        + "an https endpoint is needed")
    let variable = #expect(throws: PropertyError.self) { _ = try factory(custom, ["AWS_ENDPOINT_URL": "HTTP://minio"]).s3() }
    #expect(variable?.message.contains("AWS_ENDPOINT_URL HTTP://minio") == true)
    _ = try factory(["s3.sse.type": "kms", "s3.endpoint": "http://minio:9000"]).s3()
  }

  @Test("Variables win over the profile in what is sent and asked for as checksums; other words are refused")
  func checksums() throws {
    #expect(try factory([:], ["AWS_RESPONSE_CHECKSUM_VALIDATION": "WHEN_REQUIRED"]).s3().checksums == S3Checksums(isAskedFor: false))
    let profile = "response_checksum_validation = when_required\nrequest_checksum_calculation = when_required"
    #expect(try factory([:], [:], profile).s3().checksums == S3Checksums(isSentWhenSupported: false, isAskedFor: false))
    let both = ["AWS_RESPONSE_CHECKSUM_VALIDATION": "when_supported", "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported"]
    #expect(try factory([:], both, profile).s3().checksums == S3Checksums())
    let error = #expect(throws: PropertyError.self) { _ = try factory([:], ["AWS_RESPONSE_CHECKSUM_VALIDATION": "yes"]).s3() }
    #expect(error?.message.contains("AWS_RESPONSE_CHECKSUM_VALIDATION") == true)
  }

  @Test("An addressing style of another word is refused, by its profile")
  func unknownStyle() throws {
    let error = #expect(throws: PropertyError.self) { _ = try factory([:], [:], "s3 =\n  addressing_style = domain").s3() }
    #expect(error?.message == "addressing_style of profile `default` is `domain`: it must be path, virtual or auto")
  }

  @Test("s3.crt.max-concurrency is the most S3 connections at a time, where the HTTP client has more")
  func concurrency() throws {
    func connections(_ properties: [String: String]) throws -> Int {
      try HttpClientProperties(properties).transport(forS3: S3FileIOProperties(properties)).maxConnections
    }
    #expect(try connections(["s3.crt.max-concurrency": "7"]) == 7)
    #expect(try connections(["s3.crt.max-concurrency": "9000", "http-client.apache.max-connections": "20"]) == 20)
    #expect(try connections(["http-client.apache.max-connections": "20"]) == 20)
  }

  private func factory(
    _ properties: [String: String], _ variables: [String: String] = [:], _ profile: String = "",
    _ transport: RecordingTransport = RecordingTransport()
  ) throws(PropertyError) -> DefaultAwsClientFactory {
    let base = [
      "client.region": "eu-west-1", "s3.access-key-id": "AK", "s3.secret-access-key": "SK", "s3.retry.num-retries": "0",
    ]
    let config = "[default]\n\(profile)\n"
    return try DefaultAwsClientFactory(
      properties: base.merging(properties) { $1 }, variables: ["HOME": "/h"].merging(variables) { $1 },
      transport: { _ throws(HTTPError) in transport }, metrics: Metrics(), logger: Logger(label: "test"),
      readFile: { path throws(AWSError) in path.hasSuffix("/config") ? Array(config.utf8) : nil })
  }
}
