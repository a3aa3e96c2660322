// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Tools that write metadata files of full form")
struct MetadataFileToolTests {
  /// Each makes the next document, `$T/$N`, the table's current metadata.
  private static let writers = [
    ToolRun("cp", #"cp "$T/$N" "$X/$N""#),
    ToolRun("cp -p", #"cp -p "$T/$N" "$X/""#),
    ToolRun("mv from another file system", #"mv "$T/$N" "$X/" && ! test -e "$T/$N""#),
    ToolRun("mv inside", #"cp "$T/$N" "$X/draft.json" && mv "$X/draft.json" "$X/$N" && ! test -e "$X/draft.json""#),
    ToolRun("install", #"install -m 600 "$T/$N" "$X/""#),
    ToolRun("tee", #"tee "$X/$N" <"$T/$N" >/dev/null"#),
    ToolRun("cat >", #"cat "$T/$N" >"$X/$N""#),
    ToolRun("bash >", #"printf %s "$(<"$T/$N")" >"$X/$N""#),
    ToolRun("bash >>", #"printf %s "$(<"$T/$N")" >>"$X/$N""#),
    ToolRun("dd", #"dd if="$T/$N" of="$X/$N" bs=512 status=none"#),
    ToolRun("rsync", #"rsync "$T/$N" "$X/" && ! ls -A "$X" | grep '^\.'"#),
    ToolRun("rsync --inplace", #"rsync -a --inplace "$T/$N" "$X/""#),
    ToolRun("vim", #"vim -es -u NONE -c "w $X/$N" -c q "$T/$N""#),
    ToolRun("Python", #"python3 -c "$CLOSES" "$X/$N" <"$T/$N""#),
    ToolRun("Python with fsync", #"python3 -c "$SYNCS" "$X/$N" <"$T/$N" | grep -x 0o444 >/dev/null"#),
    ToolRun("a fork", #"python3 -c "$FORKS" "$X/$N" <"$T/$N" | grep -x 0o444 >/dev/null"#),
    ToolRun("mktemp", #"made=$(mktemp -p "$X") && cat "$T/$N" >"$made" && mv "$made" "$X/$N""#),
    ToolRun("tar x", #"tar -C "$T" -cf "$T/n.tar" "$N" && tar -C "$X" -xf "$T/n.tar""#),
    ToolRun("split", #"split -n 1 -a 1 "$T/$N" "$X/piece-" && mv "$X/piece-a" "$X/$N""#),
  ]

  @Test("Every tool's file becomes the table's current metadata, byte by byte", arguments: Metastore.allCases)
  func writers(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_metadata_writers.t", appends: 1) { table in
      let programs = ["CLOSES": WriterPrograms.closes, "SYNCS": WriterPrograms.syncs, "FORKS": WriterPrograms.forks]
      for tool in Self.writers {
        // The copy tells what the bytes were, also of a file that was moved.
        let name = try await table.shell(#"N=$(next tool "$NAME") && cp "$T/$N" "$T/expected" && echo "$N""#, ["NAME": tool.name]).trimmed
        try await tool.run(on: table, programs.merging(["N": name]) { $1 })
        let shown = try await table.shell(
          #"readlink "$X/current.metadata.json" && cat "$X/version-hint.text" && cmp "$T/expected" "$X/$N""#, ["N": name])
        #expect(shown.text == "\(name)\n\(Int(name.prefix(5)) ?? 0)", "\(tool.name): \(shown)")
        #expect(try await table.pointer() == "\(table.table.location)/metadata/\(name)", "\(tool.name)")
      }
      let loaded = try await table.loaded()
      #expect(loaded.properties["tool"] == Self.writers.last?.name)
      #expect(loaded.rows == 11)
      #expect(try await table.stagedNames() == [])
      // Of those who wrote on after their file was published.
      let records = try await table.errorRecords()
      #expect(records.map(\.operation) == ["write", "write"], "\(records)")
      // PyIceberg continues what the mount committed, and the mount what PyIceberg did.
      _ = try await table.emulator.append(to: table.table)
      try await table.shell(#"sleep 1.1; N=$(next after append) && cp "$T/$N" "$X/""#).succeeded()
      let continued = try await table.loaded()
      #expect(continued.rows == 12)
      #expect(continued.snapshots.count == loaded.snapshots.count + 1)
      #expect(continued.properties["after"] == "append")
    }
  }

  @Test("The same file compressed is committed under its own name", arguments: Metastore.allCases)
  func compressed(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_metadata_gzip.t") { table in
      let script = #"""
        N=$(next write.metadata.compression-codec gzip) && Z=${N%.metadata.json}.gz.metadata.json
        gzip -c "$T/$N" >"$T/$Z" && cp "$T/$Z" "$X/" && readlink "$X/current.metadata.json" | grep -qx "$Z" && echo "$Z"
        cp "$T/$N" "$X/" 2>&1 | grep -o 'Stale file handle'; rm "$X/$N"
        """#
      let lines = try await table.shell(script).succeeded().lines
      #expect(lines.count == 2 && lines.last == "Stale file handle", "\(lines)")
      let loaded = try await table.loaded()
      #expect(loaded.fileName == lines.first)
      #expect(loaded.properties["write.metadata.compression-codec"] == "gzip")
    }
  }

  @Test("Manifests and statistics beside the metadata are published as they are", arguments: Metastore.allCases)
  func otherFiles(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_metadata_others.t") { table in
      let script = #"for name in snap-1.avro 1-m0.avro 1.stats 1.puffin; do echo "$name" >"$T/$name" && cp "$T/$name" "$X/"; done"#
      try await table.shell(script).succeeded()
      let objects = try await table.objects()
      for name in ["snap-1.avro", "1-m0.avro", "1.stats", "1.puffin"] {
        #expect(objects["metadata/\(name)"]?.size == Int64(name.utf8.count + 1))
      }
      #expect(try await table.loaded().metadataLocation == table.table.metadataLocation)
    }
  }
}
