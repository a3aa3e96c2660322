// SPDX-License-Identifier: Apache-2.0

import HTTP
import TestSupport
import Testing
import WireFormats

@testable import AWSCore

@Suite("Endpoints against the rule sets of AWS")
struct EndpointRuleSetTests {
  struct Case: Sendable, CustomStringConvertible {
    var service: AWSService
    var region: String
    var bucket: String?
    var settings: EndpointSettings

    var description: String {
      "\(service.name) \(region) \(bucket ?? "-") fips=\(settings.usesFIPS) dual=\(settings.usesDualStack) path=\(settings.usesPathStyle) "
        + "accelerate=\(settings.usesAcceleration) arn=\(settings.usesARNRegion) endpoint=\(settings.customEndpoint ?? "-") "
        + "sessions=\(!settings.disablesExpressSessions) mrap=\(!settings.disablesMultiRegionAccessPoints)"
    }

    /// Where this differs on purpose: what the rule set makes of it reaches no server.
    var isOurs: Bool {
      let isAddress = settings.customEndpoint?.contains("127.0.0.1") ?? false
      // A dotted bucket before an IP address; an account before one.
      if isAddress, service == .s3Control || bucket == "with.dots" { return true }
      // Outposts behind a custom endpoint: https and no path, whatever the endpoint says.
      if bucket?.contains("s3-outposts") == true, settings.customEndpoint?.hasPrefix("http:") == true { return true }
      // FIPS is refused with a custom endpoint for every service here.
      if service == .s3Control, settings.customEndpoint != nil, settings.usesFIPS { return true }
      // The pseudo-region in the host of the dual-stack accelerator.
      return region == "aws-global" && settings.usesAcceleration && settings.usesDualStack
    }

    /// As the rule set names its parameters.
    var json: JSONValue {
      var parameters: [(String, JSONValue)] = [
        ("Region", .string(region)), ("UseFIPS", .bool(settings.usesFIPS)), ("UseDualStack", .bool(settings.usesDualStack)),
      ]
      if let endpoint = settings.customEndpoint { parameters.append(("Endpoint", .string(endpoint))) }
      if service == .s3Control {
        parameters += [("RequiresAccountId", .bool(true)), ("AccountId", .string(bucket ?? ""))]
      } else {
        if let bucket { parameters.append(("Bucket", .string(bucket))) }
        parameters += [
          ("ForcePathStyle", .bool(settings.usesPathStyle)), ("Accelerate", .bool(settings.usesAcceleration)),
          ("UseArnRegion", .bool(settings.usesARNRegion)), ("DisableS3ExpressSessionAuth", .bool(settings.disablesExpressSessions)),
          ("DisableMultiRegionAccessPoints", .bool(settings.disablesMultiRegionAccessPoints)),
        ]
      }
      return [
        "service": .string(service == .s3Control ? "s3control" : "s3"),
        "parameters": .object(JSONMembers(parameters.map { (key: $0.0, value: $0.1) })),
      ]
    }

    /// What comes out here, in the script's form.
    var outcome: String {
      do throws(AWSError) {
        let resolved = try EndpointResolver(service: service, region: region, settings: settings).resolve(bucket: bucket)
        let scheme =
          switch resolved.signingAlgorithm {
          case .sigV4: "sigv4"
          case .sigV4Session: "sigv4-s3express"
          case .sigV4A: "sigv4a"
          }
        return "\(resolved.endpoint.description)\(resolved.pathPrefix) \(scheme) \(resolved.signingName) \(resolved.signingRegion)"
      } catch {
        return "refused: \(error.message)"
      }
    }
  }

  private static let buckets: [String?] = [
    nil, "bucket", "with.dots", "Upper_case", "odd bucket", "alias-abcdef-s3alias", "b--usw2-az1--x-s3", "b--c--use1-az4--x-s3",
    "ap--usw2-az1--xa-s3", "b--x-s3", "dot.b--usw2-az1--x-s3", "arn:aws:s3:us-west-2:123456789012:accesspoint/ap",
    "arn:aws:s3:us-east-1:123456789012:accesspoint:ap", "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/ap",
    "arn:aws:s3::123456789012:accesspoint/m1.mrap", "arn:aws-cn:s3::123456789012:accesspoint/m1.mrap",
    "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01/accesspoint/ap",
    "arn:aws:s3-outposts:us-east-1:123456789012:outpost:op-01:accesspoint:ap",
    "arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/ap", "arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint:ap",
    "arn:aws:s3:us-west-2:123456789012:bucket/b", "arn:aws:sqs:us-west-2:123456789012:q", "arn:aws:s3:us-west-2:123.456:accesspoint/ap",
    "arn:aws:s3:us-west-2:123456789012:accesspoint/a.p", "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01",
    "arn:aws:s3::123456789012:accesspoint/no-region",
  ]
  private static let regions = ["us-west-2", "us-east-1", "eusc-de-east-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1", "aws-global"]
  private static let endpoints: [String?] = [nil, "https://gw.example", "http://gw.example:9000/base", "http://127.0.0.1:9000"]

  /// Every combination that a configuration can make.
  private static var cases: [Case] {
    var cases: [Case] = []
    for region in regions {
      // A custom endpoint leaves nothing of the region's host, so two of them will do.
      for endpoint in endpoints where endpoint == nil || region == "us-west-2" || region == "cn-north-1" {
        for flags in 0..<64 {
          func flag(_ bit: Int) -> Bool { flags >> bit & 1 == 1 }
          var settings = EndpointSettings(
            customEndpoint: endpoint, customEndpointSource: "s3.endpoint", usesFIPS: flag(0), usesDualStack: flag(1),
            usesPathStyle: flag(2), usesAcceleration: flag(3), usesARNRegion: flag(4))
          settings.disablesExpressSessions = flag(5)
          settings.disablesMultiRegionAccessPoints = flag(5)
          cases += buckets.map { Case(service: .s3, region: region, bucket: $0, settings: settings) }
          if flags < 4 { cases.append(Case(service: .s3Control, region: region, bucket: "123456789012", settings: settings)) }
        }
      }
    }
    return cases.filter { !$0.isOurs }
  }

  @Test("Every combination of bucket, region and setting is resolved, or refused, as botocore does it", .timeLimit(.minutes(3)))
  func matrix() async throws {
    let cases = Self.cases
    let output = try await ProjectPython.run(
      "AWSCoreTests/Support/resolve_with_botocore.py", input: cases.flatMap { $0.json.serialized() + [UInt8(ascii: "\n")] })
    let answers = output.split(separator: "\n")
    try #require(answers.count == cases.count)
    var differing: [String] = []
    var resolved = 0
    for (one, answer) in zip(cases, answers) {
      let document = try JSONDocument(parsing: Array(answer.utf8)).root
      func text(_ key: String) -> String { document[key]?.string ?? "" }
      let ours = one.outcome
      if document["error"] != nil {
        if !ours.hasPrefix("refused: ") { differing.append("\(one)\n  ours   \(ours)\n  theirs \(text("error"))") }
        continue
      }
      resolved += 1
      let url = text("url")
      let theirs = "\(url.hasSuffix("/") ? String(url.dropLast()) : url) \(text("scheme")) \(text("service")) \(text("region"))"
      if ours != theirs { differing.append("\(one)\n  ours   \(ours)\n  theirs \(theirs)") }
    }
    #expect(cases.count > 20_000 && resolved > 2500)
    let count = differing.count
    #expect(count == 0, "\(count) of \(cases.count) differ:\n\(differing.prefix(10).joined(separator: "\n"))")
  }
}
