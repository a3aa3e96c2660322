// SPDX-License-Identifier: Apache-2.0

/// Where a table keeps files, as its current metadata says.
enum TableOutline: Sendable {
  case areas([ReachArea])
  /// The pointer leads to no object. Only the places around it are known.
  case missing([ReachArea])
  /// The metadata cannot be made out: its places may be anywhere. Why, as a sentence.
  case unreadable(String)

  var cost: Int {
    switch self {
    case .areas(let areas), .missing(let areas): areas.reduce(32) { $0 + $1.cost }
    case .unreadable(let reason): 32 + reason.utf8.count
    }
  }

  func covers(_ location: ObjectLocation) -> Bool {
    switch self {
    case .areas(let areas), .missing(let areas): areas.contains { $0.contains(location) }
    case .unreadable: true
    }
  }
}

/// Everything that a pointer reaches, short of what the manifests hold: worked out once a pointer, since all of it is immutable.
struct ReachPlan: Sendable {
  /// How a metadata file reaches an object.
  struct Origin: Sendable {
    enum Kind: UInt8, Sendable {
      case current, logged, manifestList, manifest, statistics, property
    }

    var kind: Kind
    /// Index in ``metadataFiles``.
    var metadata: Int
    var snapshotID: Int64 = 0
  }

  /// A manifest to look into.
  struct Manifest: Sendable {
    var path: String
    /// Bytes, as the list says.
    var length: Int64?
    var origin: Origin
    /// Whether the current metadata reaches it: then it has to be there. What only earlier metadata reaches may have been expired.
    var isCurrent: Bool
  }

  /// The current one first.
  var metadataFiles: [String]
  var direct: [PathDigest: Origin] = [:]
  var manifests: [Manifest] = []
  /// Why there may be more than this: sentences.
  var doubts: [String] = []
  /// Whether reading the files again would give the same.
  var isFinal = true

  /// How this table holds an object that a metadata file, a snapshot or a list names.
  func sentence(_ origin: Origin) -> String {
    let file = metadataFiles[origin.metadata]
    let which = origin.metadata == 0 ? "the current metadata file" : "the logged metadata file"
    return switch origin.kind {
    case .current: "it is the current metadata file"
    case .logged: "it stands in the metadata log of \(file)"
    case .manifestList: "it is the manifest list of snapshot \(origin.snapshotID) in \(which) \(file)"
    case .manifest: "it is a manifest of snapshot \(origin.snapshotID) in \(which) \(file)"
    case .statistics: "it is a statistics file in \(which) \(file)"
    case .property: "a table property in \(which) \(file) names it"
    }
  }

  /// How this table holds an object that a manifest names.
  func sentence(liveIn manifest: Manifest) -> String {
    let which = manifest.origin.metadata == 0 ? "the current metadata file" : "the logged metadata file"
    return "snapshot \(manifest.origin.snapshotID) in \(which) \(metadataFiles[manifest.origin.metadata]) holds it "
      + "(manifest \(manifest.path))"
  }

  /// Bytes of memory, about.
  var cost: Int {
    let texts = metadataFiles.reduce(0) { $0 + 32 + $1.utf8.count } + doubts.reduce(0) { $0 + 32 + $1.utf8.count }
    return 128 + texts + direct.count * 64 + manifests.reduce(0) { $0 + 72 + $1.path.utf8.count }
  }
}
