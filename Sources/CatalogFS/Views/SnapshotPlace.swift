// SPDX-License-Identifier: Apache-2.0

import Iceberg
import WireFormats

/// One snapshot as it was found: all that its directory shows of it without reading a manifest.
///
/// It is a copy, so that a directory that was opened goes on as it was when a commit moves the table on, or expires the snapshot.
final class SnapshotPlace: Sendable {
  /// When each snapshot of the table was made.
  final class Times: Sendable {
    /// Milliseconds since 1970, with the oldest first.
    private let times: [Int64]
    private let indices: [Int64: Int]

    init(_ snapshots: [Snapshot]) {
      let sorted = snapshots.sorted { $0.timestampMs < $1.timestampMs }
      times = sorted.map(\.timestampMs)
      indices = Dictionary(sorted.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// As ``SnapshotFile/addedBy`` has it.
    func index(of snapshot: Int64?) -> Int { snapshot.flatMap { indices[$0] }.map { $0 + 1 } ?? 0 }

    /// Nanoseconds since 1970. What a snapshot added that has expired is as old as the oldest one known, at least.
    func modified(_ file: SnapshotFile) -> Int64 {
      guard let oldest = times.first else { return 0 }
      let index = file.addedBy - 1
      return (times.indices.contains(index) ? times[index] : oldest).nanoseconds
    }
  }

  let source: SnapshotSource
  /// Milliseconds since 1970.
  let timestampMs: Int64
  /// The text of `summary.json`.
  let summary: [UInt8]
  /// Key ends in `/`: what paths below `data/` and `deletes/` are relative to.
  let dataDirectory: ObjectLocation
  /// Key ends in `/`: what paths below `manifests/` are relative to.
  let metadataDirectory: ObjectLocation
  let times: Times
  /// Tells it from what another state of the table makes of the same snapshot.
  let identity: String

  init(_ snapshot: Snapshot, dataDirectory: ObjectLocation, metadataDirectory: ObjectLocation, times: Times) {
    source = SnapshotSource(snapshot)
    timestampMs = snapshot.timestampMs
    summary = ViewDocument.text(snapshot.node["summary"])
    self.dataDirectory = dataDirectory
    self.metadataDirectory = metadataDirectory
    self.times = times
    identity = "\(snapshot.id) \(dataDirectory) \(metadataDirectory)"
  }

  /// Nanoseconds since 1970.
  var modified: Int64 { timestampMs.nanoseconds }
}

extension Int64 {
  /// Of milliseconds; the nearest number where it does not fit.
  var nanoseconds: Int64 {
    let (product, overflows) = multipliedReportingOverflow(by: 1_000_000)
    return overflows ? (self < 0 ? .min : .max) : product
  }
}
