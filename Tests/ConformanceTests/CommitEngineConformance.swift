// SPDX-License-Identifier: Apache-2.0

import HTTP
import Iceberg
import IcebergAWS
import Logging
import Synchronization
import Telemetry
import TestSupport
import Testing
import WireFormats

/// Commit engines on the emulator, each with clients, metrics and a lock manager of its own, as processes have them.
struct CommitEngineFixture: Sendable {
  /// One engine and what it asks for.
  struct Process: Sendable {
    let engine: CommitEngine
    let catalog: any WritableCatalog
    let files: any WritableFileIO
    let metrics: Metrics

    /// Requests since the last look, by operation.
    func requests(since earlier: [String: Int64] = [:]) -> [String: Int64] {
      var counts: [String: Int64] = [:]
      for line in metrics.prometheusText().split(separator: "\n") where line.hasPrefix("bergfs_requests_total{") {
        let parts = line.split(separator: "\"")
        guard parts.count > 1, let count = line.split(separator: " ").last.flatMap({ Int64($0) }) else { continue }
        counts[String(parts[1].split(separator: ".").last ?? ""), default: 0] += count
      }
      for (operation, count) in earlier { counts[operation, default: 0] -= count }
      return counts.filter { $0.value != 0 }
    }
  }

  static let lockTable = "commit_locks"

  let kind: String
  let hasLock: Bool
  let table = TableIdentifier(namespace: Namespace(["writing_\(RandomUUID.text().prefix(8))"]), name: "t")
  private let properties: [String: String]

  init(_ kind: String, hasLock: Bool) async throws {
    self.kind = kind
    self.hasLock = hasLock
    properties = try await EmulatedWriting.properties().merging(["type": kind]) { $1 }
    try await process().catalog.createNamespace(table.namespace, properties: [:])
  }

  var location: String { "s3://writing/\(table.namespace)/t" }
  var pending: PendingTable { PendingTable(identifier: table, location: location) }

