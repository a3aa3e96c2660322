// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing

@Suite("A daemon that is killed while it writes")
struct KillMatrixTests {
  private static let steps = [
    "beforeUpload", "afterUpload", "afterLock", "beforeConditionalWrite", "afterConditionalWrite", "afterRelease", "beforeCleanup",
  ]
  private static let locks: [String: String?] = [
    "lock-impl": "org.apache.iceberg.aws.dynamodb.DynamoDbLockManager", "lock.acquire-interval-ms": "50",
    "lock.acquire-timeout-ms": "15000", "lock.heartbeat-interval-ms": "300", "lock.heartbeat-timeout-ms": "1500",
  ]

  @Test(
    "Killed at any step of a commit: the catalog is whole, what is left is named, and the next mount goes on",
    arguments: Metastore.allCases)
  func commits(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_killed_commits.t", in: metastore)
    var outcomes: [String] = []
    for step in Self.steps {
      outcomes.append("\(step): \(try await Self.killed(at: step, table, emulator))")
    }
    print("kill matrix, \(metastore.rawValue): \(outcomes.joined(separator: ", "))")
  }

  private static func killed(at step: String, _ table: OwnTable, _ emulator: EmulatorWithSeed) async throws -> String {
    var properties = locks
    properties["dynamodb.endpoint"] = emulator.endpoint
    // Locks go by the table's name, and both metastores have one of this name.
    properties["lock.table"] = "killlocks-\(table.metastore.rawValue)"
    var settings = MountSettings(table.metastore, properties: properties)
    settings.mayWrite = true
    return try await TestSlots.mounts.occupied {
      let workspace = try await MountWorkspace(settings)
      do {
        try await workspace.mount(environment: ["BERGFS_STOP_AT": step]).succeeded()
        let lake = MountedCatalog(workspace: workspace, seed: try emulator.catalog(table.metastore))
        let outcome = try await kill(lake, at: step, WritableTable(lake: lake, table: table))
        try await lake.unmount()
        await workspace.directory.remove()
        return outcome
      } catch {
        Issue.record("\(step): the daemon's log: \(await workspace.log().suffix(4000))")
        await workspace.discard()
        throw error
      }
    }
  }

  /// A commit that drops a file from the log, so that there is something to clean up after it.
  private static let edit = #"""
    jq --arg v "$V" '.properties.owner=$v | .properties["write.metadata.delete-after-commit.enabled"]="true" |
      .properties["write.metadata.previous-versions-max"]="1"' "$X/current.metadata.json" >"$X/new.json" &&
    mv "$X/new.json" "$X/current.metadata.json"
    """#

  private static func kill(_ lake: MountedCatalog, at step: String, _ table: WritableTable) async throws -> String {
    let workspace = lake.workspace
    let before = try await table.loaded()
    let objects = Set(try await table.objects().keys)
    let daemon = try #require(workspace.daemons.first)
    async let writer = table.shell(edit, ["V": step])
    #expect(await eventually(within: .seconds(30), every: .milliseconds(20)) { isStopped(daemon) }, "\(step): not reached")
    Glibc.kill(daemon, SIGKILL)
    let ended = try await writer
    #expect(ended.status != 0 && !ended.isTimedOut, "\(step): \(ended)")

    let after = try await table.loaded()
    let isCommitted = after.metadataLocation != before.metadataLocation
    #expect(isCommitted == ["afterConditionalWrite", "afterRelease", "beforeCleanup"].contains(step), "\(step)")
    if isCommitted { #expect(after.properties["owner"] == step) }
    #expect(after.snapshots == before.snapshots && after.rows == before.rows)

    let remount = ContinuousClock.now
    try await workspace.mount().succeeded()
    let made = Set(try await table.objects().keys).subtracting(objects).filter { !after.metadataLocation.hasSuffix($0) }
    for orphan in made {
      let isNamed = await eventually(within: .seconds(20), every: .milliseconds(50)) { await workspace.log().contains(orphan) }
      #expect(isNamed, "\(step): \(orphan) is left and not named")
    }
    #expect(made.count <= 1)
    #expect(try await table.uploads() == [])
    try await table.shell(edit, ["V": "\(step)-next"], within: .seconds(30)).succeeded()
    let lock = ContinuousClock.now - remount
    #expect(try await table.loaded().properties["owner"] == "\(step)-next")
    // A lock whose holder is dead is not taken before its lease is over, as whoever waits sees it.
    if ["afterLock", "beforeConditionalWrite", "afterConditionalWrite"].contains(step) {
      #expect(lock >= .milliseconds(1_500), "\(step): \(lock)")
    }
    return isCommitted ? "committed" : made.isEmpty ? "nothing" : "file kept and named"
  }

  private static func isStopped(_ process: pid_t) -> Bool {
    let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    return text.split(separator: ")").last?.hasPrefix(" T") ?? false
  }

  @Test("Killed in the middle of an upload: nothing shows, and the next mount gives its parts up")
  func uploads() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_killed_uploads.t", in: .glue)
    var settings = MountSettings(.glue, properties: ["s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1.0"])
    settings.mayWrite = true
    try await MountedCatalog.with(settings) { lake in
      let own = WritableTable(lake: lake, table: table)
      let daemon = try #require(lake.workspace.daemons.first)
      // More than is staged before the first part is sent, and the writer stays open.
      async let writer = own.shell(
        #"mkfifo "$T/go"; (head -c 100000000 /dev/zero; read -r _ <"$T/go") >"$D/half""#, within: .seconds(120))
      #expect(try await eventually(within: .seconds(60), every: .milliseconds(100)) { try await own.uploads().count == 1 })
      Glibc.kill(daemon, SIGKILL)
      try await lake.workspace.mount().succeeded()
      #expect(try await eventually(within: .seconds(30), every: .milliseconds(100)) { try await own.uploads() == [] })
      #expect(try await own.objects()["data/half"] == nil)
      #expect(await lake.workspace.log().contains("data/half"))
      try await own.shell(#"echo >"$T/go"; echo whole >"$D/half" && cat "$D/half""#).succeeded()
      _ = try await writer
    }
  }
}
