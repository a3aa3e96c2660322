// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Configuration
import Glibc
import Iceberg
import ObjectCache
import Synchronization
import Telemetry
import WireFormats

/// What `.bergfs/` shows: made anew at every open, without a request, without a secret.
final class ControlDocuments: Sendable {
  /// What is fixed for the life of a mount.
  struct Facts: Sendable {
    var version: String
    var options: MountOptions
    var configuration: CatalogConfiguration
    var metadataTTL: Duration
    var regions: [(service: String, region: String)]
    /// The keys in use, now.
    var credentials: @Sendable () -> [CredentialSighting]
    var started: ContinuousClock.Instant
    /// Nanoseconds since 1970.
    var startedAt: Int64
  }

  /// What the filesystem itself tells.
  struct Tree: Sendable {
    var inodes = 0
    /// Asks every open handle: only for what shows them.
    var readings: @Sendable () -> [ReadingSummary] = { [] }
  }

  private let facts: Facts
  private let metrics: Metrics
  private let journal: ErrorJournal
  private let cache: BlockCache
  private let budget: MemoryBudget
  /// Set once the filesystem exists, which needs these documents itself.
  private let tree = Mutex<(@Sendable () -> Tree)?>(nil)
  /// Nil on a read-only mount.
  private let writing = Mutex<(@Sendable () -> WritingStatus)?>(nil)

  init(facts: Facts, metrics: Metrics, journal: ErrorJournal, cache: BlockCache, budget: MemoryBudget) {
    self.facts = facts
    self.metrics = metrics
    self.journal = journal
    self.cache = cache
    self.budget = budget
  }

  func setTree(_ tree: @escaping @Sendable () -> Tree) {
    self.tree.withLock { $0 = tree }
  }

  func setWriting(_ status: @escaping @Sendable () -> WritingStatus) {
    writing.withLock { $0 = status }
  }

  func content(of file: ControlFile) -> [UInt8] {
    switch file {
    case .status: status.serialized(pretty: true) + [UInt8(ascii: "\n")]
    case .configuration: configuration.serialized(pretty: true) + [UInt8(ascii: "\n")]
    case .errors: journal.records.flatMap { Self.line(of: $0) }
    case .metrics: Array(metricsText.utf8)
    case .refresh: Array("refreshed: the next look asks catalog and S3 again\n".utf8)
    }
  }

  private var metricsText: String {
    cache.publishMetrics()
    metrics.set(.inodes, to: Int64(treeNow.inodes))
    metrics.set(.startTimeSeconds, to: facts.startedAt / 1_000_000_000)
    metrics.set(.residentBytes, to: Self.residentBytes ?? 0)
    metrics.set(.memoryLimitBytes, to: Int64(budget.limit))
    if let writing = writing.withLock({ $0 })?() {
      metrics.set(.stagedFiles, to: Int64(writing.staged.count))
      metrics.set(.stagingBytes, to: writing.stagingUsed)
      metrics.set(.stagingCapacityBytes, to: writing.stagingCapacity)
      metrics.set(.transfers, to: Int64(writing.transfers.count))
      metrics.set(.workInFlight, to: Int64(writing.inFlight.count))
    }
    return metrics.prometheusText(constant: [
      ("catalog", facts.configuration.catalog), ("mountpoint", facts.options.mountpoint),
    ])
  }

  private var treeNow: Tree { tree.withLock { $0 }?() ?? Tree() }

  private var status: JSONValue {
    let uptime = facts.started.duration(to: .now)
    let tree = treeNow
    return [
      "version": .string(facts.version),
      "pid": .integer(Int64(getpid())),
      "mountpoint": .string(facts.options.mountpoint),
      "started": .string(Timestamp.text(nanoseconds: facts.startedAt)),
      "uptime-seconds": .integer(uptime.components.seconds),
      "catalog": ["name": .string(facts.configuration.catalog), "type": .string(facts.configuration.catalogType.rawValue)],
      "regions": .object(JSONMembers(facts.regions.map { (key: $0.service, value: .string($0.region)) })),
      "credentials": .array(
        facts.credentials().map { sighting in
          [
            "service": .string(sighting.service), "source": .string(sighting.source), "access-key-id": .string(sighting.accessKeyID),
            "expires": sighting.expiration.map { .string(Timestamp.text(seconds: $0)) } ?? .null,
          ]
        }),
      "options": options,
      "memory": [
        "limit-bytes": .integer(Int64(budget.limit)), "reserved-bytes": .integer(Int64(budget.used)),
        "cached-bytes": .integer(Int64(cache.bytes)), "resident-bytes": Self.residentBytes.map { .integer($0) } ?? .null,
      ],
      "disk-cache": cache.diskStatus.map { disk in
        [
          "directory": .string(disk.directory), "bytes": .integer(disk.bytes), "limit-bytes": disk.limit.map { .integer($0) } ?? .null,
          "written": .bool(disk.isWritten),
        ]
      } ?? .null,
      "writing": writing.withLock { $0 }?().document ?? .null,
      "reading": .array(
        tree.readings().map { file in
          [
            "path": .string(file.path), "read-bytes": .integer(file.read), "total-bytes": .integer(file.size),
            "age-milliseconds": .integer(Int64(file.age / .milliseconds(1))),
          ]
        }),
      "inodes": .integer(Int64(tree.inodes)),
      "open-handles": .integer(metrics.value(.openHandles)),
      "requests": .integer(metrics.total(.requests)),
      "commits": .integer(metrics.total(.commits)),
      "errors-logged": .integer(metrics.total(.errors)),
    ]
  }

  private var options: JSONValue {
    let options = facts.options
    return [
      "read-only": .bool(options.readOnly),
      "metadata-ttl-seconds": .number(
        "\(Double(facts.metadataTTL.components.seconds) + Double(facts.metadataTTL.components.attoseconds) * 1e-18)"),
      "allow-delete": .bool(options.allowDelete),
      "delete-min-age-seconds": .integer(options.deleteMinAge.components.seconds),
      "allow-drop": .bool(options.allowDrop),
      "allow-rename": .bool(options.allowRename),
      "staging-dir": options.stagingDirectory.map { .string($0) } ?? .null,
      "staging-size-bytes": options.stagingSize.map { .integer($0) } ?? .null,
      "cache-dir": options.cacheDirectory.map { .string($0) } ?? .null,
      "cache-size-bytes": options.cacheSize.map { .integer($0) } ?? .null,
      "memory-limit-bytes": .integer(options.memoryLimit),
      "allow-other": .bool(options.allowOther),
      "show-views": .bool(options.showViews),
      "namespaces": .array(options.namespaces.map { .string($0) }),
    ]
  }

  private var configuration: JSONValue {
    .array(
      facts.configuration.configured.map { property in
        ["key": .string(property.key), "value": .string(property.displayValue), "source": .string(property.origin)]
      })
  }

  private static func line(of record: ErrorJournal.Record) -> [UInt8] {
    let value: JSONValue = [
      "time": .string(Timestamp.text(nanoseconds: record.time)), "path": .string(record.path), "operation": .string(record.operation),
      "errno": .string(record.errno), "message": .string(record.message), "request-id": record.requestID.map { .string($0) } ?? .null,
    ]
    return value.serialized() + [UInt8(ascii: "\n")]
  }

  /// VmRSS of this process.
  private static var residentBytes: Int64? {
    guard let file = fopen("/proc/self/statm", "r") else { return nil }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    guard fgets(&text, Int32(text.count), file) != nil else { return nil }
    let fields = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
    return fields.dropFirst().first.flatMap { Int64($0) }.map { $0 * Int64(getpagesize()) }
  }
}
