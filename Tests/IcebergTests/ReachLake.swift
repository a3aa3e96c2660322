// SPDX-License-Identifier: Apache-2.0

import Logging
import TestSupport
import WireFormats

@testable import Iceberg

/// A catalog in memory whose tables are written by hand, and what is reached in it.
struct ReachLake: Sendable {
  static let orders = TableIdentifier(namespace: Namespace(["sales"]), name: "orders")
  static let root = "s3://lake/sales/orders"

  /// One version of a table, put together from names.
  struct Version {
    var location = ReachLake.root
    var properties: [String: String] = [:]
    var log: [String] = []
    /// Members of the document beyond those above, as JSON.
    var more = ""
    var snapshots: [(id: Int64, members: String)] = []

    var json: String {
      let properties = properties.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
      let log = log.map { "{\"timestamp-ms\":1,\"metadata-file\":\"\($0)\"}" }.joined(separator: ",")
      let snapshots = snapshots.map { "{\"snapshot-id\":\($0.id),\($0.members)}" }.joined(separator: ",")
      return """
        {"format-version":2,"location":"\(location)","properties":{\(properties)},"metadata-log":[\(log)],"snapshots":[\(snapshots)]\(more)}
        """
    }
  }

  let files = InMemoryFileIO(buckets: ["lake"])
  let catalog: InMemoryCatalog
  let clock = VirtualLockClock()
  private(set) var reachability: Reachability

  init(memoryLimit: Int = 64 << 20, pageSize: Int = 100, isScanned: Bool = false) {
    catalog = InMemoryCatalog(files: files, pageSize: pageSize, isScanned: isScanned)
    reachability = Reachability(catalog: catalog, memoryLimit: memoryLimit, logger: Logger(label: "reach"), clock: clock)
  }

  /// The same lake, of which nothing was read yet.
  func anew() -> ReachLake {
    var copy = self
    copy.reachability = Reachability(catalog: catalog, logger: Logger(label: "reach"), clock: clock)
    return copy
  }

  func put(_ location: String, _ bytes: [UInt8]) throws { files.put(try files.location(location), bytes) }
  func put(_ location: String, _ text: String) throws { try put(location, Array(text.utf8)) }
  func delete(_ location: String) throws { files.delete(try files.location(location)) }

  /// Writes a metadata file and lets the table point at it.
  func commit(_ pointer: String, _ version: Version, to table: TableIdentifier = orders) throws {
    try put(pointer, version.json)
    catalog.putTable(table, metadataLocation: pointer)
  }

  /// Writes a manifest and the list of a snapshot that holds it; gives the snapshot.
  @discardableResult
  func snapshot(
    _ id: Int64, in directory: String = "\(root)/metadata", live: [String], deleted: [String] = []
  ) throws -> (id: Int64, members: String) {
    let manifest = "\(directory)/m\(id).avro"
    let bytes = AvroWriter.manifest(live.map { (1, $0) } + deleted.map { (2, $0) })
    try put(manifest, bytes)
    try put(
      "\(directory)/snap-\(id).avro",
      AvroWriter.manifestList(snapshotID: id, sequenceNumber: id, entries: [(manifest, Int64(bytes.count), id, id)]))
    return (id, "\"manifest-list\":\"\(directory)/snap-\(id).avro\"")
  }

  /// A table of three commits: files a, b, c came one by one, and the last commit deleted a. Only the log leads to a.
  func history() throws {
    let metadata = "\(Self.root)/metadata"
    let snapshots = [
      try snapshot(1, live: ["\(Self.root)/data/a"]), try snapshot(2, live: ["\(Self.root)/data/a", "\(Self.root)/data/b"]),
      try snapshot(3, live: ["\(Self.root)/data/b", "\(Self.root)/data/c"], deleted: ["\(Self.root)/data/a"]),
    ]
    try commit("\(metadata)/00000-u.metadata.json", Version())
    try commit("\(metadata)/00001-u.metadata.json", Version(log: ["\(metadata)/00000-u.metadata.json"], snapshots: Array(snapshots[..<2])))
    try commit(
      "\(metadata)/00002-u.metadata.json",
      Version(
        log: ["\(metadata)/00000-u.metadata.json", "\(metadata)/00001-u.metadata.json"],
        more: """
          ,"statistics":[{"statistics-path":"\(metadata)/1.stats"}],"partition-statistics":[{"statistics-path":"\(metadata)/1.parquet"}]
          """, snapshots: [snapshots[2]]))
  }

  func judge(_ location: String, owner: TableIdentifier = orders) async throws -> Reachability.Verdict {
    await reachability.judge(try files.location(location), owner: owner)
  }

  /// Requests since the last time this was asked.
  func requests() -> (listings: Int, otherCalls: Int, reads: Int) {
    defer {
      catalog.faults.forgetCalls()
      files.faults.forgetCalls()
    }
    let listings = catalog.faults.count { $0.isListTables || $0.isListNamespaces }
    return (listings, catalog.faults.count() - listings, files.faults.count())
  }
}

extension Reachability.Verdict {
  var isReferenced: Bool { if case .referenced = self { true } else { false } }
  var isUnreferenced: Bool { if case .unreferenced = self { true } else { false } }
  var isUndecided: Bool { if case .undecided = self { true } else { false } }
  var sentence: String {
    switch self {
    case .unreferenced(let sentence), .referenced(let sentence), .undecided(let sentence): sentence
    }
  }
}
