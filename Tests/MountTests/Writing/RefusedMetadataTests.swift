// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Metadata files that are refused")
struct RefusedMetadataTests {
  /// Each writes `$T/$N`, a document with another table's uuid, to `$X/$N`.
  private static let writers = [
    ToolRun("cp", #"cp "$T/$N" "$X/$N""#, fails: 1, saying: "Invalid argument"),
    ToolRun("cp -p", #"cp -p "$T/$N" "$X/$N""#, fails: 1, saying: "Invalid argument"),
    ToolRun(
      "mv from another file system", #"mv "$T/$N" "$X/$N"; s=$?; ls "$T/$N" >/dev/null && exit $s"#, fails: 1, saying: "Invalid argument"),
    ToolRun("install", #"install "$T/$N" "$X/$N""#, fails: 1, saying: "Invalid argument"),
    ToolRun("tee", #"tee "$X/$N" <"$T/$N" >/dev/null"#, fails: 1, saying: "Invalid argument"),
    ToolRun("cat >", #"cat "$T/$N" >"$X/$N""#, fails: 1, saying: "Invalid argument"),
    ToolRun("jq >", #"jq . "$T/$N" >"$X/$N""#, fails: 2, saying: "Invalid argument"),
    ToolRun("sed >", #"sed s/a/a/ "$T/$N" >"$X/$N""#, fails: 4, saying: "Invalid argument"),
    ToolRun("dd", #"dd if="$T/$N" of="$X/$N" status=none"#, fails: 1, saying: "Invalid argument"),
    ToolRun("rsync --inplace", #"rsync --inplace "$T/$N" "$X/""#, fails: 11, saying: "Invalid argument"),
    ToolRun("vim", #"vim -es -u NONE -c "w $X/$N" -c q "$T/$N" >/dev/null"#, fails: 1),
    ToolRun("Python", #"python3 -c "$CLOSES" "$X/$N" <"$T/$N""#, fails: 1, saying: "Invalid argument"),
    ToolRun("Python with fsync", #"python3 -c "$SYNCS" "$X/$N" <"$T/$N""#, fails: 1, saying: "Invalid argument"),
    ToolRun("tar x", #"tar -C "$T" -cf "$T/n.tar" "$N" && tar -C "$X" -xf "$T/n.tar""#, fails: 2, saying: "Invalid argument"),
    // The shell's own commands lose what close answers.
    ToolRun("bash >", #"printf %s "$(<"$T/$N")" >"$X/$N""#),
    ToolRun("bash >>", #"printf %s "$(<"$T/$N")" >>"$X/$N""#),
  ]

  @Test("Every tool's refused file stays staged, with the reason in errors.jsonl", arguments: Metastore.allCases)
  func writers(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_refused_writers.t", appends: 1) { table in
      let before = try await table.objects()
      let programs = ["CLOSES": WriterPrograms.closes, "SYNCS": WriterPrograms.syncs]
      let damage = #"N=$(next tool "$NAME") && sed -i 's/"table-uuid": ".\{8\}/"table-uuid": "00000000/' "$T/$N" && echo "$N""#
      for tool in Self.writers {
        let name = try await table.shell(damage, ["NAME": tool.name]).succeeded().trimmed
        try await tool.run(on: table, programs.merging(["N": name]) { $1 })
        let record = try await table.lastError(name)
        #expect(record.errno == "EINVAL", "\(tool.name)")
        #expect(record.message.contains("check 2 at `table-uuid`") || tool.name == "jq >", "\(tool.name): \(record)")
        #expect(try await table.stagedNames() == [name], "\(tool.name)")
        // Readable as it was written, until it is removed.
        let left = try await table.shell(#"grep -c '"table-uuid": "00000000' "$X/$N" && rm "$X/$N" && ls "$X/$N""#, ["N": name])
        #expect(left.lines.first == "1", "\(tool.name): \(left)")
        #expect(left.errorText.contains("No such file"), "\(tool.name): \(left)")
      }
      #expect(try await table.objects() == before)
      #expect(try await table.stagedNames() == [])
      #expect(try await table.loaded().properties["tool"] == nil)
    }
  }

  @Test("A refused rename leaves the draft under its own name", arguments: Metastore.allCases)
  func renames(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_refused_renames.t") { table in
      let before = try await table.objects()
      let script = #"""
        N=$(next tool mv) && sed -i 's/"table-uuid": ".\{8\}/"table-uuid": "00000000/' "$T/$N"
        cp "$T/$N" "$X/draft.json" && mv "$X/draft.json" "$X/$N"; echo "mv $?"
        cmp "$T/$N" "$X/draft.json"; echo "cmp $?"
        rsync "$T/$N" "$X/"; echo "rsync $?"
        ls "$X" | grep -c "$N"
        sed -i 's/"table-uuid": "00000000/"table-uuid": "xyz/' "$X/draft.json"; echo "sed $?"
        rm "$X/draft.json"
        """#
      let result = try await table.shell(script)
      #expect(result.lines == ["mv 1", "cmp 0", "rsync 23", "0", "sed 0"], "\(result)")
      #expect(result.errorText.contains("Invalid argument (22)"), "\(result)")
      #expect(try await table.errorRecords().allSatisfy { $0.operation == "rename" && $0.message.contains("check 2 at `table-uuid`") })
      #expect(try await table.objects() == before)
    }
  }

  @Test("A refused file that is written again correctly is committed", arguments: Metastore.allCases)
  func corrected(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_refused_corrected.t", appends: 1) { table in
      let script = #"""
        for round in cat cp vim half; do
          N=$(next round $round); sed 's/"format-version": 2/"format-version": 9/' "$T/$N" >"$T/wrong"
          case $round in
          half) head -c 500 "$T/$N" >"$T/half"; cp "$T/half" "$X/$N" ;;
          *) cp "$T/wrong" "$X/$N" ;;
          esac
          echo "$round wrong $?"
          case $round in
          cat) cat "$T/$N" >"$X/$N" ;;
          cp) cp "$T/$N" "$X/$N" ;;
          vim) vim -es -u NONE -c '%s/"format-version": 9/"format-version": 2/' -c wq "$X/$N" ;;
          half) tail -c +501 "$T/$N" >>"$X/$N" ;;
          esac
          echo "$round right $?"
          readlink "$X/current.metadata.json" | grep -cx "$N"
        done
        """#
      let result = try await table.shell(script)
      #expect(result.lines == ["cat", "cp", "vim", "half"].flatMap { ["\($0) wrong 1", "\($0) right 0", "1"] }, "\(result)")
      #expect(try await table.loaded().properties["round"] == "half")
      #expect(try await table.stagedNames() == [])
    }
  }

  /// What is wrong, the change of the text, the row of the specification's list and the place.
  private static let mistakes: [(name: String, change: String, said: [String])] = [
    ("an older format", #"document["format-version"] = 1"#, ["check 1"]),
    ("a lost schema", #"document["current-schema-id"] = 7"#, ["check 1", "current-schema-id"]),
    ("a changed snapshot", #"document["snapshots"][0]["timestamp-ms"] += 1"#, ["check 8", "snapshots[0]"]),
    ("a lower sequence number", #"document["last-sequence-number"] = 0"#, ["last-sequence-number"]),
    ("a property that is no text", #"document["properties"]["tool"] = 5"#, ["check 1", "properties"]),
    ("a forgotten log entry", #"document["metadata-log"].pop()"#, ["check 4", "metadata-log"]),
    ("no JSON at all", #"document = "text""#, ["check 1"]),
  ]

  @Test("The reason names the row of the check list and the place in the document", arguments: Metastore.allCases)
  func reasons(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_refused_reasons.t", appends: 1) { table in
      let program =
        "import json, sys; document = json.load(open(sys.argv[1])); exec(sys.argv[2]); json.dump(document, open(sys.argv[1], 'w'))"
      for mistake in Self.mistakes {
        let script =
          #"N=$(next tool x) && python3 -c "$PROGRAM" "$T/$N" "$CHANGE" && ! cp "$T/$N" "$X/" 2>/dev/null && rm "$X/$N" && echo "$N""#
        let name = try await table.shell(script, ["PROGRAM": program, "CHANGE": mistake.change]).succeeded().trimmed
        let message = try await table.lastError(name).message
        for part in mistake.said { #expect(message.contains(part), "\(mistake.name): \(message)") }
      }
      #expect(try await table.pointer() == table.loaded().metadataLocation)
      #expect(try await table.loaded().properties["tool"] == nil)
    }
  }

  @Test("A document made from an older base is a lost race: ESTALE", arguments: Metastore.allCases)
  func stale(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_refused_stale.t") { table in
      let name = try await table.shell(#"next winner slow"#).succeeded().trimmed
      _ = try await table.emulator.append(to: table.table)
      let result = try await table.shell(#"cp "$T/$N" "$X/"; echo $?; rm "$X/$N""#, ["N": name])
      #expect(result.text == "1\n")
      #expect(result.errorText.contains("Stale file handle"), "\(result)")
      let records = try await table.errorRecords().filter { $0.path.hasSuffix(name) }
      #expect(records.map(\.errno) == ["ESTALE"])
      #expect(try await table.loaded().properties["winner"] == nil)
      #expect(try await table.loaded().rows == 11)
    }
  }
}
