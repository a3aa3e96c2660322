// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Every seeded table through the mount")
struct SeededTreeTests {
  private static let virtualNames: Set<[UInt8]> = [Array("metadata/current.metadata.json".utf8), Array("metadata/version-hint.text".utf8)]

  @Test("The namespaces and tables of the catalog are the directories of the mount, and nothing else", arguments: Metastore.allCases)
  func namespaces(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      var expected: Set<[UInt8]> = []
      for namespace in lake.seed.namespaces {
        let levels = namespace.split(separator: ".")
        for depth in 1...levels.count { expected.insert(Array(levels.prefix(depth).joined(separator: "/").utf8)) }
      }
      for table in lake.seed.tables { expected.insert(Array(table.path.utf8)) }
      for table in lake.seed.broken { expected.insert(Array("\(table.namespace)/\(table.name)".utf8)) }
      // What lies in a table's own directories is another test's.
      let script = #"cd "$M" && find . -mindepth 1 \( -name metadata -o -name data -o -path './test_*' \) -prune -o -type d -printf '%P\0'"#
      let shown = Set(try await lake.shell(script).succeeded().records)
      #expect(texts(shown) == texts(expected))
    }
  }

  @Test("Listings, sizes and times equal those of S3, and every byte equals boto3's", arguments: Metastore.allCases)
  func objects(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      for table in lake.seed.tables {
        let expected = try await ExpectedTree(of: table, in: lake.emulator)
        let directory = lake.path + "/" + table.path
        let found = try await FoundEntry.all(below: directory)
        let files = found.filter { $0.value.kind == "f" && !Self.virtualNames.contains($0.key) }
        #expect(texts(files.keys) == texts(expected.files.keys), "files of \(table.path)")
        #expect(texts(found.filter { $0.value.kind == "d" }.keys) == texts(expected.directories), "directories of \(table.path)")
        for (path, object) in expected.files {
          guard let file = files[path] else { continue }
          #expect(file.size == object.size, "size of \(text(path))")
          #expect(abs(file.modified - object.lastModified) < 0.001, "time of \(text(path))")
        }
        let digests = try await FoundEntry.digests(below: directory)
        for (path, object) in expected.files { #expect(digests[path] == object.sha256, "bytes of \(text(path))") }
      }
    }
  }

  @Test("current.metadata.json leads to the file that the catalog points at", arguments: Metastore.allCases)
  func pointer(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      for table in lake.seed.tables {
        let (bucket, key) = EmulatorWithSeed.split(table.metadataLocation)
        let object = try #require(lake.emulator.seededObjects(in: bucket, below: key).first)
        let script =
          #"cd "$M/$TABLE/metadata" && readlink current.metadata.json && sha256sum <current.metadata.json && stat -L -c %s current.metadata.json"#
        let lines = try await lake.shell(script, ["TABLE": table.path]).succeeded().lines
        #expect(lines == [table.metadataFileName, "\(object.sha256)  -", "\(object.size)"], "\(table.path)")
      }
    }
  }

  @Test("version-hint.text holds the number of the current file, which v<N>.metadata.json is", arguments: Metastore.allCases)
  func versionHint(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      for table in lake.seed.tables {
        let number = try #require(Int(table.metadataFileName.prefix(5)))
        let ending = table.metadataFileName.hasSuffix(".gz.metadata.json") ? "gz.metadata.json" : "metadata.json"
        let script = #"""
          cd "$M/$TABLE/metadata" && cat version-hint.text && echo "|" && stat -c %s version-hint.text &&
          cmp "v$N.$ENDING" current.metadata.json && echo same; cat "v$((N + 1)).$ENDING" 2>&1; ls | grep -c '^v[0-9]'
          """#
        let result = try await lake.shell(script, ["TABLE": table.path, "N": "\(number)", "ENDING": ending])
        let absent = "cat: v\(number + 1).\(ending): No such file or directory"
        #expect(result.lines == ["\(number)|", "\("\(number)".utf8.count)", "same", absent, "0"], "\(table.path)")
      }
    }
  }

  @Test("Every metadata file of the chain has its v<N> name", arguments: Metastore.allCases)
  func aliases(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      let table = try lake.seed.table("sales.orders")
      let script = #"""
        cd "$M/$TABLE/metadata" && for file in 0*.metadata.json; do cmp "$file" "v$((10#${file%%-*})).metadata.json" && echo same; done
        """#
      let result = try await lake.shell(script, ["TABLE": table.path]).succeeded()
      #expect(result.lines.count >= 5)
      #expect(result.lines.allSatisfy { $0 == "same" })
    }
  }

  @Test("Entries that are no Iceberg tables are neither listed nor found", arguments: Metastore.allCases)
  func hidden(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      #expect(!lake.seed.hidden.isEmpty)
      for (namespace, name) in lake.seed.hidden {
        let script = #"stat "$M/$NAMESPACE/$NAME" 2>&1; ls "$M/$NAMESPACE" | grep -cx "$NAME""#
        let result = try await lake.shell(script, ["NAMESPACE": namespace, "NAME": name])
        #expect(result.lines.first?.hasSuffix("No such file or directory") == true, "\(result)")
        #expect(result.lines.last == "0", "\(result)")
      }
    }
  }
}

/// Byte paths as sorted texts in which every byte that is no printable ASCII character is escaped: differences show, and no two are equal that
/// differ only in their Unicode form.
func texts(_ paths: some Sequence<[UInt8]>) -> [String] {
  paths.map(text).sorted()
}

func text(_ path: [UInt8]) -> String {
  path.map { (0x20..<0x7f).contains($0) ? String(UnicodeScalar($0)) : "\\x" + String($0, radix: 16) }.joined()
}
