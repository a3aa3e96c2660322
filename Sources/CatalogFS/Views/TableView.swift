// SPDX-License-Identifier: Apache-2.0

import Iceberg
import WireFormats

/// One metadata file of a table, read whole: what its views show.
final class TableView: Sendable {
  /// Of the metadata file, as the catalog has it.
  let pointer: String
  let metadata: TableMetadata
  /// Branches and tags; `main` is there wherever a current snapshot is.
  let references: [SnapshotReference]
  private let dataDirectory: ObjectLocation
  private let metadataDirectory: ObjectLocation
  private let times: SnapshotPlace.Times
  private let indices: [Int64: Int]

  /// - Parameters:
  ///   - dataDirectory: key ends in `/`.
  ///   - metadataDirectory: key ends in `/`.
  init(_ metadata: TableMetadata, pointer: String, dataDirectory: ObjectLocation, metadataDirectory: ObjectLocation) {
    self.metadata = metadata
    self.pointer = pointer
    self.dataDirectory = dataDirectory
    self.metadataDirectory = metadataDirectory
    times = SnapshotPlace.Times(metadata.snapshots)
    indices = Dictionary(metadata.snapshots.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    var references = metadata.references
    if let current = metadata.head.currentSnapshotID, !references.contains(where: { $0.name == "main" }) {
      references.append(SnapshotReference(name: "main", snapshotID: current, kind: .branch))
    }
    self.references = references
  }

  /// Nanoseconds since 1970.
  var modified: Int64 { metadata.head.lastUpdatedMs.nanoseconds }

  /// Nil if the table has no such snapshot.
  func place(of id: Int64) -> SnapshotPlace? {
    indices[id].map {
      SnapshotPlace(metadata.snapshots[$0], dataDirectory: dataDirectory, metadataDirectory: metadataDirectory, times: times)
    }
  }

  func holds(_ id: Int64) -> Bool { indices[id] != nil }

  /// Nil if the table is empty.
  var current: SnapshotPlace? { metadata.head.currentSnapshotID.flatMap { place(of: $0) } }

  /// The instants at which `main` moved, by their names, with the oldest first; of two in one millisecond the later one.
  var instants: [(name: String, milliseconds: Int64, snapshotID: Int64)] {
    var instants: [(name: String, milliseconds: Int64, snapshotID: Int64)] = []
    for entry in metadata.snapshotLog where holds(entry.snapshotID) {
      let name = InstantName.name(entry.timestampMs)
      // What the name leads to is what was current then, which is not this one where clocks went backwards.
      guard let id = metadata.snapshotID(at: entry.timestampMs), holds(id), !instants.contains(where: { $0.name == name }) else { continue }
      instants.append((name, entry.timestampMs, id))
    }
    return instants
  }
}

extension TableView: ViewCached {
  /// The document, its nodes, and what was made of them: about four times the text.
  var cost: Int { 4 * metadata.document.bytes.count }
}
