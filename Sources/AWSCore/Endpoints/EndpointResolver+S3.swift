// SPDX-License-Identifier: Apache-2.0

import HTTP

/// Bucket addressing: virtual host, path style, access points (spec: s3fileio.md §9; the error texts are the SDKs').
extension EndpointResolver {
  static func checkS3(_ settings: EndpointSettings, hasCustomEndpoint: Bool, partition: Partition) throws(AWSError) {
    if settings.usesAcceleration, settings.usesFIPS { throw .configuration("Accelerate cannot be used with FIPS") }
    if hasCustomEndpoint, settings.usesDualStack {
      throw .configuration("Cannot set dual-stack in combination with a custom endpoint.")
    }
    if hasCustomEndpoint, settings.usesFIPS { throw .configuration("A custom endpoint cannot be combined with FIPS") }
    if hasCustomEndpoint, settings.usesAcceleration {
      throw .configuration("A custom endpoint cannot be combined with S3 Accelerate")
    }
    if settings.usesFIPS, partition.name == "aws-cn" { throw .configuration("Partition does not support FIPS") }
  }

  func resolveS3(bucket: String?) throws(AWSError) -> ResolvedEndpoint {
    guard let bucket, !bucket.isEmpty else { return s3Service(isForBucket: false) }
    if bucket.hasPrefix("arn:") { return try resolveARN(bucket) }
    if DirectoryBucketName.isDirectory(bucket) { return try resolveDirectoryBucket(bucket) }
    let isSecure = custom?.endpoint.isSecure ?? true
    let isVirtual =
      !settings.usesPathStyle && custom?.hasAddressHost != true && Self.isVirtualHostable(bucket, allowingDots: !isSecure)
    if settings.usesAcceleration, !isVirtual {
      throw .configuration("Path-style addressing cannot be used with S3 Accelerate")
    }
    if settings.usesAcceleration, partition.name == "aws-cn" { throw .configuration("S3 Accelerate cannot be used in this region") }
    let service = s3Service(isForBucket: true)
    guard isVirtual else {
      return ResolvedEndpoint(
        endpoint: service.endpoint, pathPrefix: "\(service.pathPrefix)/\(PercentEncoding.query(bucket))",
        signingName: service.signingName, signingRegion: service.signingRegion)
    }
    var virtual = service
    virtual.endpoint.host = "\(bucket).\(service.endpoint.host)"
    return virtual
  }

