// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Glibc
import Iceberg
import Logging
import ObjectCache
import Synchronization
import Telemetry
import TestSupport

/// A mounted catalog in memory that can be written to, with one table `sales.orders` whose metadata commits may follow.
final class WritableTree: Sendable {
  let files: InMemoryFileIO
  let catalog: InMemoryCatalog
  let filesystem: CatalogFilesystem
  let processes = PretendedProcesses()
  let reports = Reports()
  private let staging = ScratchDirectory()
  static let orders = TableIdentifier(namespace: Namespace(["sales"]), name: "orders")
  static let place = "s3://lake/sales/orders"
  static let first = "\(place)/metadata/00000-aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa.metadata.json"
  /// The caller of every request that names no other.
  static let thread: Int32 = 100
  /// Milliseconds since 1970.
  static let now: Int64 = 1_800_000_000_000

  init(_ permissions: CatalogWriting.Permissions = .init()) throws {
    let files = InMemoryFileIO(buckets: ["lake"], pageSize: 1_000)
    let catalog = InMemoryCatalog(files: files, pageSize: 100, excludes: { $0.hasPrefix("bad") })
    let metrics = Metrics()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let engine = CommitEngine(catalog: catalog, settings: .init(now: { Self.now }, metrics: metrics, logger: logger))
    let reports = reports
    let writing = CatalogWriting(
      catalog: catalog, engine: engine, reachability: Reachability(catalog: catalog, logger: logger),
      staging: try StagingArea(directory: staging.path, capacity: 64 << 20), journal: nil, processes: processes, permissions: permissions,
      now: { Self.now * 1_000_000 }, report: { path, _, error in reports.add("\(path): \(error.code)") })
    self.files = files
    self.catalog = catalog
    filesystem = CatalogFilesystem(
      catalog: catalog, cache: BlockCache(budget: MemoryBudget(limit: 64 << 20), metrics: metrics),
      options: CatalogFilesystemOptions(metadataTTL: .seconds(1), directoryMode: 0o755, mountTime: 1), writing: writing,
      control: ControlContent { Array("control \($0.rawValue)\n".utf8) }, metrics: metrics, digest: testDigest)
    put(Self.first, Self.metadata())
    catalog.putTable(Self.orders, metadataLocation: Self.first)
  }

  var pointer: String? { catalog.table(Self.orders)?.metadataLocation }

  @discardableResult
  func put(_ location: String, _ text: String) -> ObjectAttributes {
    files.put(self.location(location), Array(text.utf8))
  }

  func location(_ text: String) -> ObjectLocation {
    let rest = text.dropFirst("s3://".count)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    return ObjectLocation(bucket: String(rest[..<slash]), key: slash == rest.endIndex ? "" : String(rest[rest.index(after: slash)...]))
  }

  static func metadata(place: String = place, updated: Int64 = 1_000, log: [(Int64, String)] = [], properties: [String: String] = [:])
    -> String
  {
    let members = properties.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
    let entries = log.map { "{\"timestamp-ms\":\($0.0),\"metadata-file\":\"\($0.1)\"}" }.joined(separator: ",")
    return """
      {"format-version":2,"table-uuid":"9c12d441-03fe-4693-9a96-a0705ddf69c1","location":"\(place)","last-sequence-number":0,\
      "last-updated-ms":\(updated),"last-column-id":1,"current-schema-id":0,"schemas":[{"type":"struct","schema-id":0,"fields":\
      [{"id":1,"name":"id","required":false,"type":"long"}]}],"default-spec-id":0,"partition-specs":[{"spec-id":0,"fields":[]}],\
      "last-partition-id":999,"default-sort-order-id":0,"sort-orders":[{"order-id":0,"fields":[]}],"properties":{\(members)},\
      "snapshots":[],"snapshot-log":[],"metadata-log":[\(entries)]}
      """
  }

  // MARK: What programs do

