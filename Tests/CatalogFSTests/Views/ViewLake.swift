// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Iceberg
import ObjectCache
import TestSupport

/// A table in memory whose snapshots are written byte by byte: `sales.orders` in a ``Tree``.
final class ViewLake: Sendable {
  /// A snapshot as its metadata has it.
  struct State: Sendable {
    var id: Int64
    /// Milliseconds since 1970.
    var timestamp: Int64
    var manifests: [String] = []
    var keyID: String?
  }

  static let place = "s3://lake/sales/orders"
  let tree: Tree
  let version: Int

  init(
    version: Int = 2, ttl: Duration = .seconds(1), viewMemory: Int = 64 << 20, cachesManifests: Bool = false,
    tuning: Prefetcher.Tuning = .init(), mostVersions: Int = 4_096
  ) {
    var cache = ManifestCacheSettings()
    cache.isEnabled = cachesManifests
    self.version = version
    tree = Tree(ttl: ttl, viewMemory: viewMemory, manifestCache: cache, tuning: tuning, mostVersions: mostVersions)
  }

  var files: InMemoryFileIO { tree.files }
  static func list(_ id: Int64) -> String { "\(place)/metadata/snap-\(id).avro" }
  static func manifest(_ name: String) -> String { "\(place)/metadata/\(name).avro" }

  /// Writes a manifest; gives what a list says of it.
  @discardableResult
  func put(_ name: String, _ manifest: TestManifest, addedBy snapshot: Int64 = 1, specID: Int64 = 0) -> TestManifestList.Entry {
    let bytes = manifest.bytes
    tree.put(Self.manifest(name), bytes)
    var entry = TestManifestList.Entry(Self.manifest(name), length: bytes.count, addedBy: snapshot)
    entry.isDeletes = manifest.isDeletes
    entry.specID = specID
    entry.counts = (Int64(manifest.entries.count), 0, 0)
    return entry
  }

  /// Writes the list of a snapshot.
  func put(list id: Int64, _ entries: [TestManifestList.Entry]) {
    tree.put(Self.list(id), TestManifestList(version: version, snapshotID: id, entries).bytes)
  }

  /// Points the table at metadata with these snapshots, the last one being current.
  ///
  /// - Parameters:
  ///   - log: entries of the snapshot log; by default every snapshot at its time.
  ///   - references: name, snapshot, kind; besides `main`.
  func commit(
    _ snapshots: [State], number: Int = 0, log: [(Int64, Int64)]? = nil, references: [(String, Int64, String)] = [],
    dataPath: String? = nil, isPartitioned: Bool = false
  ) {
    let current = snapshots.last?.id
    let states = snapshots.map { snapshot in
      let list = snapshot.manifests.isEmpty ? "\"manifest-list\":\"\(Self.list(snapshot.id))\"" : "\"manifests\":\(snapshot.manifests)"
      let key = snapshot.keyID.map { ",\"key-id\":\"\($0)\"" } ?? ""
      return """
        {"snapshot-id":\(snapshot.id),"timestamp-ms":\(snapshot.timestamp),"sequence-number":\(version == 1 ? 0 : 1),\
        "summary":{"operation":"append","total-records":"7"},\(list)\(key)}
        """
    }
    let refs =
      (current.map { [("main", $0, "branch")] } ?? []) + references.map { ($0.0, $0.1, $0.2) }
    let entries = (log ?? snapshots.map { ($0.timestamp, $0.id) }).map { "{\"timestamp-ms\":\($0.0),\"snapshot-id\":\($0.1)}" }
    let fields = isPartitioned ? "{\"source-id\":2,\"field-id\":1000,\"name\":\"day\",\"transform\":\"day\"}" : ""
    let text = """
      {"format-version":\(version),"table-uuid":"9c12d441-03fe-4693-9a96-a0705ddf69c1","location":"\(Self.place)",\
      "last-sequence-number":\(version == 1 ? 0 : 1),"last-updated-ms":\(snapshots.map(\.timestamp).max() ?? 1),"last-column-id":2,\
      "current-schema-id":0,"schemas":[{"type":"struct","schema-id":0,"fields":[{"id":1,"name":"id","required":true,"type":"long"},\
      {"id":2,"name":"at","required":false,"type":"timestamp"}]}],"default-spec-id":0,\
      "partition-specs":[{"spec-id":0,"fields":[\(fields)]}],"last-partition-id":1000,"default-sort-order-id":0,\
      "sort-orders":[{"order-id":0,"fields":[]}],\(version == 3 ? "\"next-row-id\":0," : "")\
      "properties":{\(dataPath.map { "\"write.data.path\":\"\($0)\"" } ?? "")},"current-snapshot-id":\(current ?? -1),\
      "snapshots":[\(states.joined(separator: ","))],"snapshot-log":[\(entries.joined(separator: ","))],\
      "refs":{\(refs.map { "\"\($0.0)\":{\"snapshot-id\":\($0.1),\"type\":\"\($0.2)\"}" }.joined(separator: ","))}}
      """
    let pointer =
      "\(Self.place)/metadata/\(String(repeating: "0", count: 5 - "\(number)".count))\(number)-aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa.metadata.json"
    tree.put(pointer, Array(text.utf8))
    tree.catalog.putTable(TableIdentifier(namespace: Namespace(["sales"]), name: "orders"), metadataLocation: pointer)
  }

