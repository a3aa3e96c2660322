// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("rm of files")
struct FileDeletionTests {
  /// The seed's catalogs have tables that nobody can read, and any file may be one of theirs.
  private static let region = "eu-west-2"

  @Test("What a table needs is not deleted, with any flag", arguments: Metastore.allCases)
  func referenced(metastore: Metastore) async throws {
    let options = ["--allow-delete", "--delete-min-age", "0"]
    try await WritableTable.with(metastore, "test_deletes_needed.t", appends: 1, options: options, region: Self.region) { table in
      let before = try await table.objects()
      let script = #"""
        cd "$M/$P"; for file in data/*.parquet metadata/*.avro metadata/0*.json; do rm -f "$file" 2>&1 | grep -c 'Operation not permitted'; done
        rm -rf data metadata 2>/dev/null; echo "rm -r $?"
        """#
      let result = try await table.shell(script, ["P": table.table.path])
      // Two snapshots have a data file, a manifest and a manifest list each; three metadata files.
      #expect(result.lines.count == before.count + 1, "\(result)")
      #expect(result.lines.dropLast().allSatisfy { $0 == "1" } && result.lines.last == "rm -r 1", "\(result)")
      #expect(try await table.objects() == before)
      let records = try await table.errorRecords().filter { $0.operation == "unlink" }
      #expect(records.allSatisfy { $0.errno == "EPERM" && $0.message.count > 40 }, "\(records)")
      #expect(try await table.loaded().rows == 11)
    }
  }

  @Test("What nothing needs is deleted, and rm -r leaves what is needed", arguments: Metastore.allCases)
  func orphans(metastore: Metastore) async throws {
    let options = ["--allow-delete", "--delete-min-age", "0"]
    try await WritableTable.with(metastore, "test_deletes_orphans.t", options: options, region: Self.region) { table in
      let before = try await table.objects()
      try await table.emulator.putObject(table.table.location + "/data/foreign.parquet", Array("orphan".utf8))
      let script = #"""
        set -e
        cd "$D"; mkdir -p own/deep; echo 1 >own/file; echo 2 >own/deep/file; echo 3 >single
        rm single foreign.parquet; ls -A | grep -v parquet
        rm -r own; ls -A | grep -c -v parquet || true
        """#
      let result = try await table.shell(script)
      #expect(result.lines == ["own", "0"], "\(result)")
      #expect(try await table.objects() == before)
      // The name is free again.
      try await table.shell(#"echo 4 >"$D/single" && cat "$D/single" && cp "$D/single" "$D/foreign.parquet""#).succeeded()
      let swept = try await table.shell(#"rm -r "$D"; ls "$D""#)
      // Also of a name that was removed, written and removed again since the directory was listed.
      #expect(swept.status == 0 && swept.lines.count == 1, "\(swept)")
      #expect(try await table.objects() == before)
      #expect(try await table.loaded().rows == 10)
    }
  }

  @Test("A young file of another writer is kept, one of this mount is not", arguments: Metastore.allCases)
  func young(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_deletes_young.t", options: ["--allow-delete"], region: Self.region) { table in
      try await table.emulator.putObject(table.table.location + "/data/foreign.parquet", Array("not committed yet".utf8))
      let result = try await table.shell(#"echo 1 >"$D/own" && rm "$D/own" && rm -f "$D/foreign.parquet""#)
      #expect(result.status == 1 && result.errorText.contains("Operation not permitted"), "\(result)")
      #expect(try await table.lastError("foreign.parquet").message.contains("--delete-min-age"))
      let objects = try await table.objects()
      #expect(objects["data/own"] == nil)
      #expect(objects["data/foreign.parquet"] != nil)
    }
  }

  @Test("Where a table of the catalog cannot be read nothing is deleted, and the reason names the table", arguments: Metastore.allCases)
  func unreadable(metastore: Metastore) async throws {
    // Where this test has the only table that cannot be read.
    let region = "sa-east-1"
    let emulator = try await EmulatorWithSeed.shared()
    let broken = try await emulator.createTable("test_deletes_broken.t", in: metastore, region: region)
    try await emulator.putObject(broken.metadataLocation, Array("{".utf8))
    let options = ["--allow-delete", "--delete-min-age", "0"]
    try await WritableTable.with(metastore, "test_deletes_unreadable.t", options: options, region: region) { table in
      let result = try await table.shell(#"echo 1 >"$D/own" && rm -f "$D/own""#)
      #expect(result.status == 1 && result.errorText.contains("Operation not permitted"), "\(result)")
      let reason = try await table.lastError("data/own").message
      #expect(reason.contains("table test_deletes_broken.t"), "\(reason)")
      #expect(try await table.objects()["data/own"] != nil)
    }
  }

  @Test(
    "A file that only an older metadata file of the log reaches is kept, and one of a refused commit is not", arguments: Metastore.allCases)
  func log(metastore: Metastore) async throws {
    let options = ["--allow-delete", "--delete-min-age", "0"]
    try await WritableTable.with(metastore, "test_deletes_log.t", appends: 1, options: options, region: Self.region) { table in
      let script = #"""
        jq '.snapshots |= map(select(."sequence-number" != 1)) | ."snapshot-log" |= .[1:]' "$X/current.metadata.json" >"$X/new.json" &&
          mv "$X/new.json" "$X/current.metadata.json" && ls "$X" | grep -c json$
        for file in "$X"/snap-*.avro; do rm -f "$file" 2>&1 | grep -c 'Operation not permitted'; done
        N=$(next a 1) && sed -i 's/"table-uuid": ".\{8\}/"table-uuid": "00000000/' "$T/$N" && cp "$T/$N" "$X/" 2>/dev/null; rm "$X/$N" && echo gone
        """#
      let result = try await table.shell(script)
      #expect(result.lines == ["5", "1", "1", "gone"], "\(result)")
      #expect(try await table.loaded().rows == 11)
    }
  }
}
