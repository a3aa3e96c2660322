// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

@Suite("What a mount tells of writing")
struct WritingReportTests {
  @Test(".bergfs/metrics counts commits by their outcome", arguments: Metastore.allCases)
  func metrics(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_report_metrics.t") { table in
      let script = #"""
        N=$(next a 1) && cp "$T/$N" "$X/"
        P=$(next a 2) && Q=$(next a 3) && cp "$T/$P" "$X/" && cp "$T/$Q" "$X/" 2>/dev/null; rm "$X/$Q"
        sed -i s/a/a/ "$X/current.metadata.json"
        N=$(next a 4) && sed -i 's/"table-uuid": ".\{8\}/"table-uuid": "00000000/' "$T/$N" && cp "$T/$N" "$X/" 2>/dev/null; rm "$X/$N"
        cat "$M/.bergfs/metrics"
        """#
      let text = try PrometheusText(try await table.shell(script).succeeded().text)
      #expect(text.types["bergfs_commits_total"] == "counter")
      let outcomes = ["committed": 2.0, "unchanged": 1, "conflict": 1, "invalid": 1]
      for (outcome, count) in outcomes { #expect(text.samples["bergfs_commits_total{outcome=\"\(outcome)\"}"] == count, "\(outcome)") }
    }
  }

  @Test("check says whether the server keeps two writers of one name apart, and leaves nothing there", arguments: Metastore.allCases)
  func check(metastore: Metastore) async throws {
    var settings = MountSettings(metastore)
    settings.mayWrite = true
    let workspace = try await MountWorkspace(settings)
    let warehouse = EmulatorWithSeed.split(try workspace.emulator.warehouse(metastore))
    let result = try await workspace.bergfs(["check", "lake", "--config", workspace.configurationFile])
    #expect(result.lines.contains("ok    conditions   this S3 server keeps two writers of one file name apart"), "\(result)")
    #expect(result.status == 0 && result.lines.allSatisfy { $0.hasPrefix("ok    ") }, "\(result)")
    #expect(try await workspace.emulator.objects(in: warehouse.bucket, below: warehouse.key + "/.bergfs").isEmpty)
    await workspace.directory.remove()
  }

  @Test("status.json lists what is staged and why", arguments: Metastore.allCases)
  func status(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_report_status.t") { table in
      let script = #"""
        echo scratch >"$X/notes.txt"; touch "$D/waiting"
        N=$(next a 1) && head -c 100 "$T/$N" >"$T/half" && cp "$T/half" "$X/$N" 2>/dev/null
        cat "$M/.bergfs/status.json"; echo "$N" >"$T/name"
        """#
      let result = try await table.shell(script).succeeded()
      let writing = try #require(try JSONDocument(parsing: result.output).root["writing"])
      let staged = try #require(writing["staged"]).elements.map { node in
        let name = node["path"]?.string?.split(separator: "/").last.map(String.init) ?? ""
        return (name, node["bytes"]?.int64, node["scratch"]?.bool, node["reason"]?.string)
      }
      #expect(staged.count == 3, "\(staged)")
      #expect(staged.contains { $0.0 == "notes.txt" && $0.1 == 8 && $0.2 == true && $0.3 == nil }, "\(staged)")
      #expect(staged.contains { $0.0 == "waiting" && $0.1 == 0 && $0.2 == false && $0.3 == nil }, "\(staged)")
      #expect(staged.contains { $0.0.hasSuffix(".metadata.json") && $0.1 == 100 && $0.3?.contains("check 1") == true }, "\(staged)")
      #expect(writing["staging-used-bytes"]?.int64 ?? 0 >= 108)
      let said = try await table.shell(#"rm "$X/notes.txt" "$D/waiting" "$X"/*.metadata.json 2>/dev/null; cat "$M/.bergfs/status.json""#)
        .output
      #expect(try JSONDocument(parsing: said).root["writing"]?["staged"]?.elements.map { $0 }.isEmpty == true)
    }
  }

  @Test("bergfs umount names what was never published, and the next mount has none of it", arguments: Metastore.allCases)
  func umount(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_report_umount.t") { table in
      let script = #"""
        echo scratch >"$X/notes.txt"; touch "$D/waiting"; echo done >"$D/published"
        N=$(next a 1) && head -c 100 "$T/$N" >"$T/half" && cp "$T/half" "$X/$N" 2>/dev/null; echo "$N"
        """#
      let name = try await table.shell(script).succeeded().trimmed
      let workspace = table.lake.workspace
      let ended = try await workspace.bergfs(["umount", workspace.mountpoint]).succeeded()
      let said = ended.text + ended.errorText
      #expect(said.contains("/\(table.table.path)/data/waiting: 0 bytes were never published"), "\(ended)")
      #expect(said.contains("/\(table.table.path)/metadata/\(name): 100 bytes were never published: "), "\(ended)")
      #expect(said.contains("check 1") && !said.contains("notes.txt") && !said.contains("data/published"), "\(ended)")
      let log = await workspace.log()
      #expect(log.contains("never published") && log.contains(name), "\(log)")
      try await workspace.mount().succeeded()
      let left = try await table.shell(#"ls -A "$X" | grep -e notes -e "$N"; ls -A "$D" | grep -v parquet"#, ["N": name])
      #expect(left.lines == ["published"], "\(left)")
      #expect(try await table.stagedNames() == [])
    }
  }
}