  /// One snapshot of one manifest of data files.
  func commit(id: Int64 = 1, files: [String], number: Int = 0) {
    put(list: id, [put("m\(id)", TestManifest(version: version, files.map { TestManifest.Entry($0) }), addedBy: id)])
    commit([State(id: id, timestamp: 1_000_000 + id)], number: number)
  }

  // MARK: Looking

  private static let views = ["sales", "orders", ".iceberg"]

  @discardableResult
  func walk(_ path: String...) async throws(FilesystemError) -> NodeEntry { try await tree.walk(Self.views + path) }

  func list(_ path: String...) async throws(FilesystemError) -> [String] {
    try await tree.list(inode: try await tree.walk(Self.views + path).attributes.inode)
  }

  /// Every file below a directory, by its path, with its size.
  func files(below path: [String]) async throws(FilesystemError) -> [String: Int64] {
    var found: [String: Int64] = [:]
    var waiting: [[String]] = [[]]
    while let directory = waiting.popLast() {
      let inode = try await tree.walk(Self.views + path + directory).attributes.inode
      for name in try await tree.list(inode: inode) {
        let entry = try await tree.filesystem.lookup(parent: inode, name: Array(name.utf8))
        switch entry.attributes.kind {
        case .directory: waiting.append(directory + [name])
        case .file, .symbolicLink: found[(directory + [name]).joined(separator: "/")] = entry.attributes.size
        }
      }
    }
    return found
  }

  func target(_ path: String...) async throws(FilesystemError) -> String {
    String(decoding: try await tree.filesystem.readlink(inode: try await tree.walk(Self.views + path).attributes.inode), as: UTF8.self)
  }

  /// A whole file, as a program reads it that reads until nothing comes.
  func read(_ path: String..., by size: Int = 4_096) async throws(FilesystemError) -> String {
    let inode = try await tree.walk(Self.views + path).attributes.inode
    let opened = try await tree.filesystem.open(inode: inode)
    defer { tree.filesystem.release(handle: opened.handle) }
    var text: [UInt8] = []
    while true {
      let bytes = try await tree.filesystem.read(handle: opened.handle, offset: Int64(text.count), size: size)
      if bytes.segments.isEmpty { return String(decoding: text, as: UTF8.self) }
      withExtendedLifetime(bytes.owner) {
        for segment in bytes.segments { text += segment }
      }
    }
  }
}