  /// Whether a bucket's name can stand in a host name; dots only where no TLS certificate must match.
  static func isVirtualHostable(_ bucket: String, allowingDots: Bool) -> Bool {
    let bytes = Array(bucket.utf8)
    guard (3...63).contains(bytes.count), let first = bytes.first, let last = bytes.last else { return false }
    func isAlphanumeric(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    guard isAlphanumeric(first), isAlphanumeric(last) else { return false }
    guard bytes.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "-") || (allowingDots && $0 == UInt8(ascii: ".")) }) else {
      return false
    }
    let labels = bucket.split(separator: ".", omittingEmptySubsequences: false)
    if labels.contains(where: { $0.isEmpty || $0.hasPrefix("-") || $0.hasSuffix("-") }) { return false }
    return !(labels.count == 4 && labels.allSatisfy { UInt8($0) != nil })
  }

  /// The address without a bucket, or what stands behind one; only buckets are accelerated.
  private func s3Service(isForBucket: Bool) -> ResolvedEndpoint {
    let signingRegion = region == "aws-global" ? "us-east-1" : region
    if let custom {
      return ResolvedEndpoint(
        endpoint: custom.endpoint, pathPrefix: custom.basePath, signingName: "s3", signingRegion: signingRegion)
    }
    let dualStack = settings.usesDualStack ? ".dualstack" : ""
    let host: String
    if isForBucket, settings.usesAcceleration {
      host = "s3-accelerate\(dualStack).\(partition.dnsSuffix)"
    } else if region == "aws-global", !settings.usesFIPS, !settings.usesDualStack {
      host = "s3.amazonaws.com"
    } else {
      host = "s3\(settings.usesFIPS ? "-fips" : "")\(dualStack).\(signingRegion).\(partition.dnsSuffix)"
    }
    return ResolvedEndpoint(
      endpoint: HTTPEndpoint(isSecure: true, host: host), pathPrefix: "", signingName: "s3", signingRegion: signingRegion)
  }

  private func resolveARN(_ text: String) throws(AWSError) -> ResolvedEndpoint {
    let arn = try AccessPointARN(text)
    if settings.usesPathStyle { throw .configuration("Path-style addressing cannot be used with ARN buckets") }
    if settings.usesAcceleration {
      throw .configuration("\(arn.region.isEmpty ? "S3 MRAP does" : "Access Points do") not support S3 Accelerate")
    }
    if arn.region.isEmpty { return try resolveMultiRegion(arn, text) }
    if !settings.usesARNRegion, arn.region != region {
      throw .configuration(
        "Invalid configuration: region from ARN `\(arn.region)` does not match client region `\(region)` and UseArnRegion is `false`")
    }
    let arnPartition = Partition.of(region: arn.region)
    guard arnPartition.name == arn.partition, arnPartition.name == partition.name else {
      throw .configuration("Client was configured for partition `\(partition.name)` but ARN (`\(text)`) has `\(arn.partition)`")
    }
    let endpoint: HTTPEndpoint
    if let custom {
      var bare = custom.endpoint
      bare.host = "\(arn.hostPrefix).\(bare.host)"
      endpoint = bare
    } else {
      endpoint = HTTPEndpoint(
        isSecure: true,
        host: "\(arn.hostPrefix).\(try arn.serviceLabel(settings)).\(arn.region).\(arnPartition.dnsSuffix)")
    }
    return ResolvedEndpoint(
      endpoint: endpoint, pathPrefix: custom?.basePath ?? "", signingName: arn.service, signingRegion: arn.region)
  }

  /// AWS alone has these, whatever endpoint is configured; one signature holds for all regions.
  private func resolveMultiRegion(_ arn: AccessPointARN, _ text: String) throws(AWSError) -> ResolvedEndpoint {
    if settings.disablesMultiRegionAccessPoints {
      throw .configuration("Invalid configuration: Multi-Region Access Point ARNs are disabled.")
    }
    if settings.usesDualStack { throw .configuration("S3 MRAP does not support dual-stack") }
    if settings.usesFIPS { throw .configuration("S3 MRAP does not support FIPS") }
    guard arn.partition == partition.name else {
      throw .configuration("Client was configured for partition `\(partition.name)` but ARN (`\(text)`) has `\(arn.partition)`")
    }
    return ResolvedEndpoint(
      endpoint: HTTPEndpoint(isSecure: true, host: "\(arn.name).accesspoint.s3-global.\(partition.dnsSuffix)"), pathPrefix: "",
      signingName: arn.service, signingRegion: "*", signingAlgorithm: .sigV4A)
  }

  private func resolveDirectoryBucket(_ bucket: String) throws(AWSError) -> ResolvedEndpoint {
    if settings.usesAcceleration { throw .configuration("S3Express does not support S3 Accelerate.") }
    let endpoint: HTTPEndpoint
    var pathPrefix = custom?.basePath ?? ""
    if let custom, custom.hasAddressHost {
      endpoint = custom.endpoint
      pathPrefix += "/\(PercentEncoding.query(bucket))"
    } else if !Self.isVirtualHostable(bucket, allowingDots: false) {
      throw .configuration("S3Express bucket name is not a valid virtual hostable name.")
    } else if let custom {
      endpoint = custom.endpoint.below(bucket)
    } else {
      guard let zone = DirectoryBucketName.zone(of: bucket) else {
        throw .configuration("Unrecognized S3Express bucket name format.")
      }
      let dualStack = settings.usesDualStack ? ".dualstack" : ""
      endpoint = HTTPEndpoint(
        isSecure: true,
        host: "\(bucket).s3express\(settings.usesFIPS ? "-fips" : "")-\(zone)\(dualStack).\(region).\(partition.dnsSuffix)")
    }
    return ResolvedEndpoint(
      endpoint: endpoint, pathPrefix: pathPrefix, signingName: "s3express", signingRegion: region,
      signingAlgorithm: settings.disablesExpressSessions ? .sigV4 : .sigV4Session)
  }

  /// The account stands before the host; not before an address, which has no names below it.
  func resolveS3Control(account: String?) throws(AWSError) -> ResolvedEndpoint {
    guard let account, HostLabel.isValid(account) else {
      throw .configuration("AccountId must only contain a-z, A-Z, 0-9 and `-`.")
    }
    if let custom {
      return ResolvedEndpoint(
        endpoint: custom.hasAddressHost ? custom.endpoint : custom.endpoint.below(account), pathPrefix: custom.basePath,
        signingName: service.signingName, signingRegion: region)
    }
    if settings.usesFIPS, partition.name == "aws-cn" { throw .configuration("Partition does not support FIPS") }
    let infix = (settings.usesFIPS ? "-fips" : "") + (settings.usesDualStack ? ".dualstack" : "")
    return ResolvedEndpoint(
      endpoint: HTTPEndpoint(isSecure: true, host: "\(account).\(service.hostLabel)\(infix).\(region).\(partition.dnsSuffix)"),
      pathPrefix: "", signingName: service.signingName, signingRegion: region)
  }
}

extension HTTPEndpoint {
  fileprivate func below(_ label: String) -> HTTPEndpoint {
    var copy = self
    copy.host = "\(label).\(host)"
    return copy
  }
}