  func inode(_ path: String) async throws(FilesystemError) -> UInt64 {
    var inode: UInt64 = 1
    for name in path.split(separator: "/") {
      inode = try await filesystem.lookup(parent: inode, name: Array(name.utf8)).attributes.inode
    }
    return inode
  }

  func split(_ path: String) async throws(FilesystemError) -> (UInt64, [UInt8]) {
    let names = path.split(separator: "/")
    return (try await inode(names.dropLast().joined(separator: "/")), Array((names.last ?? "").utf8))
  }

  /// Creates, writes and closes, as `cp` does; the error is close's.
  func write(_ path: String, _ text: String, flags: Int32 = O_CREAT | O_EXCL | O_WRONLY) async throws(FilesystemError) {
    let (parent, name) = try await split(path)
    let (_, opened) = try await filesystem.create(parent: parent, name: name, flags: flags, thread: Self.thread)
    defer { filesystem.release(handle: opened.handle) }
    try await filesystem.write(handle: opened.handle, offset: 0, bytes: Array(text.utf8))
    try await filesystem.flush(handle: opened.handle, thread: Self.thread)
  }

  func open(_ path: String, _ flags: Int32) async throws(FilesystemError) -> UInt64 {
    try await filesystem.open(inode: try await inode(path), flags: flags, thread: Self.thread).handle
  }

  func read(_ path: String) async throws(FilesystemError) -> String {
    let opened = try await open(path, O_RDONLY)
    defer { filesystem.release(handle: opened) }
    let bytes = try await filesystem.read(handle: opened, offset: 0, size: 1 << 20)
    return bytes.segments.map { String(decoding: $0, as: UTF8.self) }.joined()
  }

  func rename(_ old: String, _ new: String) async throws(FilesystemError) {
    let (from, oldName) = try await split(old)
    let (to, newName) = try await split(new)
    try await filesystem.rename(parent: from, name: oldName, newParent: to, newName: newName, isExchange: false)
  }

  func unlink(_ path: String) async throws(FilesystemError) {
    let (parent, name) = try await split(path)
    try await filesystem.unlink(parent: parent, name: name)
  }

  func mkdir(_ path: String) async throws(FilesystemError) {
    let (parent, name) = try await split(path)
    _ = try await filesystem.makeDirectory(parent: parent, name: name)
  }

  func rmdir(_ path: String) async throws(FilesystemError) {
    let (parent, name) = try await split(path)
    try await filesystem.removeDirectory(parent: parent, name: name)
  }

  func list(_ path: String) async throws(FilesystemError) -> Set<String> {
    let inode = try await inode(path)
    let handle = try await filesystem.openDirectory(inode: inode).handle
    defer { filesystem.release(handle: handle) }
    let receiver = Receiver(limit: 10_000, wantsAttributes: true)
    try await filesystem.readDirectory(inode: inode, handle: handle, cookie: 0, into: receiver)
    return Set(receiver.entries.map(\.name.description))
  }

  func text(_ location: String) -> String? {
    files.bytes(self.location(location)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The code of what a body throws; nil if it throws nothing.
  func code(_ body: () async throws(FilesystemError) -> Void) async -> FilesystemError.Code? {
    do throws(FilesystemError) {
      try await body()
      return nil
    } catch {
      return error.code
    }
  }
}

/// What was reported where no caller could be told.
final class Reports: Sendable {
  private let lines = Mutex<[String]>([])

  func add(_ line: String) {
    lines.withLock { $0.append(line) }
  }

  var all: [String] { lines.withLock { $0 } }
}

/// Threads that are processes of their own unless a test says otherwise.
final class PretendedProcesses: CallerProcesses {
  private let fates = Mutex<[Int32: CallerFate]>([:])

  func set(_ thread: Int32, _ fate: CallerFate) {
    fates.withLock { $0[thread] = fate }
  }

  func process(ofThread thread: Int32) -> ProcessToken? {
    fate(ofThread: thread) == .unknown ? nil : ProcessToken(identifier: thread, startTime: 1)
  }

  func fate(ofThread thread: Int32) -> CallerFate { fates.withLock { $0[thread] } ?? .running }
}
