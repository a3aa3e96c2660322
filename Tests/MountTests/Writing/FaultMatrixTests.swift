// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import WireFormats

@Suite("Commits and uploads whose requests go wrong")
struct FaultMatrixTests {
  /// Short enough to wait for in a test: a stalled request costs this at each attempt.
  private static let properties: [String: String?] = [
    "http-client.urlconnection.socket-timeout-ms": "400", "http-client.type": "urlconnection", "s3.retry.num-retries": "1",
    "s3.retry.min-wait-ms": "10", "s3.retry.max-wait-ms": "20", "lock-impl": "org.apache.iceberg.aws.dynamodb.DynamoDbLockManager",
    "lock.acquire-interval-ms": "50", "lock.acquire-timeout-ms": "3000", "lock.heartbeat-interval-ms": "300",
    "lock.heartbeat-timeout-ms": "1200", "s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1.0",
  ]

  /// With `test --long` every fault, otherwise those of which something may be left.
  private static let isLong = ProcessInfo.processInfo.environment["BERGFS_TEST_LONG"] != nil

  private struct Totals {
    var cases = 0
    var outcomes: [String: Int] = [:]

    mutating func count(_ outcome: String) {
      cases += 1
      outcomes[outcome, default: 0] += 1
    }

    var line: String { "\(cases) cases: " + outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ") }
  }

  @Test(
    "A fault at any request of a commit leaves it committed once, refused, or unknown with its file kept",
    arguments: Metastore.allCases)
  func commits(metastore: Metastore) async throws {
    let faults = FaultSwitch()
    try await Self.withTable(metastore, "test_faults_commit.t", faults) { table in
      let steps = try await Self.steps(table)
      var totals = Totals()
      for fault in Fault.allCases {
        for step in steps.indices {
          let name = "\(fault)-at-\(step + 1)-\(steps[step])"
          totals.count(try await Self.attempt(name, on: table, faults, fault, at: step))
        }
      }
      print("fault matrix of commits, \(metastore.rawValue): requests \(steps.joined(separator: " ")); \(totals.line)")
      #expect(totals.cases == steps.count * Fault.allCases.count)
      #expect(totals.outcomes["committed", default: 0] > totals.cases / 3, "faults that retries bridge are bridged")
      #expect(totals.outcomes["fault not reached", default: 0] <= totals.cases / 10)
    }
  }

  @Test(
    "A fault that stays leaves a commit refused or unknown, and the next one works", arguments: Metastore.allCases)
  func stickyFaults(metastore: Metastore) async throws {
    let faults = FaultSwitch()
    try await Self.withTable(metastore, "test_faults_sticky.t", faults) { table in
      let steps = try await Self.steps(table)
      var totals = Totals()
      for fault in Self.isLong ? Fault.allCases : [.resetAfterwards, .expiredToken] {
        for step in steps.indices {
          let name = "sticky-\(fault)-at-\(step + 1)-\(steps[step])"
          totals.count(try await Self.attempt(name, on: table, faults, fault, at: step, isSticky: true))
        }
      }
      print("fault matrix of commits, faults that stay, \(metastore.rawValue): requests \(steps.joined(separator: " ")); \(totals.line)")
    }
  }

