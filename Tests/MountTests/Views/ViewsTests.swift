// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Views of snapshots and metadata tables through the mount")
struct ViewsTests {
  @Test(
    "The views of every seeded table, snapshot and ref are PyIceberg's own answers: files, sizes, counts, rows, links",
    arguments: Metastore.allCases)
  func pyIceberg(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore, options: ["--metadata-ttl", "60"]) { lake in
      let emulator = lake.workspace.emulator
      let tables = lake.seed.tables.map { "[\"\(JSONText.escaped($0.path))\",\"\(JSONText.escaped($0.metadataLocation))\"]\n" }.joined()
      let result = try await Shell.run(
        ProjectFiles.clientsPython, [ProjectFiles.root + "/Tests/MountTests/Views/Support/compare_views.py", lake.path],
        environment: [
          "SCRIPTS": ProjectFiles.scripts, "ENDPOINT": emulator.endpoint, "REGION": EmulatorWithSeed.region,
          "SEED_ACCESS_KEY": emulator.reader.access, "SEED_SECRET_KEY": emulator.reader.secret, "PYTHONDONTWRITEBYTECODE": "1",
        ], input: Array(tables.utf8)
      ).succeeded()
      #expect(result.text.contains("\"tables\": \(lake.seed.tables.count)"), "\(result.text)")
    }
  }

  @Test("ls -lR of a snapshot's data sends neither LIST nor HEAD, and opening a file of it one GET")
  func requests() async throws {
    let proxy = try await CountingProxy(to: .shared())
    try await MountedCatalog.with(.glue, options: ["--metadata-ttl", "60"], proxy: proxy) { lake in
      let table = try lake.seed.table("web.clicks")
      try await lake.shell(#"ls "$M/web/clicks/.iceberg" >/dev/null"#).succeeded()
      proxy.reset()
      let listed = try await lake.shell(#"ls -lR "$M/web/clicks/.iceberg/current/data" | grep -c '^-'"#).succeeded()
      #expect(listed.trimmed == "\(table.dataFileCount)")
      #expect(proxy.count("LIST") == 0 && proxy.count("HEAD") == 0, "\(proxy.counts)")
      // The manifest list was read for the table of manifests; the one manifest is new.
      #expect(proxy.count("GET") <= 2, "\(proxy.counts)")
      proxy.reset()
      try await lake.shell(
        #"for f in $(ls "$M"/web/clicks/.iceberg/current/data/*.parquet | head -n 20); do head -c 100 "$f" >/dev/null; done"#
      )
      .succeeded()
      #expect(proxy.counts == ["GET": 20], "\(proxy.counts)")
      proxy.reset()
      // The same objects by their own names: what was read is there.
      try await lake.shell(#"for f in $(ls "$M"/web/clicks/data/*.parquet | head -n 20); do head -c 100 "$f" >/dev/null; done"#).succeeded()
      let bodies = proxy.requests.filter { $0.kind == "GET" && !$0.target.contains("metadata.json") }
      #expect(bodies.isEmpty, "\(bodies.map(\.target))")
    }
  }

  @Test("DuckDB and PyArrow read from a snapshot's directory the rows that PyIceberg scans at that snapshot", arguments: Metastore.allCases)
  func rows(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      let emulator = lake.workspace.emulator
      let program = #"""
        import os, sys
        sys.path.insert(0, os.environ["SCRIPTS"])
        from duckdb_query import connect
        from seeding.connection import Connection, keys_from_environment
        from pyiceberg.table import StaticTable
        import pyarrow.dataset, pyarrow.compute as compute
        properties = Connection(os.environ["ENDPOINT"], os.environ["REGION"], *keys_from_environment()).catalog_properties()
        duckdb = connect()
        for argument in sys.argv[2:]:
            path, column, location = argument.split("=", 2)
            table = StaticTable.from_metadata(location, properties=properties)
            for snapshot in table.metadata.snapshots:
                values = table.scan(snapshot_id=snapshot.snapshot_id, selected_fields=(column,)).to_arrow()[column]
                theirs = (len(values), compute.sum(values).as_py())
                data = f"{sys.argv[1]}/{path}/.iceberg/snapshots/{snapshot.snapshot_id}/data"
                rows = duckdb.sql(f"SELECT count(*), sum({column}) FROM read_parquet('{data}/**/*.parquet', hive_partitioning=false)").fetchone()
                assert theirs == rows, (data, theirs, rows)
                files = [os.path.join(directory, name) for directory, _, names in os.walk(data) for name in names]
                arrow = pyarrow.dataset.dataset(files, format="parquet").to_table(columns=[column])[column]
                assert theirs == (len(arrow), compute.sum(arrow).as_py()), (data, theirs)
                print(path, theirs)
        """#
      let columns = [
        ("sales.orders", "order_id"), ("sales.customers", "customer_id"), ("web.pageviews", "view_id"), ("lab.relocated", "id"),
      ]
      let tables = try columns.map { name, column in
        let table = try lake.seed.table(name)
        return "\(table.path)=\(column)=\(table.metadataLocation)"
      }
      let result = try await Shell.run(
        ProjectFiles.clientsPython, ["-c", program, lake.path] + tables,
        environment: [
          "SCRIPTS": ProjectFiles.scripts, "ENDPOINT": emulator.endpoint, "REGION": EmulatorWithSeed.region,
          "SEED_ACCESS_KEY": emulator.reader.access, "SEED_SECRET_KEY": emulator.reader.secret, "PYTHONDONTWRITEBYTECODE": "1",
        ]
      ).succeeded()
      #expect(result.lines.count == 11, "\(result)")
    }
  }

  @Test("find, du, cp -r and rsync of a table do not enter its views by themselves; with --show-views they are listed")
  func hidden() async throws {
    let script = #"""
      cd "$M/sales/orders" && ls -A && find . -name '*.jsonl' | wc -l && du -ab . | grep -c iceberg; cp -r . "$T/copy" && rsync -a . "$T/synced"
      ls -A "$T/copy" "$T/synced" | grep -c iceberg; cat .iceberg/refs.jsonl | wc -l
      """#
    let hidden = try await MountedCatalog.with(.glue) { try await $0.shell(script) }
    #expect(hidden.lines == ["data", "metadata", "0", "0", "0", "3"], "\(hidden)")
    let shown = try await MountedCatalog.with(.glue, options: ["--show-views"]) {
      try await $0.shell(#"cd "$M/sales/orders" && ls -A && find . -name '*.jsonl' | wc -l; find .iceberg -name .iceberg | wc -l"#)
    }
    #expect(shown.lines == [".iceberg", "data", "metadata", "7", "1"], "\(shown)")
  }

  @Test("Every write under a view is EROFS")
  func readOnly() async throws {
    var settings = MountSettings(.glue, options: ["--allow-delete", "--allow-drop", "--allow-rename"])
    settings.mayWrite = true
    try await MountedCatalog.with(settings) { lake in
      let program = #"""
        import errno, os, sys
        views = sys.argv[1] + "/sales/orders/.iceberg"
        snapshot = os.path.realpath(views + "/current")
        data = snapshot + "/data"
        file = next(os.path.join(place, names[0]) for place, _, names in os.walk(data) if names)
        places = [views, views + "/snapshots", views + "/refs/tags", views + "/by-time", snapshot, data, snapshot + "/manifests"]
        files = [file, views + "/history.jsonl", views + "/files.jsonl", views + "/location.txt", snapshot + "/summary.json", snapshot + "/manifest-list.avro"]
        scratch = sys.argv[1] + "/sales/orders/metadata/scratch.txt"
        open(scratch, "w").close()
        attempts = []
        for place in places:
            attempts += [
                lambda place=place: open(place + "/new", "w"), lambda place=place: os.mkdir(place + "/new"),
                lambda place=place: os.unlink(place + "/new"), lambda place=place: os.rmdir(place + "/new"),
                lambda place=place: os.rename(scratch, place + "/new"), lambda place=place: os.chmod(place, 0o700),
                lambda place=place: os.symlink("x", place + "/new"), lambda place=place: os.link(scratch, place + "/new"),
            ]
        for name in files:
            attempts += [
                lambda name=name: open(name, "r+"), lambda name=name: open(name, "w"), lambda name=name: os.unlink(name),
                lambda name=name: os.truncate(name, 0), lambda name=name: os.utime(name), lambda name=name: os.chmod(name, 0o600),
                lambda name=name: os.rename(name, scratch),
            ]
        attempts += [lambda: os.unlink(views + "/current"), lambda: os.rmdir(snapshot), lambda: os.rmdir(views)]
        for attempt in attempts:
            try:
                attempt()
            except OSError as error:
                print(errno.errorcode[error.errno], error.filename)
            else:
                print("done")
        """#
      let lines = try await lake.python(program).succeeded().lines
      #expect(lines.count == 101)
      // What a name that is not there would become is asked of the kernel first.
      let others = lines.filter { !$0.hasPrefix("EROFS ") && !($0.hasPrefix("ENOENT ") && $0.hasSuffix("/new")) }
      #expect(others.isEmpty, "\(others)")
    }
  }

  @Test("files.jsonl and partitions.jsonl are read to their end by every tool at the first look, and have their size at the second")
  func sizes() async throws {
    let tools = [
      "cat \"$F\" >\"$T/out\"", "cp \"$F\" \"$T/out\"", "jq -c . \"$F\" >\"$T/out\"", "tail -n +1 \"$F\" >\"$T/out\"",
      "grep . \"$F\" >\"$T/out\"",
      "dd if=\"$F\" of=\"$T/out\" bs=7k 2>/dev/null", "wc -c <\"$F\" >\"$T/out\"",
    ]
    for file in ["files.jsonl", "partitions.jsonl"] {
      var lengths: Set<String> = []
      for tool in tools.indices {
        // Each tool has a mount that nobody has looked through before.
        let script =
          #"F="$M/sales/orders/.iceberg/$FILE"; \#(tools[tool]); stat -c %s "$F"; cat "$F" | wc -c; wc -c <"$F"; cat "$T/out" | wc -c"#
        let lines = try await MountedCatalog.with(.glue) { try await $0.shell(script, ["FILE": file]).succeeded().lines.map { $0.trimmed } }
        let isSized = lines.count == 4 && Set(lines.prefix(3)).count == 1 && lines[0] != "0"
        try #require(isSized, "\(tools[tool]): \(lines)")
        lengths.insert(lines[0])
        // jq writes the same values in the same order, with its own spelling of numbers; wc writes the number alone.
        if !tools[tool].contains("wc") && !tools[tool].contains("jq") { #expect(lines[3] == lines[0], "\(tools[tool]): \(lines)") }
      }
      #expect(lengths.count == 1)
    }
  }
}

extension String {
  fileprivate var trimmed: String { String(drop { $0 == " " }) }
}

/// Text between the quotes of JSON.
private enum JSONText {
  static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
  }
}
