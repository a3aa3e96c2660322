// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@Suite("What the kernel does around a rename that commits")
struct CommitInKernelTests {
  private static let edit = #"""
    jq --arg v "$V" '.properties.owner=$v' "$X/current.metadata.json" >"$X/new.json" && mv "$X/new.json" "$X/current.metadata.json"
    """#

  @Test("Fifty commits in a row, looked at meanwhile, and none hangs", arguments: Metastore.allCases)
  func manyCommits(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_kernel_many.t") { table in
      let script = #"""
        (while [ ! -e "$T/done" ]; do ls -lR "$X" "$D" >/dev/null 2>&1; cat "$X/current.metadata.json" >/dev/null 2>&1; done) &
        for V in {1..50}; do
          jq --arg v "$V" '.properties.owner=$v' "$X/current.metadata.json" >"$X/new.json" &&
            timeout 30 mv "$X/new.json" "$X/current.metadata.json" || { touch "$T/done"; echo "commit $V"; exit 1; }
        done
        touch "$T/done"; wait
        """#
      try await table.shell(script, within: .seconds(240)).succeeded()
      let loaded = try await table.loaded()
      #expect(loaded.properties["owner"] == "50")
      #expect(loaded.fileName.hasPrefix("00050-") || loaded.fileName.hasPrefix("00051-"), "\(loaded.fileName)")
      #expect(try await table.objects().keys.count { $0.hasSuffix(".metadata.json") } == (Int(loaded.fileName.prefix(5)) ?? 0) + 1)
      #expect(try await table.errorRecords().isEmpty)
      #expect(try await table.stagedNames() == [])
    }
  }

  @Test("A lost race is one attempt and one record, though the kernel sends the rename twice", arguments: Metastore.allCases)
  func oneAttempt(metastore: Metastore) async throws {
    let gate = RequestGate(\.isPointerWrite)
    try await Self.withGate(metastore, "test_kernel_once.t", gate) { table in
      let objects = try await table.objects().count
      let renames = try await Self.renames(table)
      gate.shut()
      table.proxy?.reset()
      async let running = table.shell(Self.edit, ["V": "late"])
      defer { gate.open() }
      try await gate.untilHeld()
      let foreign = try await table.emulator.append(to: table.table)
      let appended = try await table.objects().count
      gate.open()
      let refused = try await running
      #expect(refused.status != 0 && refused.errorText.contains("Stale file handle"), "\(refused)")
      let requests = try #require(table.proxy?.requests)
      #expect(requests.count(where: \.isPointerWrite) == 1, "\(requests.map(\.kind))")
      #expect(requests.count { $0.method == "PUT" && $0.target.contains(".metadata.json") } == 1, "\(requests.map(\.kind))")
      #expect(try await table.errorRecords().count { $0.errno == "ESTALE" } == 1)
      // The test shows something only if the kernel did send it again.
      #expect(try await Self.renames(table) == renames + 2)
      #expect(try await table.pointer() == foreign.location)
      // The gate was held with the commit's own file uploaded: it is gone.
      #expect(appended > objects)
      #expect(try await table.objects().count == appended - 1)
    }
  }

  @Test("While a rename commits, other directories are listed and open files are read", arguments: Metastore.allCases)
  func slowRename(metastore: Metastore) async throws {
    let gate = RequestGate(\.isPointerWrite)
    try await Self.withGate(metastore, "test_kernel_slow.t", gate) { table in
      gate.shut()
      async let running = table.shell(
        #"exec 3<"$X/current.metadata.json"; touch "$T/open"; until [ -e "$T/held" ]; do sleep 0.02; done; timeout 20 jq -e .location <&3"#)
      async let committing = table.shell(#"until [ -e "$T/open" ]; do sleep 0.02; done;"# + Self.edit, ["V": "slow"])
      defer { gate.open() }
      try await gate.untilHeld()
      let beside = #"""
        set -e
        touch "$T/held"
        timeout 20 ls -l "$M" "$M/sales" "$M/sales/orders/metadata" "$D" "$X/.." >/dev/null
        timeout 20 cat "$M"/sales/orders/metadata/current.metadata.json | jq -e .location
        timeout 20 sh -c 'echo beside >"$D/beside"'
        timeout 20 cat "$D/beside" "$M/.bergfs/status.json" >/dev/null
        """#
      try await table.shell(beside).succeeded()
      try await running.succeeded()
      #expect(try await table.pointer() == table.table.metadataLocation, "the rename was not under way")
      gate.open()
      try await committing.succeeded()
      #expect(try await table.loaded().properties["owner"] == "slow")
    }
  }

  @Test("umount while a commit is under way is refused as busy, and bergfs umount waits for it", arguments: Metastore.allCases)
  func unmounted(metastore: Metastore) async throws {
    let gate = RequestGate(\.isPointerWrite)
    try await Self.withGate(metastore, "test_kernel_umount.t", gate) { table in
      let workspace = table.lake.workspace
      gate.shut()
      async let committing = table.shell(Self.edit, ["V": "umount"])
      defer { gate.open() }
      try await gate.untilHeld()
      let busy = try await table.shell(#"umount "$M""#)
      #expect(busy.status == 32 && busy.errorText.contains("busy"), "\(busy)")
      let umount = try Shell.start(ProjectFiles.bergfs, ["umount", workspace.mountpoint], directory: workspace.directory.path)
      #expect(await eventually { String(decoding: umount.errors + umount.output, as: UTF8.self).contains("waiting for") })
      #expect(umount.status == nil && workspace.isMounted)
      gate.open()
      try await committing.succeeded()
      try await umount.finished(within: .seconds(60)).succeeded()
      #expect(!workspace.isMounted && workspace.daemons == [])
      #expect(try await table.loaded().properties["owner"] == "umount")
      try await workspace.mount().succeeded()
    }
  }

  @Test("A mount that is detached while it commits ends the commit and tells its outcome", arguments: Metastore.allCases)
  func detached(metastore: Metastore) async throws {
    let gate = RequestGate(\.isPointerWrite)
    try await Self.withGate(metastore, "test_kernel_detached.t", gate) { table in
      let workspace = table.lake.workspace
      gate.shut()
      async let committing = table.shell(Self.edit, ["V": "detached"])
      defer { gate.open() }
      try await gate.untilHeld()
      try await table.shell(#"umount -l "$M""#).succeeded()
      #expect(!workspace.isMounted && !workspace.daemons.isEmpty)
      gate.open()
      _ = try await committing
      #expect(await eventually { workspace.daemons == [] }, "the daemon does not end")
      let loaded = try await table.loaded()
      #expect(loaded.properties["owner"] == "detached")
      #expect(await workspace.log().contains(loaded.fileName))
      try await workspace.mount().succeeded()
    }
  }

  private static func withGate(
    _ metastore: Metastore, _ name: String, _ gate: RequestGate, _ body: (WritableTable) async throws -> Void
  ) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable(name, in: metastore)
    let proxy = try CountingProxy(to: emulator) { request in
      gate.pass(request)
      return .forward
    }
    var settings = MountSettings(metastore, proxy: proxy)
    settings.mayWrite = true
    try await MountedCatalog.with(settings) { lake in
      try await body(WritableTable(lake: lake, table: table))
    }
  }

  /// How many renames the kernel has sent.
  private static func renames(_ table: WritableTable) async throws -> Double {
    let text = try PrometheusText(try await table.lake.shell(#"cat "$M/.bergfs/metrics""#).succeeded().text)
    return text.samples.filter { $0.key.hasPrefix("bergfs_operations_total{") && $0.key.contains("rename") }.values.reduce(0, +)
  }
}
