// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// What the user wants of a mount, apart from the catalog's properties. Source: filesystem contract §1.
package struct MountOptions: Sendable, Hashable {
  package enum LogLevel: String, Sendable, Hashable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
  }

  package enum LogFormat: String, Sendable, Hashable, CaseIterable {
    case text, json
  }

  package var catalog: String
  /// Absolute; not resolved further.
  package var mountpoint: String
  /// What the mount table shows as the source; nil: `bergfs#` and the catalog's name.
  package var source: String?
  /// Sets MS_RDONLY.
  package var readOnly = false
  /// `--allow-delete`: objects that nothing needs may be removed.
  package var allowDelete = false
  /// `--delete-min-age`: younger objects are kept, as they may belong to a commit under way.
  package var deleteMinAge = Duration.seconds(3 * 86_400)
  /// `--allow-drop`: tables and namespaces may be dropped from the catalog.
  package var allowDrop = false
  /// `--allow-rename`: tables may get another name.
  package var allowRename = false
  /// `--staging-dir`, absolute; nil: the daemon's choice.
  package var stagingDirectory: String?
  /// `--staging-size`, bytes; nil: the daemon's choice by the free space.
  package var stagingSize: Int64?
  /// `--cache-dir`, absolute; nil: no disk cache.
  package var cacheDirectory: String?
  /// `--cache-size`, bytes; nil: the daemon's choice by the free space.
  package var cacheSize: Int64?
  /// `--metadata-ttl`; nil if not given: use ``metadataTTL(with:)``.
  package var metadataTTL: Duration?
  /// Bytes.
  package var memoryLimit: Int64
  /// Owner of all files; nil means the user who mounts.
  package var uid: UInt32?
  package var gid: UInt32?
  /// Permission bits to take away, 0 to 0o777.
  package var umask: UInt16?
  /// Permission bits of files, 0 to 0o777; nil means the contract's.
  package var fileMode: UInt16?
  package var directoryMode: UInt16?
  package var allowOther = false
  /// Stay in the foreground, log to standard error.
  package var foreground = false
  package var logLevel = LogLevel.info
  /// Absolute; nil means the daemon's own choice.
  package var logFile: String?
  package var logFormat = LogFormat.text
  /// `--show-views`: listings of tables hold `.iceberg`.
  package var showViews = false
  /// Show only these; empty shows all.
  package var namespaces: [String] = []

  package init(catalog: String, mountpoint: String, memoryLimit: Int64) {
    self.catalog = catalog
    self.mountpoint = mountpoint
    self.memoryLimit = memoryLimit
  }

  /// Refuses options that contradict each other.
  package func checkTogether() throws(ConfigurationError) {
    guard cacheSize == nil || cacheDirectory != nil else {
      throw ConfigurationError(.option, "--cache-size needs --cache-dir: say where the disk cache is")
    }
    guard readOnly else { return }
    for (name, isGiven) in [("--allow-delete", allowDelete), ("--allow-drop", allowDrop), ("--allow-rename", allowRename)] where isGiven {
      throw ConfigurationError(.option, "--read-only and \(name) cannot both be given: leave one of them out")
    }
  }

  /// The metadata TTL where nothing sets it.
  package static let defaultMetadataTTL = Duration.seconds(1)
  /// Stands for entries that never expire.
  package static let endless = Duration.seconds(100 * 365 * 86_400)

  /// How long catalog answers are believed: `--metadata-ttl`, else 0 with `cache-enabled=false`, else `cache.expiration-interval-ms` if it
  /// is set, else one second.
  package func metadataTTL(with properties: EffectiveProperties) throws(PropertyValueError) -> Duration {
    if let metadataTTL { return metadataTTL }
    if try properties.boolean(CatalogKeys.cacheEnabled) == false { return .zero }
    guard let milliseconds = try properties.int64(CatalogKeys.cacheExpirationIntervalMs) else { return Self.defaultMetadataTTL }
    return milliseconds < 0 ? Self.endless : min(.milliseconds(milliseconds), Self.endless)
  }
}
