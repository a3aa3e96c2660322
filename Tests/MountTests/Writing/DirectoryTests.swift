// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Directories below data/")
struct DirectoryTests {
  @Test("mkdir makes them for this mount until a file is published in them", arguments: Metastore.allCases)
  func made(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_directories_made.t") { table in
      let before = try await table.objects()
      let script = #"mkdir -p "$D/year=2026/month=02/day=01" && cd "$D" && find year=2026 -printf '%y %P\n' | sort"#
      #expect(try await table.shell(script).lines == ["d ", "d month=02", "d month=02/day=01"])
      #expect(try await table.objects() == before)
      try await MountedCatalog.with(metastore) { other in
        let hidden = try await other.shell(#"ls "$M/$P/data""#, ["P": table.table.path]).succeeded()
        #expect(!hidden.lines.contains("year=2026"))
        try await table.shell(#"cp /etc/hostname "$D/year=2026/month=02/day=01/part.parquet""#).succeeded()
        let shows = try await eventually(within: .seconds(5)) {
          try await other.shell(#"cmp "$M/$P/data/year=2026/month=02/day=01/part.parquet" /etc/hostname"#, ["P": table.table.path]).status
            == 0
        }
        #expect(shows)
      }
      #expect(Set(try await table.objects().keys).subtracting(before.keys) == ["data/year=2026/month=02/day=01/part.parquet"])
    }
  }

  @Test("rmdir takes away what is empty, and nothing else", arguments: Metastore.allCases)
  func removed(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_directories_removed.t") { table in
      let script = #"""
        cd "$D"; mkdir -p a/b full staged
        echo 1 >full/file; exec 3>staged/file; echo 1 >staged/draft.tmp
        rmdir a 2>&1; rmdir full 2>&1; rmdir staged 2>&1
        rmdir a/b && rmdir a && ls -d a 2>&1
        exec 3>&-; rm staged/*; rmdir staged; ls
        rmdir "$D" 2>&1; rmdir "$X" 2>&1; mkdir full 2>&1; mkdir "$X/below" 2>&1; mkdir full/file/x 2>&1; rmdir full/file 2>&1
        """#
      let said = try await table.shell(script).lines.map { $0.split(separator: ": ").last.map(String.init) ?? "" }.filter {
        !$0.hasSuffix(".parquet")
      }
      #expect(
        said == [
          "Directory not empty", "Directory not empty", "Directory not empty", "No such file or directory", "full",
          "Operation not permitted",
          "Operation not permitted", "File exists", "Operation not permitted", "Not a directory", "Not a directory",
        ])
    }
  }

  @Test("A directory keeps its name: EPERM, which no tool takes for another file system", arguments: Metastore.allCases)
  func renamed(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_directories_renamed.t") { table in
      let before = try await table.objects()
      let script = #"""
        cd "$D"; mkdir -p made published; echo 1 >published/file
        rename() { python3 -c 'import os, sys
        try:
            os.rename(*sys.argv[1:])
        except OSError as error:
            print(error.strerror)' "$@"; }
        rename made other; rename published other; rename made "$X/made"; rename "$D" "$X/data"; rename "$X" "$D/metadata"
        rename "$M/$P" "$M/table"; rename "$M/${P%/*}" "$M/test_other_namespace"; rename "$D" "$M/data"
        mv made other 2>&1 | grep -o 'Operation not permitted'
        mv published/file "$X/" 2>&1 | grep -o 'Operation not permitted'
        ls "$D" | grep -x -e made -e published -e other
        """#
      let lines = try await table.shell(script, ["P": table.table.path]).lines
      #expect(lines == Array(repeating: "Operation not permitted", count: 10) + ["made", "published"], "\(lines)")
      #expect(Set(try await table.objects().keys).subtracting(before.keys) == ["data/published/file"])
      let records = try await table.errorRecords()
      #expect(records.allSatisfy { $0.errno == "EPERM" && $0.operation == "rename" && $0.message.count > 20 }, "\(records)")
    }
  }

  @Test("Files are in metadata/ and data/ only", arguments: Metastore.allCases)
  func elsewhere(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_directories_elsewhere.t") { table in
      let script = #"""
        for place in "$M" "$M/${P%/*}" "$M/$P" "$M/.bergfs" "$M/$P/.iceberg"; do cp /etc/hostname "$place/file" 2>&1 | sed 's/.*: //'; done
        mkdir "$M/$P/other" 2>&1 | sed 's/.*: //'; echo x >"$D/.iceberg"; ls -A "$D" | grep -x .iceberg
        """#
      let lines = try await table.shell(script, ["P": table.table.path]).lines
      #expect(Array(lines.prefix(4)) == Array(repeating: "Operation not permitted", count: 4), "\(lines)")
      #expect(Array(lines.dropFirst(4)) == ["Read-only file system", "Operation not permitted", ".iceberg"], "\(lines)")
    }
  }
}
