// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Logging
import Synchronization
import Telemetry
import TestSupport
import WireFormats

/// One table of ``CommitDocument`` in memory, whose files and catalog fail on demand: before a write takes effect, or after it.
final class CommitLake: Sendable {
  static let table = TableIdentifier(namespace: Namespace(["db"]), name: "t")
  static let nextPlace = ObjectLocation(bucket: "lake", key: "t/metadata/00002-6d0b9a2e-6d0b-4b2e-8d2f-0e7a1b2c3d4e.metadata.json")

  let files = InMemoryFileIO(buckets: ["lake"])
  let catalog: InMemoryCatalog
  let lossy: LossyCatalog
  let metrics = Metrics()

  /// - Parameter base: the current file's document; nil for a namespace without tables.
  init(base: JSONValue? = CommitDocument.base()) throws {
    catalog = InMemoryCatalog(files: files)
    lossy = LossyCatalog(catalog, files)
    catalog.putNamespace(Self.table.namespace)
    files.put(try files.location("s3://lake/other/file"), Array("another's".utf8))
    if let base {
      files.put(try files.location(CommitDocument.baseLocation), base.serialized())
      files.put(try files.location(CommitDocument.olderLocation), Array("older".utf8))
      catalog.putTable(Self.table, metadataLocation: CommitDocument.baseLocation)
    }
  }

  /// The table as PyIceberg left it.
  init(_ history: CommitHistory) throws {
    let last = history.metadata[history.metadata.count - 1]
    catalog = InMemoryCatalog(files: history.files)
    lossy = LossyCatalog(catalog, history.files)
    history.files.put(try history.files.location(last.location), last.bytes)
    catalog.putTable(Self.table, metadataLocation: last.location)
  }

  func engine(
    lockManager: (any LockManager)? = nil, clock: any LockClock = SystemLockClock(), longestLockWait: Duration = .seconds(20),
    journal: (any WriteJournal)? = nil, nowMs: Int64 = CommitDocument.nowMs, pause: @escaping CommitPause = { _ in }
  ) -> CommitEngine {
    CommitEngine(
      catalog: lossy,
      settings: .init(
        lockManager: lockManager, now: { nowMs }, clock: clock, longestLockWait: longestLockWait, journal: journal, metrics: metrics,
        logger: Logger(label: "commits") { _ in SwiftLogNoOpLogHandler() }, pause: pause))
  }

  /// The pointer and its guard now.
  var entry: TableEntry? {
    get async throws { try await catalog.loadTable(Self.table) }
  }

  /// Every object of the bucket.
  func keys() async throws -> Set<String> {
    Set(try await lossy.files.lake.list(bucket: "lake", prefix: "", isDirectory: false, from: .start).objects.map(\.location.key))
  }

  func bytes(_ key: String) async throws -> [UInt8] {
    try await ObjectBytes.read(ObjectLocation(bucket: "lake", key: key), lossy.files.lake)
  }

  /// Requests since the last ``forgetCalls()``, in words.
  var calls: (files: [InMemoryFileIOCall], catalog: [InMemoryCatalogCall]) { (lossy.files.lake.faults.calls, catalog.faults.calls) }

  func forgetCalls() {
    lossy.files.lake.faults.forgetCalls()
    catalog.faults.forgetCalls()
  }
}

extension CommitEngine {
  func full(
    _ bytes: [UInt8], at location: ObjectLocation = CommitLake.nextPlace, table: TableIdentifier = CommitLake.table,
    known: TableEntry? = nil, creates: PendingTable? = nil
  ) async -> Result<Committed, CommitFailure> {
    do throws(CommitFailure) {
      return .success(try await commit(fullForm: bytes, at: location, table: table, known: known, creates: creates))
    } catch {
      return .failure(error)
    }
  }

  func edited(_ bytes: [UInt8], known: TableEntry? = nil) async -> Result<Committed, CommitFailure> {
    do throws(CommitFailure) {
      return .success(try await commit(editedForm: bytes, table: CommitLake.table, known: known))
    } catch {
      return .failure(error)
    }
  }
}

extension Result<Committed, CommitFailure> {
  /// What the caller learnt.
  var word: String {
    switch self {
    case .success(let committed): committed.outcome.rawValue
    case .failure(let failure): failure.code.rawValue
    }
  }

  var failure: CommitFailure? {
    if case .failure(let failure) = self { failure } else { nil }
  }
}

/// Reads objects whole.
enum ObjectBytes {
  private final class Sink: RangeSink {
    private let content = Mutex([UInt8]())
    var bytes: [UInt8] { content.withLock { $0 } }
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
      content.withLock { $0.append(contentsOf: bytes) }
      return true
    }
  }

  static func read(_ location: ObjectLocation, _ files: any FileIO) async throws -> [UInt8] {
    let sink = Sink()
    _ = try await files.read(location, etag: nil, range: 0..<(64 << 20), into: sink)
    return sink.bytes
  }
}
