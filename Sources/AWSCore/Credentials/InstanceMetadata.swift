// SPDX-License-Identifier: Apache-2.0

import HTTP
import Synchronization
import Telemetry

/// The metadata service of an EC2 instance, version 2 with a fall-back to 1 (spec: clients.md §6.6).
package final class InstanceMetadata: Sendable {
  private static let tokenHeader = "x-aws-ec2-metadata-token"
  private static let rolePath = "/latest/meta-data/iam/security-credentials/"

  /// What a question came to; "nothing" is no fault.
  private enum Answer {
    case text(String)
    case nothing(String)
    case failure(String)
  }

  private let request: LinkRequest
  private let mayUseVersion1: Bool
  private let isDisabled: Bool
  private let origin: String
  private let basePath: String
  private let lastAbsence = Mutex("")

  /// Nothing is sent before the first question.
  package init(_ context: CredentialsContext) throws(AWSError) {
    let environment = context.environment
    let isDisabled = environment.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true"
    self.isDisabled = isDisabled
    mayUseVersion1 =
      (environment.variable("AWS_EC2_METADATA_V1_DISABLED") ?? environment.profileValue("ec2_metadata_v1_disabled"))?.lowercased() != "true"
    let url = try Self.url(environment)
    basePath = url.basePath
    origin = "the instance metadata service \(url.endpoint.description)"
    request = LinkRequest(
      endpoint: url.endpoint, timeout: .seconds(try Self.number(environment, "AWS_METADATA_SERVICE_TIMEOUT", 1)),
      tries: Int(try Self.number(environment, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", 1)), clock: context.clock,
      transport: try CredentialsContext.made(context.linkTransport))
    lastAbsence.withLock { $0 = isDisabled ? "AWS_EC2_METADATA_DISABLED=true" : "not asked" }
  }

  /// Why the last question had no answer.
  var absence: String { lastAbsence.withLock { $0 } }

  /// The keys of the instance's role; nil where there is no such service or role.
  func credentials() async throws(AWSError) -> AWSCredentials? {
    guard let token = await token() else { return nil }
    guard let list = try await text(Self.rolePath, token: token, missing: "the instance has no role", isProbe: true) else { return nil }
    let role = String(list.split(whereSeparator: \.isNewline).first ?? "").trimmingLine()
    guard !role.isEmpty, role.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }) else {
      throw .missingCredentials("\(origin) named no role")
    }
    guard let body = try await text(Self.rolePath + PercentEncoding.query(role), token: token, missing: "the role has no keys") else {
      return nil
    }
    let document = try KeyDocument(Array(body.utf8), origin: origin)
    if let code = document.string("Code"), code != "Success" {
      throw .missingCredentials("\(origin) gives no keys of role \(role): \(code)\(document.string("Message").map { ": \($0)" } ?? "")")
    }
    return try document.credentials(token: "Token", source: "instance role \(role)")
  }

  /// The region of the instance; nil where it cannot be had.
  package func region() async -> String? {
    guard let token = await token(), let text = try? await text("/latest/meta-data/placement/region", token: token, missing: "") else {
      return nil
    }
    let region = text.trimmingLine()
    return region.isEmpty || !region.utf8.allSatisfy({ HostLabel.isAllowed($0) }) ? nil : region
  }

  /// The headers of the next questions: version 2's token, none for version 1. Nil where there is no service.
  private func token() async -> [(name: String, value: String)]? {
    if isDisabled { return nil }
    switch await request.send("PUT", basePath + "/latest/api/token", headers: [("x-aws-ec2-metadata-token-ttl-seconds", "21600")]) {
    case .success(let response) where response.status == 200:
      return [(Self.tokenHeader, String(decoding: response.body, as: UTF8.self).trimmingLine())]
    case .success(let response):
      if [403, 404, 405].contains(response.status), mayUseVersion1 { return [] }
      note("\(origin) gave no token (HTTP \(response.status))")
    case .failure(let error):
      // A hop limit of 1 lets a container's request for a token die on its way; version 1 may still answer.
      if error.code == .timedOut, mayUseVersion1 { return [] }
      note("no answer from \(origin)")
    }
    return nil
  }

  private func text(
    _ target: String, token: [(name: String, value: String)], missing: String, isProbe: Bool = false
  ) async throws(AWSError) -> String? {
    switch await request.send("GET", basePath + target, headers: token) {
    case .success(let response) where response.status == 200: return String(decoding: response.body, as: UTF8.self)
    case .success(let response) where response.status == 404:
      note(missing)
      return nil
    // Whoever has no such service may have a wall in its place.
    case .success(let response) where isProbe:
      note("\(origin) answered HTTP \(response.status)")
      return nil
    case .success(let response): throw .missingCredentials("\(origin) answered HTTP \(response.status)")
    case .failure(let error):
      guard token.isEmpty else { throw .missingCredentials("\(origin): \(error.message)") }
      note("no answer from \(origin)")
      return nil
    }
  }

  private func note(_ absence: String) {
    lastAbsence.withLock { $0 = absence }
  }

  private static func url(_ environment: AWSEnvironment) throws(AWSError) -> EndpointURL {
    let variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
    if let text = environment.variable(variable) ?? environment.profileValue("ec2_metadata_service_endpoint") {
      return try EndpointURL(text, source: variable)
    }
    let mode =
      environment.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE") ?? environment.profileValue("ec2_metadata_service_endpoint_mode")
    switch mode?.lowercased() {
    case nil, "ipv4": return try EndpointURL("http://169.254.169.254", source: variable)
    case "ipv6": return try EndpointURL("http://[fd00:ec2::254]", source: variable)
    case let mode?: throw .configuration("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE `\(mode)` is neither IPv4 nor IPv6")
    }
  }

  private static func number(_ environment: AWSEnvironment, _ variable: String, _ fallback: Double) throws(AWSError) -> Double {
    guard let text = environment.variable(variable) else { return fallback }
    guard let number = Double(text), (1...60).contains(number) else {
      throw .configuration("\(variable) `\(text)` is not a number from 1 to 60")
    }
    return number
  }
}

/// The keys of an EC2 instance's role.
struct InstanceMetadataCredentialsProvider: AWSCredentialsProvider {
  private let metadata: InstanceMetadata
  private let held: RefreshingCredentialsProvider

  init(_ context: CredentialsContext) throws(AWSError) {
    let metadata = try InstanceMetadata(context)
    self.metadata = metadata
    held = context.refreshing("instance metadata", .instance) { () throws(AWSError) in try await metadata.credentials() }
  }

  var name: String { held.name }
  var absence: String { metadata.absence }
  var latest: AWSCredentials? { held.latest }
  func credentials() async throws(AWSError) -> AWSCredentials? { try await held.credentials() }
  func invalidate(_ refused: AWSCredentials?) { held.invalidate(refused) }
}
