// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP

/// How S3 is addressed and checked: properties first, then variables, then the profile and its `s3` block.
///
/// Source: spec/properties.md §4.1, §8, spec/clients.md §6.1, §7.
struct S3Addressing {
  private let files: S3FileIOProperties
  private let environment: AWSEnvironment
  /// `s3 =` and the indented lines behind it.
  private let block: [String: String]

  init(_ files: S3FileIOProperties, _ environment: AWSEnvironment) {
    self.files = files
    self.environment = environment
    block = environment.profile?.blocks["s3"] ?? [:]
  }

  /// - Throws: for settings that cannot be, and for keys of SSE-C that would go over an open line.
  func settings() throws(PropertyError) -> EndpointSettings {
    var settings = environment.endpointSettings(for: .s3, property: (S3FileIOProperties.endpointKey, files.endpoint))
    let pathStyleInProfile = try isPathStyleInProfile
    settings.usesPathStyle = files.isPathStyleAccess ?? pathStyleInProfile ?? Self.isLocal(settings.customEndpoint)
    settings.usesDualStack = settings.usesDualStack || files.isDualStackEnabled || Self.isTrue(block["use_dualstack_endpoint"])
    settings.usesAcceleration = files.isAccelerationEnabled || Self.isTrue(block["use_accelerate_endpoint"])
    settings.usesARNRegion = files.isUseArnRegionEnabled ?? isOn("AWS_S3_USE_ARN_REGION", "s3_use_arn_region", inBlock: "use_arn_region")
    settings.disablesExpressSessions = isOn("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "s3_disable_express_session_auth")
    settings.disablesMultiRegionAccessPoints = isOn(
      "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS", "s3_disable_multiregion_access_points")
    if !files.encryptionHeaders.isEmpty, let endpoint = settings.customEndpoint, endpoint.lowercased().hasPrefix("http:") {
      throw PropertyError(
        key: S3FileIOProperties.sseTypeKey,
        message: "\(S3FileIOProperties.sseTypeKey)=custom sends the key with each request, and \(settings.customEndpointSource) "
          + "\(endpoint) is not encrypted: an https endpoint is needed")
    }
    return settings
  }

  /// Which checksums are sent and asked for. Source: spec/s3fileio.md §13.
  func checksums() throws(PropertyError) -> S3Checksums {
    S3Checksums(
      isSentWhenSupported: try isWhenSupported("AWS_REQUEST_CHECKSUM_CALCULATION", "request_checksum_calculation"),
      isLegacyMD5: files.write.isLegacyMD5,
      isAskedFor: try isWhenSupported("AWS_RESPONSE_CHECKSUM_VALIDATION", "response_checksum_validation"))
  }

  private func isWhenSupported(_ variable: String, _ key: String) throws(PropertyError) -> Bool {
    let text = environment.variable(variable) ?? environment.profileValue(key) ?? "when_supported"
    switch text.lowercased() {
    case "when_supported": return true
    case "when_required": return false
    default:
      throw PropertyError(
        key: variable,
        message: "\(variable) or \(key) of profile `\(environment.profileName)` is `\(text)`: it must be when_supported or when_required")
    }
  }

  private var isPathStyleInProfile: Bool? {
    get throws(PropertyError) {
      guard let style = block["addressing_style"], !style.isEmpty else { return nil }
      switch style.lowercased() {
      case "path": return true
      case "virtual": return false
      case "auto": return nil
      default:
        throw PropertyError(
          key: "", message: "addressing_style of profile `\(environment.profileName)` is `\(style)`: it must be path, virtual or auto")
      }
    }
  }

  private func isOn(_ variable: String, _ key: String, inBlock blockKey: String? = nil) -> Bool {
    Self.isTrue(environment.variable(variable) ?? environment.profileValue(key) ?? blockKey.flatMap { block[$0] })
  }

  private static func isTrue(_ text: String?) -> Bool { text?.lowercased() == "true" }

  /// Whether an endpoint is this machine: buckets then stand in the path, as `bucket.localhost` is no host. Source: spec/properties.md §7.2.
  private static func isLocal(_ endpoint: String?) -> Bool {
    guard let endpoint, let url = try? EndpointURL(endpoint, source: S3FileIOProperties.endpointKey) else { return false }
    return url.endpoint.host == "localhost" || url.hasAddressHost
  }
}
