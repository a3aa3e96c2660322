// SPDX-License-Identifier: Apache-2.0

/// What the name of a directory bucket (S3 Express One Zone) says: `base--zone--x-s3`, of an access point `name--zone--xa-s3` (spec: s3fileio.md §9, §10).
package enum DirectoryBucketName {
  private static let suffixes = ["--x-s3", "--xa-s3"]

  /// Whether a bucket, or what stands for it in requests, is a directory bucket: one without order, tags, versions and ACLs, with sessions.
  package static func isDirectory(_ bucket: String) -> Bool {
    suffixes.contains { bucket.hasSuffix($0) }
  }

  /// The zone that is part of the host; nil for a name of another form.
  static func zone(of bucket: String) -> String? {
    guard let suffix = suffixes.first(where: { bucket.hasSuffix($0) }) else { return nil }
    let rest = bucket.dropLast(suffix.count)
    guard let dashes = rest.ranges(of: "--").last, dashes.lowerBound > rest.startIndex else { return nil }
    let zone = String(rest[dashes.upperBound...])
    return HostLabel.isValid(zone) ? zone : nil
  }
}
