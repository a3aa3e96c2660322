// SPDX-License-Identifier: Apache-2.0

import HTTP
import Testing

@testable import AWSCore

@Suite("Endpoint resolution")
struct EndpointResolverTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var service: AWSService = .s3
    var region = "us-west-2"
    var bucket: String? = "bucket"
    var settings = EndpointSettings()
    var url: String
    var signedFor = ""

    var testDescription: String { "\(service.name) \(region) \(bucket ?? "-") → \(url)" }
  }

  private static let fips = EndpointSettings(usesFIPS: true)
  private static let dual = EndpointSettings(usesDualStack: true)
  private static let both = EndpointSettings(usesFIPS: true, usesDualStack: true)
  private static let path = EndpointSettings(usesPathStyle: true)
  private static func custom(_ url: String, path: Bool = false) -> EndpointSettings {
    EndpointSettings(customEndpoint: url, customEndpointSource: "s3.endpoint", usesPathStyle: path, usesARNRegion: true)
  }
  private static let accessPoint = "arn:aws:s3:us-east-1:123456789012:accesspoint/my-ap"

  static let rows: [Row] = [
    Row(url: "https://bucket.s3.us-west-2.amazonaws.com", signedFor: "s3/us-west-2"),
    Row(region: "aws-global", url: "https://bucket.s3.amazonaws.com", signedFor: "s3/us-east-1"),
    Row(region: "cn-north-1", url: "https://bucket.s3.cn-north-1.amazonaws.com.cn", signedFor: "s3/cn-north-1"),
    Row(region: "us-isob-east-1", url: "https://bucket.s3.us-isob-east-1.sc2s.sgov.gov", signedFor: "s3/us-isob-east-1"),
    Row(region: "eusc-de-east-1", url: "https://bucket.s3.eusc-de-east-1.amazonaws.eu", signedFor: "s3/eusc-de-east-1"),
    Row(settings: dual, url: "https://bucket.s3.dualstack.us-west-2.amazonaws.com", signedFor: "s3/us-west-2"),
    Row(settings: fips, url: "https://bucket.s3-fips.us-west-2.amazonaws.com", signedFor: "s3/us-west-2"),
    Row(settings: both, url: "https://bucket.s3-fips.dualstack.us-west-2.amazonaws.com", signedFor: "s3/us-west-2"),
    Row(
      settings: EndpointSettings(usesAcceleration: true), url: "https://bucket.s3-accelerate.amazonaws.com", signedFor: "s3/us-west-2"),
    Row(
      settings: EndpointSettings(usesDualStack: true, usesAcceleration: true),
      url: "https://bucket.s3-accelerate.dualstack.amazonaws.com", signedFor: "s3/us-west-2"),
    Row(settings: path, url: "https://s3.us-west-2.amazonaws.com/bucket", signedFor: "s3/us-west-2"),
    Row(bucket: "with.dots", url: "https://s3.us-west-2.amazonaws.com/with.dots", signedFor: "s3/us-west-2"),
    Row(bucket: "Upper_case", url: "https://s3.us-west-2.amazonaws.com/Upper_case", signedFor: "s3/us-west-2"),
    Row(bucket: "odd bucket", url: "https://s3.us-west-2.amazonaws.com/odd%20bucket", signedFor: "s3/us-west-2"),
    Row(bucket: nil, url: "https://s3.us-west-2.amazonaws.com", signedFor: "s3/us-west-2"),
    Row(settings: custom("http://minio:9000/base/"), url: "http://bucket.minio:9000/base", signedFor: "s3/us-west-2"),
    Row(bucket: "with.dots", settings: custom("http://minio:9000"), url: "http://with.dots.minio:9000", signedFor: "s3/us-west-2"),
    Row(settings: custom("https://Minio/base", path: true), url: "https://minio/base/bucket", signedFor: "s3/us-west-2"),
    Row(settings: custom("http://127.0.0.1:9000"), url: "http://127.0.0.1:9000/bucket", signedFor: "s3/us-west-2"),
    Row(settings: custom("http://[::1]:9000"), url: "http://[::1]:9000/bucket", signedFor: "s3/us-west-2"),
    Row(
      bucket: accessPoint, settings: EndpointSettings(usesARNRegion: true),
      url: "https://my-ap-123456789012.s3-accesspoint.us-east-1.amazonaws.com", signedFor: "s3/us-east-1"),
    Row(
      region: "us-east-1", bucket: "arn:aws:s3:us-east-1:123456789012:accesspoint:my-ap", settings: both,
      url: "https://my-ap-123456789012.s3-accesspoint-fips.dualstack.us-east-1.amazonaws.com", signedFor: "s3/us-east-1"),
    Row(
      bucket: accessPoint, settings: custom("https://gw.example"), url: "https://my-ap-123456789012.gw.example", signedFor: "s3/us-east-1"),
    Row(
      bucket: "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01/accesspoint/ap",
      url: "https://ap-123456789012.op-01.s3-outposts.us-west-2.amazonaws.com", signedFor: "s3-outposts/us-west-2"),
    Row(
      bucket: "arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/ap",
      url: "https://ap-123456789012.s3-object-lambda.us-west-2.amazonaws.com", signedFor: "s3-object-lambda/us-west-2"),
    Row(service: .glue, bucket: nil, url: "https://glue.us-west-2.amazonaws.com", signedFor: "glue/us-west-2"),
    Row(service: .glue, bucket: nil, settings: both, url: "https://glue-fips.us-west-2.api.aws", signedFor: "glue/us-west-2"),
    Row(
      service: .dynamodb, region: "us-gov-west-1", bucket: nil, settings: fips, url: "https://dynamodb.us-gov-west-1.amazonaws.com",
      signedFor: "dynamodb/us-gov-west-1"),
    Row(
      service: .dynamodb, bucket: nil, settings: fips, url: "https://dynamodb-fips.us-west-2.amazonaws.com", signedFor: "dynamodb/us-west-2"
    ),
    Row(service: .dynamodb, region: "local", bucket: nil, url: "http://localhost:8000", signedFor: "dynamodb/us-east-1"),
    Row(service: .sts, region: "aws-global", bucket: nil, url: "https://sts.amazonaws.com", signedFor: "sts/us-east-1"),
    Row(
      service: .kms, region: "cn-north-1", bucket: nil, settings: dual, url: "https://kms.cn-north-1.api.amazonwebservices.com.cn",
      signedFor: "kms/cn-north-1"),
    Row(service: .lakeFormation, bucket: nil, url: "https://lakeformation.us-west-2.amazonaws.com", signedFor: "lakeformation/us-west-2"),
    Row(service: .glue, bucket: nil, settings: custom("http://h:5000/glue"), url: "http://h:5000/glue", signedFor: "glue/us-west-2"),
  ]

  @Test("Host, path prefix and scope follow the endpoint rules", arguments: rows)
  func resolves(_ row: Row) throws {
    let resolver = try EndpointResolver(service: row.service, region: row.region, settings: row.settings)
    let resolved = try resolver.resolve(bucket: row.bucket)
    #expect(resolved.endpoint.description + resolved.pathPrefix == row.url)
    #expect("\(resolved.signingName)/\(resolved.signingRegion)" == row.signedFor)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    var service: AWSService = .s3
    var region = "us-west-2"
    var bucket: String? = "bucket"
    var settings = EndpointSettings()
    var message: String

    var testDescription: String { message }
  }

  static let refusals: [Refusal] = [
    Refusal(region: "", message: "A region must be set when sending requests to S3."),
    Refusal(region: "evil.example/", message: "Region `evil.example/` is not a region name."),
    Refusal(settings: EndpointSettings(usesFIPS: true, usesAcceleration: true), message: "Accelerate cannot be used with FIPS"),
    Refusal(
      settings: EndpointSettings(usesPathStyle: true, usesAcceleration: true),
      message: "Path-style addressing cannot be used with S3 Accelerate"),
    Refusal(
      bucket: "with.dots", settings: EndpointSettings(usesAcceleration: true),
      message: "Path-style addressing cannot be used with S3 Accelerate"),
    Refusal(
      settings: EndpointSettings(customEndpoint: "http://h", usesAcceleration: true),
      message: "A custom endpoint cannot be combined with S3 Accelerate"),
    Refusal(
      settings: EndpointSettings(customEndpoint: "http://h", usesFIPS: true), message: "A custom endpoint cannot be combined with FIPS"),
    Refusal(
      settings: EndpointSettings(customEndpoint: "http://h", usesDualStack: true),
      message: "Cannot set dual-stack in combination with a custom endpoint."),
    Refusal(
      service: .glue, settings: EndpointSettings(customEndpoint: "http://h", usesFIPS: true),
      message: "Invalid Configuration: FIPS and custom endpoint are not supported"),
    Refusal(bucket: accessPoint, settings: EndpointSettings(usesAcceleration: true), message: "Access Points do not support S3 Accelerate"),
    Refusal(bucket: accessPoint, settings: path, message: "Path-style addressing cannot be used with ARN buckets"),
    Refusal(
      bucket: accessPoint,
      message: "Invalid configuration: region from ARN `us-east-1` does not match client region `us-west-2` and UseArnRegion is `false`"),
    Refusal(
      bucket: "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/ap", settings: EndpointSettings(usesARNRegion: true),
      message: "Client was configured for partition `aws` but ARN (`arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/ap`) has `aws-cn`"),
    Refusal(bucket: "arn:aws:s3", message: "Invalid ARN: `arn:aws:s3` was not a valid ARN"),
    Refusal(
      bucket: "arn:aws:s3::123456789012:accesspoint/x.mrap", settings: fips, message: "S3 MRAP does not support FIPS"),
    Refusal(
      bucket: "arn:aws:s3:us-west-2:1.evil:accesspoint/ap",
      message: "Invalid ARN: The account id may only contain a-z, A-Z, 0-9 and `-`. Found: `1.evil`"),
    Refusal(
      settings: EndpointSettings(customEndpoint: "localhost:9000", customEndpointSource: "s3.endpoint"),
      message: "s3.endpoint `localhost:9000` has no scheme; write http://… or https://…"),
    Refusal(
      settings: EndpointSettings(customEndpoint: "ftp://h", customEndpointSource: "s3.endpoint"),
      message: "s3.endpoint `ftp://h` has scheme `ftp`; only http and https are spoken"),
    Refusal(
      settings: EndpointSettings(customEndpoint: "http://h:x", customEndpointSource: "s3.endpoint"),
      message: "s3.endpoint `http://h:x` has no usable port after its host"),
    Refusal(
      settings: EndpointSettings(customEndpoint: "http://u:p@h", customEndpointSource: "s3.endpoint"),
      message: "s3.endpoint carries a user or password before `@`; an endpoint has none"),
  ]

  @Test("What cannot work is refused with the SDKs' sentence", arguments: refusals)
  func refuses(_ row: Refusal) {
    let message = configurationRefusal {
      try EndpointResolver(service: row.service, region: row.region, settings: row.settings).resolve(bucket: row.bucket)
    }
    #expect(message == row.message)
  }
}

/// The sentence of the configuration error that `body` throws; nil if it throws none.
func configurationRefusal<Result>(_ body: () throws -> Result) -> String? {
  do {
    _ = try body()
    return nil
  } catch let error as AWSError {
    return error.kind == .configuration ? error.message : nil
  } catch {
    return nil
  }
}
