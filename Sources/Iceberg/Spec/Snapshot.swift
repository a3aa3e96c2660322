// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// A state of a table's content. Source: spec/table-metadata.md §4.
package struct Snapshot: Sendable {
  package var id: Int64
  package var parentID: Int64?
  /// 0 in version 1, and where a writer left it out.
  package var sequenceNumber: Int64
  /// Milliseconds since 1970.
  package var timestampMs: Int64
  /// Nil in version 1 only.
  package var summary: [String: String]?
  /// Full URI; nil in version 1 only.
  package var manifestList: String?
  /// Full URIs; version 1 without a manifest list only.
  package var manifests: [String]
  package var schemaID: Int?
  package var firstRowID: Int64?
  package var addedRows: Int64?
  package var keyID: String?
  /// The snapshot in its document.
  package var node: JSONNode

  /// Members this reader knows; others are kept, and compared as they stand.
  static let knownMembers: Set<String> = [
    "snapshot-id", "parent-snapshot-id", "sequence-number", "timestamp-ms", "summary", "manifest-list", "manifests", "schema-id",
    "first-row-id", "added-rows", "key-id",
  ]
}

/// A branch or a tag with what is kept of it.
package struct SnapshotReference: Sendable, Hashable {
  package var name: String
  package var snapshotID: Int64
  package var kind: TableMetadataHead.Reference.Kind

  package init(name: String, snapshotID: Int64, kind: TableMetadataHead.Reference.Kind) {
    self.name = name
    self.snapshotID = snapshotID
    self.kind = kind
  }
}

/// One change of the current snapshot.
package struct SnapshotLogEntry: Sendable, Hashable {
  /// Milliseconds since 1970.
  package var timestampMs: Int64
  package var snapshotID: Int64
}

/// A statistics file of a snapshot.
package struct StatisticsFile: Sendable, Hashable {
  package var snapshotID: Int64
  /// Full URI.
  package var path: String
}

/// A wrapped key.
package struct EncryptedKey: Sendable, Hashable {
  package var keyID: String
  package var encryptedByID: String?
}

extension Snapshot {
  init(_ members: MetadataMembers, formatVersion: Int) throws(TableMetadataError) {
    node = members.node
    id = try members.int64("snapshot-id")
    parentID = try members.int64(ifPresent: "parent-snapshot-id")
    sequenceNumber = try members.int64(ifPresent: "sequence-number") ?? 0
    timestampMs = try members.int64("timestamp-ms")
    summary = members.has("summary") ? try members.stringMap("summary") : nil
    manifestList = try members.string(ifPresent: "manifest-list")
    manifests = try members.strings("manifests")
    schemaID = try members.int32(ifPresent: "schema-id", nullable: true)
    firstRowID = try members.int64(ifPresent: "first-row-id", nullable: true)
    addedRows = try members.int64(ifPresent: "added-rows", nullable: true)
    keyID = try members.string(ifPresent: "key-id", nullable: true)
    if let firstRowID {
      guard firstRowID >= 0 else { throw members.negative("first-row-id", firstRowID) }
      guard addedRows != nil else { throw members.missing("added-rows") }
    }
    if let addedRows, addedRows < 0 { throw members.negative("added-rows", addedRows) }
  }
}

extension SnapshotReference {
  init(name: String, _ members: MetadataMembers) throws(TableMetadataError) {
    self.name = name
    snapshotID = try members.int64("snapshot-id")
    let type = try members.string("type")
    guard let kind = TableMetadataHead.Reference.Kind(rawValue: type.lowercased()) else {
      throw members.invalid(
        "has a wrong `\(members.path("type"))`: expected branch or tag", path: members.path("type"), expected: "branch or tag",
        found: String(type.prefix(80)))
    }
    self.kind = kind
    let minimum = try members.int32(ifPresent: "min-snapshots-to-keep", nullable: true)
    let snapshotAge = try members.int64(ifPresent: "max-snapshot-age-ms", nullable: true)
    let refAge = try members.int64(ifPresent: "max-ref-age-ms", nullable: true)
    if let minimum { try members.checkPositive("min-snapshots-to-keep", Int64(minimum)) }
    if let snapshotAge { try members.checkPositive("max-snapshot-age-ms", snapshotAge) }
    if let refAge { try members.checkPositive("max-ref-age-ms", refAge) }
    guard kind == .branch || (minimum == nil && snapshotAge == nil) else {
      throw members.invalid(
        "has a tag with a member of branches in `\(members.place)`", expected: "no min-snapshots-to-keep and max-snapshot-age-ms in a tag",
        found: "one of them")
    }
  }
}

extension StatisticsFile {
  init(_ members: MetadataMembers, hasBlobs: Bool) throws(TableMetadataError) {
    snapshotID = try members.int64("snapshot-id")
    path = try members.string("statistics-path")
    _ = try members.int64("file-size-in-bytes")
    guard hasBlobs else { return }
    _ = try members.int64("file-footer-size-in-bytes")
    guard members.has("blob-metadata") else { throw members.missing("blob-metadata") }
    _ = try members.objects("blob-metadata") { blob throws(TableMetadataError) in
      _ = try blob.string("type")
      _ = try blob.int64("snapshot-id")
      _ = try blob.int64("sequence-number")
      guard blob.has("fields") else { throw blob.missing("fields") }
      _ = try blob.int32s("fields")
      _ = try blob.stringMap("properties")
    }
  }
}

extension EncryptedKey {
  init(_ members: MetadataMembers) throws(TableMetadataError) {
    keyID = try members.string("key-id")
    _ = try members.string("encrypted-key-metadata")
    encryptedByID = try members.string(ifPresent: "encrypted-by-id", nullable: true)
    _ = try members.stringMap("properties")
  }
}

extension MetadataMembers {
  fileprivate func negative(_ name: String, _ value: Int64) -> TableMetadataError {
    invalid(
      "has a wrong `\(path(name))`: expected 0 or more, found \(value)", path: path(name), expected: "0 or more", found: "\(value)")
  }

  fileprivate func checkPositive(_ name: String, _ value: Int64) throws(TableMetadataError) {
    guard value > 0 else {
      throw invalid(
        "has a wrong `\(path(name))`: expected a number above 0, found \(value)", path: path(name), expected: "a number above 0",
        found: "\(value)")
    }
  }
}
