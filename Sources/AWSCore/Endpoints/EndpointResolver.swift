// SPDX-License-Identifier: Apache-2.0

import HTTP

/// Builds the address of each request of one service in one region (spec: clients.md §7, s3fileio.md §9). Sends nothing.
package struct EndpointResolver: Sendable {
  package let service: AWSService
  package let region: String
  package let settings: EndpointSettings
  let custom: EndpointURL?
  let partition: Partition

  /// Checks what does not depend on a bucket: region, custom endpoint, and settings that exclude one another.
  package init(service: AWSService, region: String, settings: EndpointSettings = EndpointSettings()) throws(AWSError) {
    guard !region.isEmpty else {
      throw .configuration(
        service == .s3
          ? "A region must be set when sending requests to S3."
          : "Unable to load region from any of the providers in the chain: a region must be set when sending requests to \(service.name).")
    }
    guard region.utf8.allSatisfy({ HostLabel.isAllowed($0) }), region.utf8.count <= 63 else {
      throw .configuration("Region `\(region)` is not a region name.")
    }
    self.service = service
    self.region = region
    self.settings = settings
    if let text = settings.customEndpoint, !text.isEmpty {
      custom = try EndpointURL(text, source: settings.customEndpointSource)
    } else {
      custom = nil
    }
    partition = Partition.of(region: region)
    if service == .s3 {
      try Self.checkS3(settings, hasCustomEndpoint: custom != nil, partition: partition)
    } else if custom != nil, settings.usesFIPS {
      throw .configuration("Invalid Configuration: FIPS and custom endpoint are not supported")
    } else if custom != nil, settings.usesDualStack {
      throw .configuration("Invalid Configuration: Dualstack and custom endpoint are not supported")
    }
  }

  /// The address for a request.
  ///
  /// - Parameter bucket: S3: a bucket name, an access point alias, or an ARN as configured. S3 Control: the account, which is part of the host.
  package func resolve(bucket: String? = nil) throws(AWSError) -> ResolvedEndpoint {
    if service == .s3 { return try resolveS3(bucket: bucket) }
    if service == .s3Control { return try resolveS3Control(account: bucket) }
    if let custom {
      return ResolvedEndpoint(
        endpoint: custom.endpoint, pathPrefix: custom.basePath, signingName: service.signingName, signingRegion: signingRegion)
    }
    if service == .dynamodb, region == "local" {
      let local = HTTPEndpoint(isSecure: false, host: "localhost", port: 8000)
      return ResolvedEndpoint(endpoint: local, pathPrefix: "", signingName: service.signingName, signingRegion: "us-east-1")
    }
    return ResolvedEndpoint(
      endpoint: HTTPEndpoint(isSecure: true, host: regionalHost), pathPrefix: "", signingName: service.signingName,
      signingRegion: signingRegion)
  }

  private var signingRegion: String {
    region == "aws-global" || (service == .dynamodb && region == "local") ? "us-east-1" : region
  }

  /// The host of a service other than S3.
  private var regionalHost: String {
    if service == .sts, region == "aws-global" { return "sts.amazonaws.com" }
    let isGovernment = partition.name == "aws-us-gov"
    let hasPlainFIPSHost = isGovernment && !settings.usesDualStack && (service == .dynamodb || service == .sts)
    let label = settings.usesFIPS && !hasPlainFIPSHost ? "\(service.hostLabel)-fips" : service.hostLabel
    return "\(label).\(region).\(settings.usesDualStack ? partition.dualStackSuffix : partition.dnsSuffix)"
  }
}

/// One dot-free piece of a host name.
enum HostLabel {
  static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }

  static func isValid(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.count <= 63 && text.utf8.allSatisfy { isAllowed($0) } && !text.hasPrefix("-")
  }
}
