// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Scratch files")
struct ScratchFileTests {
  private static let inMetadata = ["notes.txt", "new.json", "draft", "sediment1", ".hidden", "v2.json", "00002.json", "a.swp", "b~"]
  private static let inData = [".hidden", ".a.parquet.swp", "b~", "c.tmp", "d.part", "e.swp"]

  @Test("They are listed and read here, are never in S3, not on another mount, and are gone after unmount", arguments: Metastore.allCases)
  func local(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    var left: OwnTable?
    try await WritableTable.with(metastore, "test_scratch_local.t") { table in
      left = table.table
      let before = try await table.objects()
      let script = "for name in $NAMES; do echo \"$name\" >\"$A/$name\" && cat \"$A/$name\"; done; ls -A \"$A\""
      for (directory, names) in [(table.metadata, Self.inMetadata), (table.data, Self.inData)] {
        let result = try await table.shell(script, ["A": directory, "NAMES": names.joined(separator: " ")]).succeeded()
        #expect(Array(result.lines.prefix(names.count)) == names)
        #expect(Set(result.lines.dropFirst(names.count)).isSuperset(of: names))
      }
      let modes = try await table.shell(
        #"cd "$X" && stat -c %a draft && echo more >>draft && cat draft && cp draft copy && mv copy draft && chmod 600 draft && stat -c %a draft"#
      )
      #expect(modes.lines == ["644", "draft", "more", "600"], "\(modes)")
      #expect(try await table.objects() == before)
      #expect(Set(try await table.stagedNames()) == Set(Self.inMetadata + Self.inData))
      try await MountedCatalog.with(metastore) { other in
        let seen = try await other.shell(#"cd "$M/$P" && ls -A metadata data; ls metadata/draft data/c.tmp"#, ["P": table.table.path])
        #expect(Set(seen.lines).isDisjoint(with: Self.inMetadata + Self.inData))
        #expect(seen.errorText.split(separator: "\n").count == 2)
      }
      let log = await table.lake.workspace.log()
      #expect(log.split(separator: "\n").count { $0.contains("metadata/draft") && $0.contains("not uploaded") } == 1, "\(log)")
    }
    let table = try #require(left)
    try await MountedCatalog.with(metastore) { later in
      let seen = try await later.shell(#"cd "$M/$P" && ls -A metadata data"#, ["P": table.path]).succeeded()
      #expect(Set(seen.lines).isDisjoint(with: Self.inMetadata + Self.inData))
    }
    let (bucket, key) = EmulatorWithSeed.split(table.location)
    #expect(try await emulator.objects(in: bucket, below: key).allSatisfy { !String(decoding: $0.key, as: UTF8.self).hasSuffix("draft") })
  }

  @Test("What looks like a file of the table is never swallowed", arguments: Metastore.allCases)
  func notScratch(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_scratch_not.t") { table in
      let refused = [
        "00002.metadata.json", "x.metadata.json", "current.metadata.json.bak", "00002-x.metadata.json", "00002.gz.metadata.json",
        "1.metadata.json.gz",
      ]
      for name in refused {
        let result = try await table.shell(
          #"cp /etc/hostname "$X/$NAME"; echo $?; printf x >"$X/$NAME"; echo $?; ls -A "$X" | grep -xc "$NAME""#, ["NAME": name])
        #expect(result.lines == ["1", "1", "0"], "\(name)")
        #expect(result.errorText.split(separator: "\n").allSatisfy { $0.hasSuffix("Invalid argument") }, "\(result)")
        let record = try await table.lastError(name)
        #expect(record.errno == "EINVAL" && record.message.contains("NNNNN-<uuid>.metadata.json"), "\(record)")
      }
      // Names that only a tool's own temporary may have, and only when it makes it so.
      let script = #"for name in sediment1 sedabcdef 4913 rsync.a.part1 data.tmp2; do echo "$name" >"$D/$name"; done; ls "$D""#
      try await table.shell(script).succeeded()
      let names = try await table.objects().keys
      for name in ["sediment1", "sedabcdef", "4913", "rsync.a.part1", "data.tmp2"] { #expect(names.contains("data/\(name)"), "\(name)") }
      #expect(try await table.stagedNames() == [])
    }
  }

  @Test("A scratch file becomes data or metadata by its rename, and goes from one directory to the other", arguments: Metastore.allCases)
  func renamed(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_scratch_renamed.t") { table in
      let script = #"""
        set -e
        seq 100 >"$X/draft"; mv "$X/draft" "$X/other"; mv "$X/other" "$D/other.tmp"; ls "$X/other" 2>&1 | grep -c 'No such'
        mv "$D/other.tmp" "$D/part-1.parquet"; stat -c '%a %s' "$D/part-1.parquet"
        echo a >"$X/a"; echo b >"$X/b"; mv "$X/a" "$X/b"; cat "$X/b"; rm "$X/b"
        """#
      let lines = try await table.shell(script).succeeded().lines
      #expect(lines == ["1", "444 292", "a"])
      #expect(try await table.objects()["data/part-1.parquet"]?.size == 292)
      #expect(try await table.stagedNames() == [])
    }
  }
}
