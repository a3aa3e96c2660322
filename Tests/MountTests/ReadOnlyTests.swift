// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("A read-only mount")
struct ReadOnlyTests {
  @Test("Every attempt to write answers EROFS")
  func attempts() async throws {
    try await Self.attempt([
      "touch new", "touch existing", "mkdir new", "rmdir data", "rm -f metadata/existing", "mv data moved", "ln -s target new",
      "ln metadata/existing new", "truncate -s 0 metadata/existing", "cp /etc/hostname data/new", "chmod 600 metadata/existing",
      "chown 1 metadata/existing", "setfattr -n user.x -v 1 metadata/existing", "tee metadata/current.metadata.json </dev/null",
      "dd if=/dev/null of=metadata/existing conv=notrunc", "mkfifo new",
    ])
  }

  @Test("sed -i, rm -r, install and rename over the current file change nothing")
  func edits() async throws {
    try await Self.attempt([
      "sed -i s/a/b/ metadata/existing", "rm -rf metadata", "install -m 644 /etc/hostname data/new",
      "mv metadata/existing metadata/current.metadata.json", "rm metadata/version-hint.text",
    ])
  }

  /// Runs commands in a table's directory, in which `existing` stands for a name that exists; each must fail with EROFS and change nothing.
  private static func attempt(_ commands: [String], sourceLocation: SourceLocation = #_sourceLocation) async throws {
    try await MountedCatalog.with(MountSettings(.glue, options: ["--read-only"])) { lake in
      let before = try await FoundEntry.all(below: lake.path + "/sales/customers")
      for command in commands {
        let script = #"cd "$M/sales/customers" && existing=$(ls metadata | head -n 1) && eval "${COMMAND//existing/$existing}""#
        let result = try await lake.shell(script, ["COMMAND": command])
        #expect(result.status != 0, "\(result)", sourceLocation: sourceLocation)
        #expect(result.errorText.contains("Read-only file system"), "\(result)", sourceLocation: sourceLocation)
      }
      let after = try await FoundEntry.all(below: lake.path + "/sales/customers")
      #expect(before == after, sourceLocation: sourceLocation)
    }
  }

  @Test("Extended attributes are not supported, and asking for them is no error to ls")
  func extendedAttributes() async throws {
    try await MountedCatalog.with(MountSettings(.glue, options: ["--read-only"])) { lake in
      let script = #"cd "$M/sales/customers/metadata" && getfattr -n user.any current.metadata.json 2>&1; ls -l --context . >/dev/null"#
      let result = try await lake.shell(script)
      #expect(result.text.hasSuffix(": Operation not supported\n"), "\(result)")
      #expect(result.errorText == "")
    }
  }
}
