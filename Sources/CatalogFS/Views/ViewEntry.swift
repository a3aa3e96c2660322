// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// Which files of a snapshot a directory shows.
enum SnapshotSide: String, Sendable, Hashable {
  case data, deletes, manifests
}

/// A metadata table that is made by going over all manifests: of unknown size until that was done once.
enum ViewRows: String, Sendable, Hashable, CaseIterable {
  case files = "files.jsonl"
  case partitions = "partitions.jsonl"
}

/// What `.iceberg` of a table holds, but for the files of snapshots.
enum ViewEntry: Sendable {
  /// `snapshots/`, `refs/`, `refs/branches/`, `refs/tags/`, `by-time/`.
  case fixed(FixedDirectory)
  /// `snapshots/<id>/`
  case snapshot(SnapshotPlace)
  /// `data/`, `deletes/`, `manifests/` of a snapshot and what is below them.
  ///
  /// - path: below the side's location, or `bucket/key` of files elsewhere; ends in `/` or is empty.
  case files(SnapshotPlace, SnapshotSide, path: [UInt8], isOutside: Bool)
  /// A symbolic link; modified in nanoseconds since 1970.
  case link(target: String, modified: Int64)
  case summary(SnapshotPlace)
  /// - pointer: of the metadata file that it is made of.
  case document(ViewDocument, pointer: String, size: Int64, modified: Int64)
  /// - size: nil until it is known.
  case rows(ViewRows, pointer: String, size: Int64?, modified: Int64)

  enum FixedDirectory: String, Sendable, Hashable {
    case snapshots = "snapshots"
    case references = "refs"
    case branches, tags
    case byTime = "by-time"
  }

  /// Tells it from all other entries of the same table.
  var identity: String {
    switch self {
    case .fixed(let directory): directory.rawValue
    case .snapshot(let place): "snapshot \(place.identity)"
    case .files(let place, let side, let path, let isOutside):
      "\(side.rawValue) \(isOutside) \(place.identity) \(String(decoding: path, as: UTF8.self))"
    case .link(let target, let modified): "link \(target) \(modified)"
    case .summary(let place): "summary \(place.source.id)"
    case .document(let document, let pointer, _, _): "\(document.rawValue) \(pointer)"
    case .rows(let rows, let pointer, let size, _): "\(rows.rawValue) \(pointer) \(size.map { String($0) } ?? "?")"
    }
  }

  var shownAs: NodeAttributes.Kind {
    switch self {
    case .fixed, .snapshot, .files: .directory
    case .link: .symbolicLink
    case .summary, .document, .rows: .file
    }
  }
}
