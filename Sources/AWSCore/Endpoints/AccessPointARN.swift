// SPDX-License-Identifier: Apache-2.0

/// The ARN of an access point, an Outposts access point or an Object Lambda access point, used in place of a bucket.
struct AccessPointARN: Sendable, Hashable {
  var partition: String
  /// `s3`, `s3-outposts` or `s3-object-lambda`; the signing name too.
  var service: String
  /// Empty for a multi-region access point.
  var region: String
  var account: String
  var outpost: String?
  var name: String

  init(_ text: String) throws(AWSError) {
    let pieces = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
    guard pieces.count == 6, pieces[0] == "arn", !pieces[1].isEmpty else {
      throw .configuration("Invalid ARN: `\(text)` was not a valid ARN")
    }
    partition = pieces[1]
    service = pieces[2]
    region = pieces[3]
    account = pieces[4]
    guard ["s3", "s3-outposts", "s3-object-lambda"].contains(service) else {
      throw .configuration("Invalid ARN: `\(text)` names service `\(service)`, not an S3 access point")
    }
    let resource = pieces[5].split(omittingEmptySubsequences: false) { $0 == "/" || $0 == ":" }.map(String.init)
    switch (service, resource.count) {
    case ("s3-outposts", 4) where resource[0] == "outpost" && resource[2] == "accesspoint":
      outpost = resource[1]
      name = resource[3]
    case ("s3", 2) where resource[0] == "accesspoint", ("s3-object-lambda", 2) where resource[0] == "accesspoint":
      name = resource[1]
    default:
      throw .configuration("Invalid ARN: `\(text)` does not name one access point")
    }
    let isMultiRegion = region.isEmpty && service == "s3"
    guard isMultiRegion || HostLabel.isValid(region) else {
      throw .configuration("Invalid ARN: `\(text)` has no usable region")
    }
    guard HostLabel.isValid(account) else {
      throw .configuration("Invalid ARN: The account id may only contain a-z, A-Z, 0-9 and `-`. Found: `\(account)`")
    }
    guard isMultiRegion ? name.split(separator: ".").allSatisfy({ HostLabel.isValid($0) }) : HostLabel.isValid(name), !name.isEmpty else {
      throw .configuration("Invalid ARN: The access point name may only contain a-z, A-Z, 0-9 and `-`. Found: `\(name)`")
    }
    if let outpost, !HostLabel.isValid(outpost) {
      throw .configuration("Invalid ARN: The outpost Id may only contain a-z, A-Z, 0-9 and `-`. Found: `\(outpost)`")
    }
  }

  /// What stands before the service's host.
  var hostPrefix: String {
    outpost.map { "\(name)-\(account).\($0)" } ?? "\(name)-\(account)"
  }

  /// The service's label or labels in the host.
  func serviceLabel(_ settings: EndpointSettings) throws(AWSError) -> String {
    switch service {
    case "s3-outposts":
      if settings.usesFIPS { throw .configuration("S3 Outposts does not support FIPS") }
      if settings.usesDualStack { throw .configuration("S3 Outposts does not support Dual-stack") }
      return "s3-outposts"
    case "s3-object-lambda":
      if settings.usesDualStack { throw .configuration("S3 Object Lambda does not support Dual-stack") }
      return settings.usesFIPS ? "s3-object-lambda-fips" : "s3-object-lambda"
    default:
      return "s3-accesspoint\(settings.usesFIPS ? "-fips" : "")\(settings.usesDualStack ? ".dualstack" : "")"
    }
  }
}