  @Test("A fault at any request of an upload leaves the object whole or absent, and no upload behind")
  func uploads() async throws {
    let faults = FaultSwitch()
    try await Self.withTable(.glue, "test_faults_upload.t", faults) { table in
      try await table.shell(#"head -c 12000000 /dev/urandom >"$T/large"; head -c 1000 /dev/urandom >"$T/small"; cp "$T/small" "$D/warm""#)
        .succeeded()
      var totals = Totals()
      for size in ["small", "large"] {
        table.proxy?.reset()
        try await table.shell(#"ls "$D" >/dev/null; cp "$T/$S" "$D/$S.counted""#, ["S": size]).succeeded()
        let steps = try #require(table.proxy?.requests.map(\.kind))
        for fault in Self.isLong ? Fault.allCases : [.failsAfterwards, .resetAfterwards, .stalled, .truncated] {
          for step in steps.indices {
            let name = "\(size)-\(fault)-\(step + 1)-\(steps[step])"
            faults.arm(fault, after: step)
            let result = try await table.shell(#"cp "$T/$S" "$D/$N""#, ["S": size, "N": name])
            faults.disarm()
            totals.count(try await Self.settleUpload(name, size, result, table))
          }
        }
      }
      // An upload whose begin was done and whose answer was lost has an id that nobody knows; it holds no part.
      let begins = [Fault.failsAfterwards, .resetAfterwards, .truncated].map { "large-\($0)-" }
      let isClean = try await eventually(within: .seconds(30), every: .milliseconds(100)) {
        let left = try await table.uploads()
        return left.count <= 2 * begins.count && left.allSatisfy { key in begins.contains { key.contains($0) } }
      }
      let left = try await table.uploads()
      #expect(isClean, "uploads are left: \(left)")
      print("fault matrix of uploads: \(totals.line)")
    }
  }

  // MARK: One case

  private static func withTable(
    _ metastore: Metastore, _ name: String, _ faults: FaultSwitch, _ body: (WritableTable) async throws -> Void
  ) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable(name, in: metastore)
    let proxy = try CountingProxy(to: emulator) { faults.verdict($0) }
    var properties = properties
    properties["dynamodb.endpoint"] = proxy.endpoint
    // Locks go by the table's name, and both metastores have one of this name.
    properties["lock.table"] = "faultlocks-\(metastore.rawValue)"
    // A case sends the requests of its commit and no others.
    var settings = MountSettings(metastore, options: ["--metadata-ttl", "3600"], properties: properties, proxy: proxy)
    settings.mayWrite = true
    try await MountedCatalog.with(settings) { lake in
      try await body(WritableTable(lake: lake, table: table))
    }
  }

  /// A new document beside the current one: the property `owner` set to a value.
  private static func prepare(_ value: String, _ table: WritableTable) async throws {
    try await table.shell(
      #"cat "$M/.bergfs/refresh" >/dev/null; rm -f "$X/new.json"; jq --arg v "$V" '.properties.owner=$v' "$X/current.metadata.json" >"$X/new.json""#,
      ["V": value]
    ).succeeded()
  }

  private static func commit(_ table: WritableTable) async throws -> ProcessResult {
    try await table.shell(#"mv "$X/new.json" "$X/current.metadata.json""#)
  }

  /// The kinds of the requests of one commit.
  private static func steps(_ table: WritableTable) async throws -> [String] {
    for value in ["first", "counted"] {
      try await prepare(value, table)
      table.proxy?.reset()
      try await commit(table).succeeded()
    }
    let steps = try #require(table.proxy?.requests.map(\.kind))
    try #require(steps.count >= 4)
    return steps
  }

  /// Commits with a fault, and says what became of it; every way that would lose or double something is an issue.
  private static func attempt(
    _ name: String, on table: WritableTable, _ faults: FaultSwitch, _ fault: Fault, at step: Int, isSticky: Bool = false
  ) async throws -> String {
    try await prepare(name, table)
    let (pointer, objects) = (try await table.pointer(), try await etags(table))
    faults.arm(fault, after: step, isSticky: isSticky)
    let result = try await commit(table)
    let isReached = faults.disarm() > 0
    let (moved, present) = (try await table.pointer(), try await etags(table))
    let made = present.filter { objects[$0.key] == nil }
    #expect(objects.allSatisfy { present[$0.key] == $0.value }, "\(name): an object was changed or removed")
    let errno = result.status == 0 ? "" : try await table.lastError("current.metadata.json").errno
    guard moved != pointer else {
      #expect(result.status != 0, "\(name): said to be committed, and is not")
      if made.isEmpty { return "refused (\(errno))" }
      #expect(made.count == 1 && errno == "EIO", "\(name): \(errno), and \(made.keys) are left")
      return "unknown, file kept"
    }
    let loaded = try await table.loaded()
    #expect(loaded.properties["owner"] == name && loaded.metadataLocation == moved, "\(name): \(loaded)")
    #expect(made.count == 1 && made.keys.first.map { moved.hasSuffix($0) } == true, "\(name): \(made.keys)")
    #expect(Self.number(moved) == Self.number(pointer) + 1, "\(name): \(pointer) → \(moved)")
    if result.status == 0 { return isReached ? "committed" : "fault not reached" }
    #expect(errno == "EIO", "\(name): \(errno), and it was committed")
    return "unknown, was committed"
  }

  private static func number(_ location: String) -> Int { Int(location.split(separator: "/").last?.prefix(5) ?? "") ?? -1 }

  private static func etags(_ table: WritableTable) async throws -> [String: String] {
    let (bucket, key) = EmulatorWithSeed.split(table.table.location)
    return try await table.emulator.account(["objects", bucket, key + "/"]).elements.reduce(into: [:]) { objects, object in
      objects[try object.text("key")] = try object.text("etag")
    }
  }

  private static func settleUpload(_ name: String, _ size: String, _ result: ProcessResult, _ table: WritableTable) async throws -> String {
    let stored = try await etags(table).keys.contains { $0.hasSuffix("/" + name) }
    if stored {
      // A new look at it: what the mount remembers of its own is not what is asked for.
      try await table.shell(#"cat "$M/.bergfs/refresh" >/dev/null; cmp "$T/$S" "$D/$N""#, ["S": size, "N": name]).succeeded()
    }
    guard result.status != 0 else {
      #expect(stored, "\(name): said to be published, and is not")
      return "published"
    }
    let errno = try await table.lastError(name).errno
    if stored { #expect(errno == "EIO", "\(name): \(errno), and it is there") }
    _ = try await table.shell(#"rm -f "$D/$N""#, ["N": name])
    return stored ? "unknown, was published" : "refused (\(errno))"
  }
}
