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
}
