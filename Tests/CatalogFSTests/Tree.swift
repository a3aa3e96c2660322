// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Iceberg
import ObjectCache
import Synchronization
import Telemetry
import TestSupport

/// A mounted catalog in memory, with a clock that stands still until it is moved.
final class Tree: Sendable {
  let files: InMemoryFileIO
  let catalog: InMemoryCatalog
  let filesystem: CatalogFilesystem

  init(
    pageSize: Int = 1_000, tablePageSize: Int = 100, namespaces: [Namespace] = [], ttl: Duration = .seconds(1),
    largestMetadata: Int64 = 1 << 20, viewMemory: Int = 64 << 20, manifestCache: ManifestCacheSettings = .init(),
    tuning: Prefetcher.Tuning = .init(), mostVersions: Int = 4_096, excludes: @escaping @Sendable (String) -> Bool = { _ in false }
  ) {
    files = InMemoryFileIO(buckets: ["lake"], pageSize: pageSize)
    catalog = InMemoryCatalog(files: files, pageSize: tablePageSize, excludes: excludes)
    let metrics = Metrics()
    let now = TestClock(clock: .init())
    time = now
    filesystem = CatalogFilesystem(
      catalog: catalog, cache: BlockCache(budget: MemoryBudget(limit: 64 << 20), metrics: metrics),
      options: CatalogFilesystemOptions(
        metadataTTL: ttl, namespaces: namespaces, mountTime: 1, largestMetadata: largestMetadata, viewMemory: viewMemory,
        manifestCache: manifestCache, tuning: tuning, mostVersions: mostVersions),
      control: ControlContent { Array("control \($0.rawValue)\n".utf8) }, metrics: metrics, digest: testDigest, now: { now.now })
  }

  let time: TestClock

  /// Writes a metadata file and points the table at it.
  @discardableResult
  func commit(
    _ namespace: [String], _ name: String, number: Int = 0, location: String? = nil, properties: [String: String] = [:], log: [String] = [],
    file: String? = nil
  ) -> String {
    let location = location ?? "s3://lake/\(namespace.joined(separator: "."))/\(name)"
    let fileName = file ?? "0000\(number)-aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa.metadata.json"
    let pointer = "\(properties["write.metadata.path"] ?? location + "/metadata")/\(fileName)"
    put(pointer, Array(Self.metadata(location: location, properties: properties, log: log).utf8))
    catalog.putTable(TableIdentifier(namespace: Namespace(namespace), name: name), metadataLocation: pointer)
    return pointer
  }

  static func metadata(location: String, properties: [String: String] = [:], log: [String] = []) -> String {
    let members = properties.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
    let entries = log.map { "{\"timestamp-ms\":1,\"metadata-file\":\"\($0)\"}" }.joined(separator: ",")
    return """
      {"format-version":2,"table-uuid":"9c12d441-03fe-4693-9a96-a0705ddf69c1","location":"\(location)","last-sequence-number":0,\
      "last-updated-ms":1,"last-column-id":1,"current-schema-id":0,"schemas":[],"default-spec-id":0,"partition-specs":[],\
      "last-partition-id":999,"default-sort-order-id":0,"sort-orders":[],"properties":{\(members)},"metadata-log":[\(entries)]}
      """
  }

  @discardableResult
  func put(_ location: String, _ bytes: [UInt8]) -> ObjectAttributes {
    files.put(self.location(location), bytes)
  }

  func location(_ text: String) -> ObjectLocation {
    let rest = text.dropFirst("s3://".count)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    return ObjectLocation(bucket: String(rest[..<slash]), key: slash == rest.endIndex ? "" : String(rest[rest.index(after: slash)...]))
  }

  /// Walks a path of entry names from the root.
  @discardableResult
  func walk(_ path: String...) async throws(FilesystemError) -> NodeEntry {
    try await walk(path)
  }

  @discardableResult
  func walk(_ path: [String]) async throws(FilesystemError) -> NodeEntry {
    var inode: UInt64 = 1
    var entry: NodeEntry?
    for name in path {
      let found = try await filesystem.lookup(parent: inode, name: Array(name.utf8))
      inode = found.attributes.inode
      entry = found
    }
    guard let entry else { throw FilesystemError(.invalid, "no path") }
    return entry
  }

  /// All names of a directory, through one handle, `batch` entries an answer.
  func list(_ path: String..., batch: Int = 7) async throws(FilesystemError) -> [String] {
    let inode = path.isEmpty ? 1 : try await walk(path).attributes.inode
    return try await list(inode: inode, batch: batch)
  }

  func list(inode: UInt64, batch: Int = 7, wantsAttributes: Bool = true) async throws(FilesystemError) -> [String] {
    let handle = try await filesystem.openDirectory(inode: inode).handle
    defer { filesystem.release(handle: handle) }
    var names: [String] = []
    var cookie: UInt64 = 0
    while true {
      let receiver = Receiver(limit: batch, wantsAttributes: wantsAttributes)
      try await filesystem.readDirectory(inode: inode, handle: handle, cookie: cookie, into: receiver)
      let entries = receiver.entries
      guard let last = entries.last else { return names }
      names += entries.map(\.name.description)
      cookie = last.next
    }
  }

  func read(_ path: String...) async throws(FilesystemError) -> String {
    let inode = try await walk(path).attributes.inode
    let opened = try await filesystem.open(inode: inode)
    defer { filesystem.release(handle: opened.handle) }
    let bytes = try await filesystem.read(handle: opened.handle, offset: 0, size: 1 << 20)
    return bytes.segments.map { String(decoding: $0, as: UTF8.self) }.joined()
  }
}

final class TestClock: Sendable {
  private let clock: Mutex<ContinuousClock.Instant>

  init(clock: ContinuousClock) {
    self.clock = Mutex(clock.now)
  }

  var now: ContinuousClock.Instant { clock.withLock { $0 } }

  func advance(by duration: Duration) {
    clock.withLock { $0 = $0.advanced(by: duration) }
  }
}

final class Receiver: DirectoryReceiver {
  private let limit: Int
  let wantsAttributes: Bool
  private let state = Mutex<[(name: EntryName, next: UInt64, inode: UInt64)]>([])

  init(limit: Int, wantsAttributes: Bool) {
    self.limit = limit
    self.wantsAttributes = wantsAttributes
  }

  var entries: [(name: EntryName, next: UInt64, inode: UInt64)] { state.withLock { $0 } }

  func add(name: EntryName, entry: NodeEntry, next: UInt64) -> Bool {
    append(name, next, entry.attributes.inode)
  }

  func add(name: EntryName, inode: UInt64, kind: NodeAttributes.Kind, next: UInt64) -> Bool {
    append(name, next, inode)
  }

  private func append(_ name: EntryName, _ next: UInt64, _ inode: UInt64) -> Bool {
    state.withLock { entries in
      guard entries.count < limit else { return false }
      entries.append((name, next, inode))
      return true
    }
  }
}
