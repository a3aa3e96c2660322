// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Keys and names that are hard to show")
struct OddNameTests {
  @Test("Every odd key has a name, none is lost, and its file holds its bytes", arguments: Metastore.allCases)
  func everyKey(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      let table = try lake.seed.table("lab.odd_keys")
      let expected = try await ExpectedTree(of: table, in: lake.emulator)
      let data = expected.files.filter { $0.key.starts(with: "data/".utf8) }
      #expect(data.count == lake.emulator.seededObjects(at: table.dataDirectory).objects.count)
      #expect(Set(lake.seed.oddKeys.map { Array($0.utf8) }).isSubset(of: data.values.map(\.key)))
      let found = try await lake.shell(#"cd "$M/lab/odd_keys" && find data -type f -print0"#).succeeded().records
      #expect(texts(found) == texts(data.keys))
      // The body of an odd key names it; looked up by name, in a mount that has listed nothing else.
      let contents = try await lake.shell(
        #"cd "$M/lab/odd_keys" && while IFS= read -r -d '' name; do cat "./$name" && printf '\0'; done"#,
        input: data.keys.flatMap { $0 + [0] }
      ).succeeded().output
      let bodies = Set(contents.split(separator: 0, omittingEmptySubsequences: false).map { text(Array($0)) })
      let expectedBodies = lake.seed.oddKeys.filter { !$0.hasSuffix("/") }.map { text(Array("body of \($0)".utf8)) }
      #expect(Set(expectedBodies).subtracting(bodies).isEmpty)
      #expect(Set(expectedBodies).count > 40)
    }
  }

  /// Keys below the data location, and the names that the rule gives them.
  private static let goldenNames = [
    ("with space.parquet", "with space.parquet"), ("percent%sign", "percent%sign"), ("percent%41encoded", "percent%2541encoded"),
    ("percent%2fslash", "percent%252fslash"), ("percent%~tilde", "percent%25~tilde"), ("ends with percent%", "ends with percent%25"),
    ("new\nline", "new\nline"), ("unicode-å-ß-日本語-🧊", "unicode-å-ß-日本語-🧊"), ("../climbs/out.parquet", "%2E%2E/climbs/out.parquet"),
    ("a/../b", "a/%2E%2E/b"), ("./dot", "%2E/dot"), ("..", "%2E%2E%"), (".", "%2E%"), ("double//slash.parquet", "double/%/slash.parquet"),
    ("//leading-slashes", "%/%/leading-slashes"), ("both", "both%"), ("both/inside", "both/inside"), ("both%", "both%25"), ("-rf", "-rf"),
    (".hidden", ".hidden"), ("UPPER", "UPPER"), ("upper", "upper"), ("back\\slash", "back\\slash"), (" leading space", " leading space"),
  ]

  @Test("A key is found under its name in a mount that has listed nothing yet")
  func freshLookups() async throws {
    try await MountedCatalog.with(.glue) { lake in
      let directory = EmulatorWithSeed.split(try lake.seed.table("lab.odd_keys").dataDirectory).key
      let script = #"cd "$M/lab/odd_keys/data" && while IFS= read -r -d '' name; do cat "./$name"; printf '\0'; done"#
      let result = try await lake.shell(script, input: Self.goldenNames.flatMap { Array($0.1.utf8) + [0] })
      let contents = result.output.split(separator: 0, omittingEmptySubsequences: false).map { text(Array($0)) }
      try #require(contents.count == Self.goldenNames.count + 1, "\(result)")
      for (index, (key, shown)) in Self.goldenNames.enumerated() {
        #expect(contents[index] == text(Array("body of \(directory)/\(key)".utf8)), "\(shown)")
      }
    }
  }

  @Test("No name climbs out of its directory")
  func climbing() async throws {
    try await MountedCatalog.with(.glue) { lake in
      let script = #"cd "$M/lab/odd_keys" && find . -type f -print0 | xargs -0 realpath -z && cat data/../data/plain.parquet"#
      let result = try await lake.shell(script).succeeded()
      let paths = result.records
      #expect(paths.count > 45)
      #expect(paths.dropLast().allSatisfy { $0.starts(with: "\(lake.path)/lab/odd_keys/".utf8) })
      #expect(paths.last.map { text($0) }?.hasSuffix("/data/plain.parquet") == true)
    }
  }

  @Test("Forms of a name that the rule never gives are not found")
  func impossibleNames() async throws {
    try await MountedCatalog.with(.glue) { lake in
      for name in ["percent%41encoded", "%70lain.parquet", "plain.parquet%", "with%20space.parquet", "%2e%2e", "both%%", "n%"] {
        let result = try await lake.shell(#"stat "$M/lab/odd_keys/data/$NAME""#, ["NAME": name])
        #expect(result.status == 1 && result.errorText.hasSuffix("No such file or directory\n"), "\(result)")
      }
    }
  }
}
