// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

@Suite("mkdir, rmdir and mv in the catalog")
struct CatalogOperationTests {
  /// A mount that may write, and a namespace's name that nobody else uses.
  private func with(
    _ metastore: Metastore, options: [String] = [], _ body: (MountedCatalog) async throws -> Void
  ) async throws {
    var settings = MountSettings(metastore, options: options)
    settings.mayWrite = true
    try await MountedCatalog.with(settings, body)
  }

  private func namespaces(_ lake: MountedCatalog) async throws -> [String] {
    try await lake.emulator.account(["namespaces", lake.seed.metastore.rawValue]).elements.compactMap(\.string)
  }

  private func exists(_ namespace: String, _ table: String, in lake: MountedCatalog) async throws -> Bool {
    try await lake.emulator.account(["exists", lake.seed.metastore.rawValue, namespace, table]).bool == true
  }

  private func lastError(_ lake: MountedCatalog) async throws -> ErrorRecord? {
    try await lake.shell(#"cat "$M/.bergfs/errors.jsonl""#).lines.last.map { try ErrorRecord($0) }
  }

  @Test("mkdir makes a namespace that the catalog has at once", arguments: Metastore.allCases)
  func namespace(metastore: Metastore) async throws {
    try await with(metastore) { lake in
      try await lake.shell(#"mkdir "$M/test_mkdir_ns" && ls -d "$M/test_mkdir_ns""#).succeeded()
      #expect(try await namespaces(lake).contains("test_mkdir_ns"))
      let again = try await lake.shell(#"mkdir "$M/test_mkdir_ns""#)
      #expect(again.status == 1 && again.errorText.contains("File exists"))
      for name in metastore == .glue ? ["Test_Upper", "test-dash", "test.dot", "täst"] : ["test.", ".test", "test..a"] {
        let refused = try await lake.shell(#"mkdir "$M/$N""#, ["N": name])
        #expect(refused.status == 1 && refused.errorText.contains("Invalid argument"), "\(refused)")
        #expect(try await lastError(lake)?.errno == "EINVAL", "\(name)")
        #expect(try await !namespaces(lake).contains(name))
      }
    }
  }

  @Test("A pending table is created by copying in the first document made for its location", arguments: Metastore.allCases)
  func created(metastore: Metastore) async throws {
    try await with(metastore) { lake in
      let made = try await lake.shell(
        #"cd "$M" && mkdir test_creating && mkdir test_creating/t && ls test_creating/t && cat test_creating/t/.iceberg/location.txt"#
      )
      .succeeded()
      #expect(Array(made.lines.prefix(2)) == ["data", "metadata"])
      let location = try #require(made.lines.last)
      #expect(location.hasPrefix("s3://") && location.contains("/test_creating"))
      #expect(try await !exists("test_creating", "t", in: lake))
      let document = lake.workspace.directory.file("document.json")
      try await lake.emulator.account(["document", location, document])
      // Another location first: the document is not this table's.
      let script = #"""
        uuid() { cat /proc/sys/kernel/random/uuid; }
        T=$M/test_creating/t
        N=00000-$(uuid).metadata.json
        sed 's#"location":"[^"]*"#"location":"s3://elsewhere/t"#' "$DOCUMENT" >"$T/metadata/$N"; echo "elsewhere $?"; rm "$T/metadata/$N"
        N=00000-$(uuid).metadata.json
        echo data >"$T/data/before.parquet"
        cp "$DOCUMENT" "$T/metadata/$N"; echo "cp $?"
        test "$(readlink "$T/metadata/current.metadata.json")" = "$N" && ls "$T/metadata" "$T/data" | grep -c .
        echo "$N"
        """#
      let result = try await lake.shell(script, ["DOCUMENT": document])
      #expect(Array(result.lines.prefix(2)) == ["elsewhere 4", "cp 0"], "\(result)")
      let table = OwnTable(
        metastore: metastore, namespace: "test_creating", name: "t", location: location,
        metadataLocation: "\(location)/metadata/\(result.lines.last ?? "")")
      let loaded = try await WritableTable.Loaded(lake.emulator.account(["table", metastore.rawValue, "test_creating", "t"]))
      #expect(loaded.metadataLocation == table.metadataLocation)
      #expect(loaded.rows == 0 && loaded.snapshots.isEmpty)
      // PyIceberg appends to it, and the mount edits what PyIceberg made.
      _ = try await lake.emulator.append(to: table)
      let edited = #"""
        sleep 1.1; X=$M/test_creating/t/metadata
        jq '.properties.owner="mount"' "$X/current.metadata.json" >"$X/new.json" && mv "$X/new.json" "$X/current.metadata.json"
        """#
      try await lake.shell(edited).succeeded()
      let continued = try await WritableTable.Loaded(lake.emulator.account(["table", metastore.rawValue, "test_creating", "t"]))
      #expect(continued.rows == 1 && continued.snapshots.count == 1)
      #expect(continued.properties["owner"] == "mount")
    }
  }

  @Test("A file that lies there already with equal bytes is registered", arguments: Metastore.allCases)
  func registered(metastore: Metastore) async throws {
    let source = try await EmulatorWithSeed.shared().createTable("test_registering.source", in: metastore)
    try await with(metastore) { lake in
      let script = #"""
        cd "$M/test_registering" && mkdir registered && N=$(readlink source/metadata/current.metadata.json)
        cp "source/metadata/$N" "registered/metadata/$N"; echo "cp $?"
        readlink registered/metadata/current.metadata.json; ls registered/data | grep -c parquet
        cmp source/metadata/current.metadata.json registered/metadata/current.metadata.json; echo "cmp $?"
        """#
      let result = try await lake.shell(script)
      let name = source.location + "/metadata/" + (result.lines.dropFirst().first ?? "")
      #expect(result.lines.count == 4 && result.lines.first == "cp 0" && result.lines.last == "cmp 0", "\(result)")
      let loaded = try await WritableTable.Loaded(lake.emulator.account(["table", metastore.rawValue, "test_registering", "registered"]))
      #expect(loaded.metadataLocation == name)
      #expect(loaded.rows == 10)
      let (bucket, key) = EmulatorWithSeed.split(source.location)
      let files = try await lake.emulator.objects(in: bucket, below: key + "/metadata/").filter(\.isMetadataFile)
      #expect(files.count == 2)
    }
  }

  @Test("A pending table that nobody filled is removed, or becomes a namespace where they nest", arguments: Metastore.allCases)
  func pending(metastore: Metastore) async throws {
    try await with(metastore) { lake in
      let script = #"""
        cd "$M" && mkdir -p test_nesting/a test_nesting/b
        rmdir test_nesting/b; echo "rmdir $?"
        mkdir test_nesting/a/deep; echo "mkdir $?"
        ls test_nesting; ls test_nesting/a
        cat test_nesting/a/deep/.iceberg/location.txt 2>/dev/null | grep -c s3://
        """#
      let result = try await lake.shell(script)
      switch metastore {
      case .dynamodb:
        #expect(result.lines == ["rmdir 0", "mkdir 0", "a", "deep", "1"], "\(result)")
      case .glue:
        #expect(result.lines == ["rmdir 0", "mkdir 1", "a", "data", "metadata", "0"], "\(result)")
        #expect(result.errorText.contains("Operation not permitted"), "\(result)")
      }
    }
  }

  @Test("Without their flags nothing is dropped, renamed or deleted, and the reason names the flag", arguments: Metastore.allCases)
  func withoutFlags(metastore: Metastore) async throws {
    _ = try await EmulatorWithSeed.shared().createTable("test_flagless.t", in: metastore)
    try await with(metastore) { lake in
      let commands = [
        ("rmdir test_flagless/t", "--allow-drop"), ("rmdir test_flagless", "--allow-drop"),
        ("mv test_flagless/t test_flagless/u", "--allow-rename"),
        ("rm -f test_flagless/t/data/*.parquet", "--allow-delete"),
      ]
      for (command, flag) in commands {
        let result = try await lake.shell(#"cd "$M" && eval "$COMMAND""#, ["COMMAND": command])
        #expect(result.status == 1 && result.errorText.contains("Operation not permitted"), "\(result)")
        let record = try await lastError(lake)
        #expect(record?.errno == "EPERM" && record?.message.contains(flag) == true, "\(command): \(String(describing: record))")
      }
      #expect(try await exists("test_flagless", "t", in: lake))
      let whole = try await lake.shell(#"cd "$M" && mv test_flagless test_renamed"#)
      #expect(whole.status == 1 && whole.errorText.contains("Operation not permitted"), "\(whole)")
      #expect(try await !namespaces(lake).contains("test_renamed"))
    }
  }

  @Test("With their flags rmdir drops tables and empty namespaces, and the files stay", arguments: Metastore.allCases)
  func dropped(metastore: Metastore) async throws {
    let table = try await EmulatorWithSeed.shared().createTable("test_dropping.t", in: metastore)
    try await with(metastore, options: ["--allow-drop"]) { lake in
      let (bucket, key) = EmulatorWithSeed.split(table.location)
      let before = try await lake.emulator.objects(in: bucket, below: key)
      let script = #"""
        cd "$M" && rmdir test_dropping 2>&1 | grep -o 'Directory not empty'
        echo x >test_dropping/t/metadata/draft; rmdir test_dropping/t 2>&1 | grep -o 'Directory not empty'; rm test_dropping/t/metadata/draft
        rmdir test_dropping/t; echo "table $?"; ls test_dropping/t 2>&1 | grep -c 'No such'
        rmdir test_dropping; echo "namespace $?"; ls "$M" | grep -c '^test_dropping$'
        """#
      let result = try await lake.shell(script)
      #expect(result.lines == ["Directory not empty", "Directory not empty", "table 0", "1", "namespace 0", "0"], "\(result)")
      #expect(try await !exists("test_dropping", "t", in: lake))
      #expect(try await !namespaces(lake).contains("test_dropping"))
      #expect(try await lake.emulator.objects(in: bucket, below: key) == before)
    }
  }

  @Test("With its flag mv renames a table, whose files stay where they are", arguments: Metastore.allCases)
  func renamed(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_renaming.old", in: metastore)
    _ = try await emulator.createTable("test_renaming.taken", in: metastore)
    try await with(metastore, options: ["--allow-rename"]) { lake in
      let script = #"""
        cd "$M" && mkdir test_renamed_to
        mv -T test_renaming/old test_renaming/taken 2>&1 | grep -c .
        mv test_renaming/old test_renamed_to/new; echo "mv $?"
        ls test_renaming test_renamed_to; ls test_renamed_to/new/data | grep -c parquet
        cd test_renamed_to/new/metadata && jq '.properties.owner="new"' current.metadata.json >new.json && mv new.json current.metadata.json; echo "commit $?"
        """#
      let result = try await lake.shell(script)
      #expect(
        result.lines == ["1", "mv 0", "test_renamed_to:", "new", "test_renaming:", "taken", "1", "commit 0"], "\(result)")
      let loaded = try await WritableTable.Loaded(emulator.account(["table", metastore.rawValue, "test_renamed_to", "new"]))
      #expect(loaded.metadataLocation.hasPrefix(table.location + "/"))
      #expect(loaded.rows == 10 && loaded.properties["owner"] == "new")
      #expect(try await !exists("test_renaming", "old", in: lake))
    }
  }

  @Test(
    "Right after mv the new name shows the whole table, also when another table takes the old name at once", arguments: Metastore.allCases)
  func swapped(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    for name in ["a", "b"] { _ = try await emulator.createTable("test_swapping.\(name)", in: metastore) }
    // The kernel may keep every name that it learns for the whole test.
    try await with(metastore, options: ["--allow-rename", "--metadata-ttl", "600"]) { lake in
      let script = #"""
        cd "$M/test_swapping"
        uuid() { jq -r '."table-uuid"' "$1/metadata/current.metadata.json"; }
        A=$(uuid a) B=$(uuid b); ls -lR . >/dev/null
        mv a c; ls c | grep -c .; ls c/data | grep -c parquet; test "$(uuid c)" = "$A" && echo "c is a"
        exec 3<"$(echo b/data/*.parquet)"
        mv b a; test "$(uuid a)" = "$B" && test "$(uuid c)" = "$A" && echo "a is b"
        ls b 2>&1 | grep -c 'No such'; cat <&3 | cmp - a/data/*.parquet && echo "open file reads on"
        mv c b; test "$(uuid a)" = "$B" && test "$(uuid b)" = "$A" && ls
        """#
      let result = try await lake.shell(script)
      #expect(result.lines == ["2", "1", "c is a", "a is b", "1", "open file reads on", "a", "b"], "\(result)")
    }
  }
}
