// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Tools that write data files")
struct DataFileToolTests {
  /// Each writes `$T/payload` to `$D/$NAME`.
  private static let writers = [
    ToolRun("cp", #"cp "$T/payload" "$D/$NAME""#),
    ToolRun("cp -p", #"cp -p "$T/payload" "$D/$NAME""#),
    ToolRun("mv from another file system", #"cp "$T/payload" "$T/moved" && mv "$T/moved" "$D/$NAME" && ! test -e "$T/moved""#),
    ToolRun("mv inside", #"cp "$T/payload" "$D/draft.tmp" && mv "$D/draft.tmp" "$D/$NAME" && ! test -e "$D/draft.tmp""#),
    ToolRun("install", #"install "$T/payload" "$D/$NAME""#),
    ToolRun("install -m", #"install -m 600 "$T/payload" "$D/$NAME""#),
    ToolRun("tee", #"tee "$D/$NAME" <"$T/payload" >"$T/teed" && cmp "$T/payload" "$T/teed""#),
    ToolRun("cat >", #"cat "$T/payload" >"$D/$NAME""#),
    ToolRun("cat >>", #"cat "$T/payload" >>"$D/$NAME""#),
    ToolRun("bash >", #"printf '%s\n' "$(<"$T/payload")" >"$D/$NAME""#),
    ToolRun("bash >>", #"printf '%s\n' "$(<"$T/payload")" >>"$D/$NAME""#),
    ToolRun("a group of commands", #"{ head -n 1 "$T/payload"; printf ''; tail -n +2 "$T/payload"; } >"$D/$NAME""#),
    ToolRun("jq >", #"jq -R -r . "$T/payload" >"$D/$NAME""#),
    ToolRun("dd", #"dd if="$T/payload" of="$D/$NAME" bs=10000 status=none"#),
    ToolRun("dd conv=fsync", #"dd if="$T/payload" of="$D/$NAME" bs=10000 status=none conv=fsync"#),
    ToolRun("rsync", #"cp "$T/payload" "$T/$NAME" && rsync "$T/$NAME" "$D/""#),
    ToolRun(
      "rsync -a", #"cp "$T/payload" "$T/$NAME" && rsync -a "$T/$NAME" "$D/" && ! rsync -an --size-only -i "$T/$NAME" "$D/" | grep '^[<>]'"#),
    ToolRun("rsync --inplace", #"rsync --inplace "$T/payload" "$D/$NAME""#),
    ToolRun("vim", #"vim -es -u NONE -c "w $D/$NAME" -c q "$T/payload""#),
    ToolRun("Python", #"python3 -c "$CLOSES" "$D/$NAME" <"$T/payload""#),
    ToolRun("mktemp", #"made=$(mktemp -p "$D" part-XXXXXX.parquet) && cat "$T/payload" >"$made" && cp "$made" "$D/$NAME""#),
    ToolRun("split", #"split -n 1 "$T/payload" "$D/$NAME-" && cp "$D/$NAME-aa" "$D/$NAME""#),
    ToolRun("tar x", #"tar -C "$T" -cf "$T/a.tar" payload && tar -C "$D" -xf "$T/a.tar" --transform "s/.*/$NAME/""#),
  ]

  @Test("Every tool's file is an object of the same bytes, and nothing else is left", arguments: Metastore.allCases)
  func writers(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_data_writers.t") { table in
      try await table.shell(#"seq 20000 >"$T/payload""#).succeeded()
      for tool in Self.writers {
        try await tool.run(on: table, ["CLOSES": WriterPrograms.closes])
        // At once in the mount that wrote it, as it will be for ever.
        let seen = try await table.shell(#"cmp "$T/payload" "$D/$NAME" && stat -c '%a %s' "$D/$NAME" "$T/payload""#, ["NAME": tool.name])
        let sizes = try seen.succeeded().lines.map { $0.split(separator: " ") }
        #expect(sizes.first?.first == "444", "\(tool.name)")
        #expect(sizes.first?.last == sizes.last?.last, "\(tool.name)")
      }
      let payload = try await table.shell(#"sha256sum <"$T/payload""#).succeeded().text.prefix(64)
      let objects = try await table.objects()
      for tool in Self.writers { #expect(objects["data/\(tool.name)"]?.sha256 ?? "none" == payload, "\(tool.name)") }
      #expect(try await table.uploads() == [])
      #expect(try await table.stagedNames() == [])
      #expect(try await table.errorRecords().isEmpty)
    }
  }

  /// Each would change `$D/there`, which is published.
  private static let changers = [
    ToolRun("cp", #"cp "$T/other" "$D/there""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("cp -f", #"cp -f "$T/other" "$D/there""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("mv from another file system", #"mv "$T/other" "$D/there""#, fails: 1, saying: "Operation not permitted"),
    ToolRun(
      "mv inside", #"cp "$T/other" "$D/o.tmp"; mv "$D/o.tmp" "$D/there"; s=$?; rm "$D/o.tmp"; exit $s"#, fails: 1, saying: "File exists"),
    ToolRun("mv away", #"mv "$D/there" "$D/elsewhere""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("install", #"install "$T/other" "$D/there""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("tee", #"tee "$D/there" <"$T/other" >/dev/null"#, fails: 1, saying: "Operation not permitted"),
    ToolRun("jq >", #"jq -n 1 >"$D/there""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("bash >", #"printf x >"$D/there""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("bash >>", #"printf x >>"$D/there""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("dd", #"dd if="$T/other" of="$D/there" conv=notrunc status=none"#, fails: 1, saying: "Operation not permitted"),
    ToolRun("sed -i", #"sed -i s/1/2/ "$D/there""#, fails: 4, saying: "File exists"),
    ToolRun("sed -i --follow-symlinks", #"sed -i --follow-symlinks s/1/2/ "$D/there""#, fails: 4, saying: "File exists"),
    ToolRun("rsync", #"rsync "$T/other" "$D/there""#, fails: 23, saying: "File exists"),
    ToolRun("rsync --inplace", #"rsync --inplace "$T/other" "$D/there""#, fails: 23, saying: "Operation not permitted"),
    ToolRun("vim", #"vim -es -u NONE -c 's/1/2/' -c wq "$D/there" >/dev/null"#, fails: 1),
    ToolRun("vim, forced", #"vim -es -u NONE -c 's/1/2/' -c 'wq!' "$D/there" >/dev/null"#, fails: 1),
    ToolRun("Python", #"python3 -c "$CLOSES" "$D/there" <"$T/other""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("truncate", #"truncate -s 1 "$D/there""#, fails: 1, saying: "Operation not permitted"),
    ToolRun(
      "tar x", #"tar -C "$T" -cf "$T/o.tar" other && tar -C "$D" -xf "$T/o.tar" --transform s/other/there/"#, fails: 2,
      saying: "File exists"),
    ToolRun("rm", #"rm -f "$D/there""#, fails: 1, saying: "Operation not permitted"),
  ]

  @Test("Every tool that would change a published file is told that it cannot", arguments: Metastore.allCases)
  func changers(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_data_changers.t") { table in
      try await table.shell(#"seq 2000 >"$T/there" && cp "$T/there" "$D/there" && ls "$D""#).succeeded()
      let before = try await table.objects()
      for tool in Self.changers {
        try await table.shell(#"echo 7 >"$T/other""#).succeeded()
        let known = try await table.errorRecords().count
        try await tool.run(on: table, ["CLOSES": WriterPrograms.closes])
        let told = try await table.errorRecords().dropFirst(known)
        // vim sees the mode and asks nobody.
        if tool.name != "vim" { #expect(told.contains { $0.path.contains("/data/") && $0.message.count > 20 }, "\(tool.name): \(told)") }
        let isThere = try await table.shell(#"test -e "$T/other" && cmp "$T/there" "$D/there""#)
        #expect(isThere.status == 0, "\(tool.name)")
      }
      #expect(try await table.objects() == before)
      #expect(try await table.uploads() == [])
    }
  }

  @Test("A file of many parts is the same file", arguments: Metastore.allCases)
  func manyParts(metastore: Metastore) async throws {
    let properties = ["s3.multipart.part-size-bytes": "5242880"]
    try await WritableTable.with(metastore, "test_data_parts.t", properties: properties, proxied: true) { table in
      let script = #"""
        set -e
        head -c 12345678 /dev/urandom >"$T/large"
        cp "$T/large" "$D/copied"
        dd if="$T/large" of="$D/dumped" bs=1M status=none
        rsync "$T/large" "$D/"
        tee "$D/teed" <"$T/large" >/dev/null
        # The second half before the first.
        python3 - "$T/large" "$D/disordered" <<'END'
        import sys
        body = open(sys.argv[1], "rb").read()
        with open(sys.argv[2], "wb", 0) as file:
            file.seek(6000000)
            file.write(body[6000000:])
            file.seek(0)
            file.write(body[:6000000])
        END
        sha256sum <"$T/large"
        """#
      let digest = try await table.shell(script).succeeded().text.prefix(64)
      let objects = try await table.objects()
      for name in ["copied", "dumped", "large", "teed", "disordered"] {
        #expect(objects["data/\(name)"]?.sha256 ?? "none" == digest, "\(name)")
      }
      let parts = table.proxy?.requests.count { $0.method == "PUT" && $0.target.contains("partNumber=") && $0.target.contains("copied") }
      #expect(parts == 3)
      #expect(try await table.uploads() == [])
      #expect(try await table.stagedNames() == [])
    }
  }

  @Test("A directory that is copied keeps its shape", arguments: Metastore.allCases)
  func recursiveCopy(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_data_trees.t") { table in
      let script = #"""
        set -e
        mkdir -p "$T/tree/year=2026/month=1" && echo 1 >"$T/tree/one" && echo 2 >"$T/tree/year=2026/two" && echo 3 >"$T/tree/year=2026/month=1/three"
        cp -r "$T/tree" "$D/copied"
        rsync -r "$T/tree/" "$D/synced"
        tar -C "$T" -cf "$T/tree.tar" tree && mkdir "$D/unpacked" && tar -C "$D/unpacked" -xf "$T/tree.tar"
        for copy in copied synced unpacked/tree; do diff -r "$T/tree" "$D/$copy"; done
        """#
      try await table.shell(script).succeeded()
      let names = try await table.objects().keys
      for copy in ["copied", "synced", "unpacked/tree"] {
        for file in ["one", "year=2026/two", "year=2026/month=1/three"] { #expect(names.contains("data/\(copy)/\(file)")) }
      }
      #expect(try await table.stagedNames() == [])
    }
  }
}
