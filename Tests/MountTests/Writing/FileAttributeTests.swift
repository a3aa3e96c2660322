// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Attributes of files that are written")
struct FileAttributeTests {
  @Test("Staged files are 0644, published ones 0444, directories 0755", arguments: Metastore.allCases)
  func modes(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_attributes_modes.t") { table in
      let script = #"""
        cd "$D"
        stat -c '%F %a %u %g %h' . "$X"
        exec 3>file; seq 1000 >&3; stat -c '%F %a %u %g %h %s' file; exec 3>&-
        stat -c '%F %a %u %g %h %s' file
        mkdir below; stat -c '%F %a %u %g' below
        """#
      let lines = try await table.shell(script).succeeded().lines
      #expect(
        lines == [
          "directory 755 0 0 1", "directory 755 0 0 1", "regular file 644 0 0 1 3893", "regular file 444 0 0 1 3893", "directory 755 0 0",
        ])
    }
  }

  @Test("chmod, chown and touch on what is published succeed and change nothing", arguments: Metastore.allCases)
  func withoutEffect(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_attributes_fixed.t") { table in
      let script = #"""
        cd "$D"; echo 1 >file; mkdir directory; before=$(stat -c '%a %u %g %s %Y' file . directory)
        for command in 'chmod 600' 'chmod +x' 'chown 5' 'chgrp 5' 'touch' 'touch -d 2001-01-01'; do
          $command file || echo "$command: $?"
          $command . || echo "$command .: $?"
          $command directory || echo "$command directory: $?"
        done
        test "$before" = "$(stat -c '%a %u %g %s %Y' file . directory)" && echo same
        """#
      let result = try await table.shell(script)
      #expect(result.text == "same\n", "\(result)")
      // touch opens first, and takes the refusal for none of its business.
      let records = try await table.errorRecords()
      #expect(records.allSatisfy { $0.operation == "open" && $0.path.hasSuffix("/file") }, "\(records)")
    }
  }

  /// Nothing else is told EPERM for a chmod.
  private static let refused = [
    ToolRun("chmod u+s", #"chmod u+s "$D/file""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("chmod g+s", #"chmod g+s "$D""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("install -m 4755", #"install -m 4755 /etc/hostname "$D/suid""#, fails: 1, saying: "cannot change permissions"),
    ToolRun("ln", #"ln "$D/file" "$D/linked""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("ln across directories", #"ln "$D/file" "$X/linked.json""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("ln -s", #"ln -s file "$D/symbolic""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("ln -s in metadata", #"ln -s file "$X/symbolic""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("ln -sf onto the link", #"ln -sf file "$X/current.metadata.json""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("mknod p", #"mknod "$D/pipe" p"#, fails: 1, saying: "Operation not permitted"),
    ToolRun("mknod c", #"mknod "$D/device" c 1 3"#, fails: 1, saying: "Operation not permitted"),
    ToolRun("mkfifo", #"mkfifo "$X/pipe""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("truncate", #"truncate -s 0 "$D/file""#, fails: 1, saying: "Operation not permitted"),
    ToolRun("truncate of a metadata file", #"truncate -s 0 "$X/current.metadata.json""#, fails: 1, saying: "Operation not permitted"),
  ]

  @Test("Links, special files, setuid bits and truncation of published files are EPERM", arguments: Metastore.allCases)
  func notPossible(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_attributes_refused.t") { table in
      try await table.shell(#"echo 1 >"$D/file""#).succeeded()
      for tool in Self.refused { try await tool.run(on: table) }
      let left = try await table.shell(#"ls -A "$D" | grep -v parquet; ls -A "$X" | grep -v -e metadata.json$ -e avro$"#)
      #expect(left.lines == ["file", "suid", "version-hint.text"])
    }
  }

  @Test("truncate of a new name makes a file of zeros, and touch a name that waits for bytes", arguments: Metastore.allCases)
  func truncation(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_attributes_zeros.t") { table in
      let script = #"""
        cd "$D"; truncate -s 5000 zeros; stat -c '%a %s' zeros; cmp -n 5000 zeros /dev/zero
        touch -d 2001-02-03T04:05:06Z waiting; stat -c '%a %s %Y' waiting; echo 1 >waiting; stat -c '%a %s' waiting
        """#
      let lines = try await table.shell(script).succeeded().lines
      #expect(lines == ["444 5000", "644 0 981173106", "444 2"])
      #expect(try await table.objects()["data/zeros"]?.size == 5000)
    }
  }

  @Test("A published file has S3's time and size, and shows on another mount within its TTL", arguments: Metastore.allCases)
  func secondMount(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_attributes_other.t") { table in
      try await MountedCatalog.with(metastore) { other in
        let variables = ["O": "\(other.path)/\(table.table.path)/data"]
        // Both know the directory as it is.
        try await table.shell(#"ls "$D" "$O""#, variables).succeeded()
        try await table.shell(#"cp -p /etc/hostname "$D/published" && ls "$D/published""#).succeeded()
        let isThere = try await eventually(within: .seconds(5)) {
          try await table.shell(#"ls "$O" | grep -x published"#, variables).status == 0
        }
        #expect(isThere)
        let compare = #"cmp "$O/published" /etc/hostname && stat -c '%a %s %Y' "$D/published" "$O/published" | uniq"#
        let lines = try await table.shell(compare, variables).succeeded().lines
        let object = try #require(try await table.objects()["data/published"])
        #expect(lines == ["444 \(object.size) \(Int(object.lastModified))"])
      }
    }
  }
}
