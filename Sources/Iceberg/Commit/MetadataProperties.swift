// SPDX-License-Identifier: Apache-2.0

/// Table properties that steer how metadata is written. Source: spec/table-metadata.md §6.
enum MetadataProperties {
  static let compressionCodec = "write.metadata.compression-codec"
  static let previousVersionsMaxKey = "write.metadata.previous-versions-max"
  static let deleteAfterCommit = "write.metadata.delete-after-commit.enabled"
  static let path = "write.metadata.path"

  /// Names Iceberg reports as properties, and never stores.
  static let reserved = [
    "format-version", "uuid", "snapshot-count", "current-snapshot-summary", "current-snapshot-id", "current-snapshot-timestamp-ms",
    "current-schema", "default-partition-spec", "default-sort-order",
  ]

  /// How many earlier files the log keeps: at least 1, 100 by default; nil if the property is no integer.
  static func previousVersionsMax(_ metadata: TableMetadata) -> Int? {
    guard let text = metadata.head.properties[previousVersionsMaxKey] else { return 100 }
    return Int32(text).map { max(1, Int($0)) }
  }

  /// Whether files that fall out of the log are deleted.
  static func deletesAfterCommit(_ metadata: TableMetadata) -> Bool {
    metadata.head.properties[deleteAfterCommit]?.lowercased() == "true"
  }

  static func isGzip(_ metadata: TableMetadata) -> Bool {
    metadata.head.properties[compressionCodec]?.lowercased() == "gzip"
  }
}
