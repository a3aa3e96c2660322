// SPDX-License-Identifier: Apache-2.0

/// What one needs of a table's metadata to show its files: identity, places, history of metadata files, refs. No schemas, no snapshots.
///
/// Source: spec/table-metadata.md §2, §5, §6.
package struct TableMetadataHead: Sendable, Hashable {
  /// An earlier metadata file of the table.
  package struct LogEntry: Sendable, Hashable {
    /// Milliseconds since 1970.
    package var timestampMs: Int64
    /// Full URI, as written.
    package var file: String

    package init(timestampMs: Int64, file: String) {
      self.timestampMs = timestampMs
      self.file = file
    }
  }

  /// A branch or a tag.
  package struct Reference: Sendable, Hashable {
    /// How the name may move: a branch does with every commit, a tag does not.
    package enum Kind: String, Sendable, CaseIterable {
      case branch, tag
    }

    package var snapshotID: Int64
    package var kind: Kind

    package init(snapshotID: Int64, kind: Kind) {
      self.snapshotID = snapshotID
      self.kind = kind
    }
  }

  /// 1 to 3.
  package var formatVersion: Int
  /// Nil only in version 1.
  package var tableUUID: String?
  /// Without a trailing `/`.
  package var location: String
  /// Milliseconds since 1970.
  package var lastUpdatedMs: Int64
  /// Nil if the table has no current snapshot, however the writer says so.
  package var currentSnapshotID: Int64?
  /// Table properties as written; empty if the file has none.
  package var properties: [String: String]
  /// Oldest first; without the file itself.
  package var metadataLog: [LogEntry]
  /// By name. Where a current snapshot is set, `main` is there even if the writer left it out.
  package var refs: [String: Reference]
}

// MARK: Places

extension TableMetadataHead {
  private enum Key {
    static let metadataPath = "write.metadata.path"
    static let dataPath = "write.data.path"
    static let objectStorageEnabled = "write.object-storage.enabled"
    static let objectStoragePath = "write.object-storage.path"
    static let folderStoragePath = "write.folder-storage.path"
  }

  /// The directory of metadata files, without a trailing `/`: `write.metadata.path` or `<location>/metadata`.
  package var metadataLocation: String {
    path(Key.metadataPath) ?? "\(location)/metadata"
  }

  /// The directory of data files, without a trailing `/`: `write.data.path`, a deprecated path that older writers obeyed, or
  /// `<location>/data`.
  ///
  /// Of the deprecated ones, `write.object-storage.path` counts only with `write.object-storage.enabled`, and before
  /// `write.folder-storage.path`.
  package var dataLocation: String {
    if let dataPath = path(Key.dataPath) { return dataPath }
    let isObjectStorage = properties[Key.objectStorageEnabled]?.lowercased() == "true"
    if isObjectStorage, let objectPath = path(Key.objectStoragePath) { return objectPath }
    return path(Key.folderStoragePath) ?? "\(location)/data"
  }

  /// A property's path; an empty one counts as absent.
  private func path(_ key: String) -> String? {
    guard let value = properties[key], !value.isEmpty else { return nil }
    return Self.strippingTrailingSlashes(value)
  }

  /// The location less its last slashes, but never below `scheme://`.
  static func strippingTrailingSlashes(_ location: String) -> String {
    // As bytes: a slash stays one, whatever Unicode joins it with.
    var result = Substring(location).utf8
    while result.last == UInt8(ascii: "/"), !result.suffix(3).elementsEqual("://".utf8) { result.removeLast() }
    return String(Substring(result))
  }
}
