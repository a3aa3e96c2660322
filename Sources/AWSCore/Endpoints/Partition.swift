// SPDX-License-Identifier: Apache-2.0

/// A group of regions with a DNS suffix of its own (spec: s3fileio.md §9).
package struct Partition: Sendable, Hashable {
  /// As it stands in an ARN: `aws`, `aws-cn`.
  package var name: String
  package var dnsSuffix: String
  /// Suffix of dual-stack hosts, S3 apart.
  package var dualStackSuffix: String

  private static let aws = Partition(name: "aws", dnsSuffix: "amazonaws.com", dualStackSuffix: "api.aws")

  /// Prefixes in the order in which they must be tried, each followed in a region by `-<word>-<digits>`.
  private static let byPrefix: [(prefix: String, partition: Partition)] = [
    ("us-gov", Partition(name: "aws-us-gov", dnsSuffix: "amazonaws.com", dualStackSuffix: "api.aws")),
    ("us-iso", Partition(name: "aws-iso", dnsSuffix: "c2s.ic.gov", dualStackSuffix: "api.aws.ic.gov")),
    ("us-isob", Partition(name: "aws-iso-b", dnsSuffix: "sc2s.sgov.gov", dualStackSuffix: "api.aws.scloud")),
    ("us-isof", Partition(name: "aws-iso-f", dnsSuffix: "csp.hci.ic.gov", dualStackSuffix: "api.aws.hci.ic.gov")),
    ("eu-isoe", Partition(name: "aws-iso-e", dnsSuffix: "cloud.adc-e.uk", dualStackSuffix: "api.cloud-aws.adc-e.uk")),
    ("cn", Partition(name: "aws-cn", dnsSuffix: "amazonaws.com.cn", dualStackSuffix: "api.amazonwebservices.com.cn")),
    ("eusc-de", Partition(name: "aws-eusc", dnsSuffix: "amazonaws.eu", dualStackSuffix: "api.amazonwebservices.eu")),
  ]

  /// The partition of a region; `aws` when none matches.
  package static func of(region: String) -> Partition {
    for (prefix, partition) in byPrefix where matches(region, prefix: prefix) {
      return partition
    }
    return aws
  }

  /// Whether a region is `<prefix>-<word>-<digits>`.
  private static func matches(_ region: String, prefix: String) -> Bool {
    guard region.hasPrefix(prefix + "-") else { return false }
    let pieces = region.dropFirst(prefix.count + 1).split(separator: "-", omittingEmptySubsequences: false)
    guard pieces.count == 2 else { return false }
    let word = pieces[0]
    let number = pieces[1]
    return !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
      && !number.isEmpty && number.allSatisfy { ("0"..."9").contains($0) }
  }
}