  /// - Parameter wrap: puts something between the catalog's client and the wire.
  func process(wrap: @escaping @Sendable (any HTTPTransport) -> any HTTPTransport = { $0 }) async throws -> Process {
    let metrics = Metrics()
    let logger = Logger(label: "commits") { _ in SwiftLogNoOpLogHandler() }
    let factory = try EmulatedClients.factory(properties, metrics: metrics, wrap: wrap)
    let catalog = try #require(
      try CatalogLoader.load(name: "commits", properties: properties, factory: factory, logger: logger) as? any WritableCatalog)
    let files = try #require(catalog.fileIO(for: table) as? any WritableFileIO)
    var locks: (any LockManager)?
    if hasLock {
      let manager = DynamoDbLockManager(
        client: try EmulatedClients.factory(properties, metrics: metrics).dynamo(), table: Self.lockTable,
        settings: LockSettings(acquireInterval: .milliseconds(20)), clock: SystemLockClock(), logger: logger)
      try await manager.prepare()
      locks = manager
    }
    let engine = CommitEngine(
      catalog: catalog, settings: .init(lockManager: locks, now: { 0 }, metrics: metrics, logger: logger))
    return Process(engine: engine, catalog: catalog, files: files, metrics: metrics)
  }

  // MARK: Documents

  func place(_ number: Int) -> ObjectLocation {
    let digits = String(number)
    let name = "\(String(repeating: "0", count: max(0, 5 - digits.count)) + digits)-\(RandomUUID.text()).metadata.json"
    return ObjectLocation(bucket: "writing", key: "\(table.namespace)/t/metadata/\(name)")
  }

  func document(owner: String, log: [(time: Int64, file: String)]) -> [UInt8] {
    let entries = log.map { entry -> JSONValue in ["timestamp-ms": .integer(entry.time), "metadata-file": .string(entry.file)] }
    let document: JSONValue = [
      "format-version": 2, "table-uuid": "5f2c9d1e-0000-4000-8000-0000000000aa", "location": .string(location), "last-sequence-number": 0,
      "last-updated-ms": .integer(1_700_000_000_000 + Int64(log.count)), "last-column-id": 1, "current-schema-id": 0,
      "schemas": [["type": "struct", "schema-id": 0, "fields": [["id": 1, "name": "id", "required": true, "type": "long"]]]],
      "default-spec-id": 0, "partition-specs": [["spec-id": 0, "fields": []]], "last-partition-id": 999, "default-sort-order-id": 0,
      "sort-orders": [["order-id": 0, "fields": []]],
      "properties": ["owner": .string(owner), "write.metadata.previous-versions-max": "10000", "commit.status-check.min-wait-ms": "1"],
      "refs": [:], "snapshots": [], "snapshot-log": [], "metadata-log": .array(entries),
    ]
    return document.serialized()
  }

  /// The document that follows a file, with the owner changed.
  func successor(of entry: TableEntry, owner: String, _ files: any FileIO) async throws -> (place: ObjectLocation, bytes: [UInt8]) {
    let head = try TableMetadataHead(
      parsing: try await ConformanceMetadata.read(entry.metadataLocation, files), fileName: entry.metadataLocation)
    let log = head.metadataLog.map { ($0.timestampMs, $0.file) } + [(head.lastUpdatedMs, entry.metadataLocation)]
    return (place(log.count), document(owner: owner, log: log))
  }

  /// A copy of a file with the owner changed.
  func copy(of entry: TableEntry, owner: String, _ files: any FileIO) async throws -> [UInt8] {
    let text = String(decoding: try await ConformanceMetadata.read(entry.metadataLocation, files), as: UTF8.self)
    let parts = text.split(separator: "\"owner\":\"", maxSplits: 1)
    let rest = parts[1].drop { $0 != "\"" }
    return Array("\(parts[0])\"owner\":\"\(owner)\(rest)".utf8)
  }

  /// The table's history, newest first: each file's last log entry is the file it was made from.
  func chain(_ process: Process) async throws -> [String] {
    var chain = [try #require(try await process.catalog.loadTable(table)).metadataLocation]
    while let previous = try await ConformanceMetadata.log(of: chain[chain.count - 1], process.files).last { chain.append(previous) }
    return chain
  }

  /// Metadata files that are there.
  func objects(_ files: any FileIO) async throws -> Set<String> {
    let prefix = "\(table.namespace)/t/metadata/"
    return Set(
      try await files.list(bucket: "writing", prefix: prefix, isDirectory: false, from: .start).objects.map {
        "s3://writing/\($0.location.key)"
      })
  }
}

extension CommitEngineFixture.Process {
  func full(
    _ bytes: [UInt8], _ place: ObjectLocation, _ table: TableIdentifier, _ known: TableEntry?
  ) async -> Result<Committed, CommitFailure> {
    do throws(CommitFailure) {
      return .success(try await engine.commit(fullForm: bytes, at: place, table: table, known: known, creates: nil))
    } catch {
      return .failure(error)
    }
  }

  func edited(_ bytes: [UInt8], _ table: TableIdentifier, _ known: TableEntry?) async -> Result<Committed, CommitFailure> {
    do throws(CommitFailure) {
      return .success(try await engine.commit(editedForm: bytes, table: table, known: known))
    } catch {
      return .failure(error)
    }
  }
}

extension Result<Committed, CommitFailure> {
  /// Of a failure.
  var code: CommitFailure.Code? {
    if case .failure(let failure) = self { failure.code } else { nil }
  }
}

/// Loses answers of the catalog's conditional writes that were done.
final class AnswerLosingTransport: HTTPTransport {
  private let inner: any HTTPTransport
  private let loses: @Sendable () -> Bool

  /// - Parameter loses: asked after each conditional write of a table.
  init(_ inner: any HTTPTransport, loses: @escaping @Sendable () -> Bool) {
    self.inner = inner
    self.loses = loses
  }

  func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse {
    let response = try await inner.send(request, sink: sink)
    let target = request.headers.first { $0.name.lowercased() == "x-amz-target" }?.value ?? ""
    guard ["AWSGlue.UpdateTable", "DynamoDB_20120810.UpdateItem"].contains(target), loses() else { return response }
    throw HTTPError(code: .reset, message: "the answer was lost", mayHaveBeenSent: true, isRetryable: true)
  }
}
