// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// What a metadata file names, and nothing else of it. Read with no more demands than it takes to be sure that nothing was overlooked.
///
/// Source: spec/table-metadata.md §2, §4, §5.
struct MetadataReach: Sendable {
  struct Snapshot: Sendable {
    var id: Int64
    /// Nil in version 1 only.
    var manifestList: String?
    /// Version 1 without a manifest list.
    var manifests: [String]
    /// Whether its manifest list can only be read with a key.
    var isEncrypted: Bool
  }

  /// Where the table keeps files.
  private(set) var areas: Set<ReachArea> = []
  /// Earlier metadata files.
  private(set) var log: [String] = []
  private(set) var snapshots: [Snapshot] = []
  /// Statistics and partition statistics.
  private(set) var statistics: [String] = []
  /// Properties that hold locations.
  private(set) var properties: [String] = []

  /// Why a metadata file says nothing that could be relied on.
  struct Unreadable: Error {
    var reason: String
  }

  private static let newestVersion: Int64 = 3

  init(parsing bytes: [UInt8], location: String) throws(Unreadable) {
    let document: JSONDocument
    do throws(TableMetadataError) {
      let text = try TableMetadataHead.text(of: bytes, fileName: location)
      do {
        document = try JSONDocument(parsing: text)
      } catch {
        throw TableMetadataError(code: .notJSON, file: location, reason: "is not JSON: \(error)")
      }
    } catch {
      throw Unreadable(reason: error.message)
    }
    try read(document.root)
    areas.formUnion(ReachArea.around(file: location))
    for file in log + statistics + snapshots.compactMap(\.manifestList) { areas.formUnion(ReachArea.around(file: file)) }
  }

  private mutating func read(_ root: JSONNode) throws(Unreadable) {
    guard let version = root["format-version"]?.int64 else { throw Unreadable(reason: "it has no format-version") }
    guard 1...Self.newestVersion ~= version else { throw Unreadable(reason: "its format version \(version) is not known here") }
    guard let location = root["location"]?.string, !location.isEmpty else { throw Unreadable(reason: "it has no location") }
    if let area = ReachArea(directory: location) { areas.insert(area) }
    if let properties = try member(of: root, "properties", .object) {
      // Whatever the key is: write.data.path, write.metadata.path, write.object-storage.path, or one of an engine.
      for case let value? in properties.members.map(\.value.string) {
        guard let area = ReachArea(directory: value) else { continue }
        areas.insert(area)
        self.properties.append(value)
      }
    }
    for entry in try elements(of: root, "metadata-log") { log.append(try string(entry, "metadata-file", in: "metadata-log")) }
    for name in ["statistics", "partition-statistics"] {
      for entry in try elements(of: root, name) { statistics.append(try string(entry, "statistics-path", in: name)) }
    }
    for entry in try elements(of: root, "snapshots") { snapshots.append(try snapshot(entry)) }
  }

  private func snapshot(_ node: JSONNode) throws(Unreadable) -> Snapshot {
    guard let id = node["snapshot-id"]?.int64 else { throw Unreadable(reason: "one of its snapshots has no snapshot-id") }
    let isEncrypted = node["key-id"].map { !$0.isNull } ?? false
    var list: String?
    if let value = node["manifest-list"], !value.isNull { list = try string(node, "manifest-list", in: "snapshots") }
    var manifests: [String] = []
    for element in try elements(of: node, "manifests") {
      guard let path = element.string else { throw Unreadable(reason: "snapshot \(id) has a manifest that is no string") }
      manifests.append(path)
    }
    guard list != nil || node["manifests"]?.kind == .array else {
      throw Unreadable(reason: "snapshot \(id) has neither manifest-list nor manifests")
    }
    return Snapshot(id: id, manifestList: list, manifests: manifests, isEncrypted: isEncrypted)
  }

  /// Nil if absent or null.
  private func member(of node: JSONNode, _ name: String, _ kind: JSONNode.Kind) throws(Unreadable) -> JSONNode? {
    guard let value = node[name], !value.isNull else { return nil }
    guard value.kind == kind else { throw Unreadable(reason: "its \(name) is no \(kind.rawValue)") }
    return value
  }

  private func elements(of node: JSONNode, _ name: String) throws(Unreadable) -> [JSONNode] {
    try member(of: node, name, .array).map { Array($0.elements) } ?? []
  }

  private func string(_ node: JSONNode, _ name: String, in list: String) throws(Unreadable) -> String {
    guard let value = node[name]?.string else { throw Unreadable(reason: "its \(list) has an entry without \(name)") }
    return value
  }

  /// Bytes of memory, about.
  var cost: Int {
    func cost(_ texts: [String]) -> Int { texts.reduce(0) { $0 + 32 + $1.utf8.count } }
    let snapshots = self.snapshots.reduce(0) { $0 + 80 + ($1.manifestList?.utf8.count ?? 0) + cost($1.manifests) }
    return 256 + snapshots + cost(log) + cost(statistics) + cost(properties) + areas.reduce(0) { $0 + $1.cost }
  }
}
