// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Who publishes a file, and when")
struct WriterFateTests {
  @Test("A writer that is killed publishes nothing and leaves nothing", arguments: Metastore.allCases)
  func killed(metastore: Metastore) async throws {
    let properties = ["s3.multipart.part-size-bytes": "5242880"]
    try await WritableTable.with(metastore, "test_fate_killed.t", properties: properties) { table in
      try await table.shell(#"head -c 100000 /dev/urandom >"$T/small" && head -c 12000000 /dev/urandom >"$T/large""#).succeeded()
      let before = try await table.objects()
      for (size, signal) in [("small", 9), ("small", 2), ("large", 9), ("large", 2)] {
        let name = "\(size)-\(signal)"
        let script = #"python3 -c "$DIES" "$D/$NAME" "$SIGNAL" <"$T/$SIZE""#
        let result = try await table.shell(
          "exec " + script, ["DIES": WriterPrograms.dies, "NAME": name, "SIZE": size, "SIGNAL": "\(signal)"])
        #expect(result.status == 128 + Int32(signal), "\(result)")
        #expect(try await table.lastError(name).message.contains("killed by signal \(signal)"))
        #expect(try await table.shell(#"ls "$D/$NAME""#, ["NAME": name]).errorText.contains("No such file"))
      }
      let isClean = try await eventually(within: .seconds(20), every: .milliseconds(50)) { try await table.uploads() == [] }
      #expect(isClean)
      #expect(try await table.objects() == before)
      #expect(try await table.stagedNames() == [])
      // The name is free.
      try await table.shell(#"cp "$T/small" "$D/small-9" && cmp "$T/small" "$D/small-9""#).succeeded()
    }
  }

  @Test("A metadata file whose writer is killed is not committed, stays, and can be removed", arguments: Metastore.allCases)
  func killedCommit(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_fate_commit.t") { table in
      let script = #"N=$(next owner nobody); python3 -c "$DIES" "$X/$N" 9 <"$T/$N"; ls -l "$X/$N" >/dev/null && echo "$N""#
      let name = try await table.shell(script, ["DIES": WriterPrograms.dies]).trimmed
      #expect(name.hasSuffix(".metadata.json"))
      #expect(try await table.loaded().properties["owner"] == nil)
      #expect(try await table.lastError(name).message.contains("killed by signal 9"))
      #expect(try await table.stagedNames() == [name])
      try await table.shell(#"rm "$X/$NAME""#, ["NAME": name]).succeeded()
      #expect(try await table.stagedNames() == [])
    }
  }

  @Test("fsync publishes at once, and the file takes nothing more", arguments: Metastore.allCases)
  func synced(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_fate_synced.t") { table in
      let script = #"echo synced | python3 -c "$SYNCS" "$D/file"; cat "$D/file""#
      let result = try await table.shell(script, ["SYNCS": WriterPrograms.syncs]).succeeded()
      #expect(result.lines == ["0o444", "Operation not permitted", "synced"])
      #expect(try await table.lastError("data/file").errno == "EPERM")
      // A name alone is no file yet; syncing it makes an empty one.
      try await table.shell(#"touch "$D/empty" && stat -c '%a %s' "$D/empty" && sync "$D/empty" && cp /dev/null "$D/copied""#).succeeded()
      #expect(try await table.stagedNames() == ["copied"])
      #expect(try await table.objects()["data/empty"]?.size == 0)
      try await table.shell(#"rm "$D/copied""#).succeeded()
    }
  }

  @Test("A child that holds the descriptor neither delays its parent's close nor adds to it", arguments: Metastore.allCases)
  func forked(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_fate_forked.t") { table in
      let script = #"echo parent | python3 -c "$FORKS" "$D/file"; cat "$D/file""#
      let result = try await table.shell(script, ["FORKS": WriterPrograms.forks]).succeeded()
      #expect(result.lines == ["0o444", "Operation not permitted", "parent"])
      // A shell that opens and lets its children write: what they write is published when the shell closes.
      let group =
        #"{ sh -c 'echo one'; sh -c 'echo two'; } >"$D/group" && (sh -c 'echo three') >>"$D/subshell"; cat "$D/group" "$D/subshell""#
      #expect(try await table.shell(group).succeeded().lines == ["one", "two", "three"])
      #expect(try await table.objects()["data/group"]?.size == 8)
      #expect(try await table.objects()["data/subshell"]?.size == 6)
    }
  }

  @Test("A second writer of one name is told that it is busy", arguments: Metastore.allCases)
  func twoWriters(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_fate_two.t") { table in
      for (directory, name) in [("$D", "part.parquet"), ("$X", "draft.json")] {
        let script = #"""
          exec 3>"DIR/$NAME"
          printf x >"DIR/$NAME"; echo "redirect $?"
          cp /etc/hostname "DIR/$NAME"; echo "cp $?"
          tee "DIR/$NAME" </dev/null; echo "tee $?"
          truncate -s 0 "DIR/$NAME"; echo "truncate $?"
          cat "DIR/$NAME"; echo "cat $?"
          cat /etc/hostname >&3
          exec 3>&-
          cmp /etc/hostname "DIR/$NAME"; echo "cmp $?"
          """#.replacing("DIR", with: directory)
        let result = try await table.shell(script, ["NAME": name])
        #expect(result.lines == ["redirect 1", "cp 1", "tee 1", "truncate 1", "cat 0", "cmp 0"], "\(result)")
        #expect(result.errorText.split(separator: "\n").count { $0.hasSuffix("Device or resource busy") } == 4, "\(result)")
        #expect(try await table.lastError(name).errno == "EBUSY")
      }
    }
  }
}
