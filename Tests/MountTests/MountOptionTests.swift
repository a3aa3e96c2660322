// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

@Suite("Options of a mount")
struct MountOptionTests {
  @Test("--uid, --gid, --umask, --file-mode and --dir-mode show in every entry")
  func ownership() async throws {
    let script =
      #"cd "$M" && stat -c '%u %g %a' . sales sales/orders sales/orders/data sales/customers/metadata/version-hint.text sales/customers/metadata/*.avro | sort | uniq"#
    let owned = try await MountedCatalog.with(.glue, options: ["--uid", "1234", "--gid", "4321", "--umask", "027"]) { lake in
      try await lake.shell(script).succeeded().lines
    }
    #expect(owned == ["1234 4321 440", "1234 4321 750"])
    let moded = try await MountedCatalog.with(.glue, options: ["--file-mode", "0400", "--dir-mode", "0700"]) { lake in
      try await lake.shell(script).succeeded().lines
    }
    #expect(moded == ["0 0 400", "0 0 700"])
  }

  @Test("Another user is kept out, and let in with --allow-other")
  func otherUsers() async throws {
    let script = #"chmod 755 "$T"; setpriv --reuid 65534 --regid 65534 --clear-groups ls "$M/sales""#
    let keptOut = try await MountedCatalog.with(.glue) { try await $0.shell(script) }
    #expect(keptOut.status == 2 && keptOut.errorText.contains("Permission denied"), "\(keptOut)")
    let letIn = try await MountedCatalog.with(.glue, options: ["--allow-other"]) { try await $0.shell(script) }
    #expect(try letIn.succeeded().lines == ["customers", "inventory", "orders"])
  }

  @Test("--namespace shows only the namespaces named, and the way to them")
  func namespaces() async throws {
    let flat = try await MountedCatalog.with(.glue, options: ["--namespace", "sales", "--namespace", "web"]) { lake in
      try await lake.shell(#"ls "$M"; ls "$M/lab" 2>&1; ls "$M/sales""#).text
    }
    #expect(
      flat.replacing(#/'[^']*'/#, with: "it")
        == "sales\nweb\nls: cannot access it: No such file or directory\ncustomers\ninventory\norders\n")
    let nested = try await MountedCatalog.with(.dynamodb, options: ["--namespace", "logistics.eu"]) { lake in
      try await lake.shell(#"ls "$M" "$M/logistics" "$M/logistics/eu"; stat "$M/archive" >/dev/null 2>&1 || echo absent"#).lines
    }
    #expect(nested.filter { !$0.hasSuffix(":") } == ["logistics", "eu", "shipments", "absent"])
  }

  @Test("The options of mount(8) mean the same in -o")
  func commaForm() async throws {
    let lines = try await MountedCatalog.with(.glue, options: ["-o", "ro,uid=77,gid=88,umask=007,namespace=sales,metadata-ttl=5"]) { lake in
      try await lake.shell(#"cd "$M" && ls && stat -c '%u %g %a' sales && jq -r '.options["metadata-ttl-seconds"]' .bergfs/status.json"#)
        .succeeded().lines
    }
    #expect(lines == ["sales", "77 88 550", "5"])
  }

  @Test("Control files are hidden, are read to the end, and hold no secret", arguments: Metastore.allCases)
  func controlFiles(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      let listed = try await lake.shell(#"ls -a "$M" | grep -c bergfs; find "$M" -maxdepth 1 -name '.bergfs' | wc -l"#)
      #expect(listed.lines == ["0", "0"])
      let status = try JSONDocument(parsing: try await lake.shell(#"cat "$M/.bergfs/status.json""#).succeeded().output).root
      #expect(status["catalog"]?["name"]?.string == "lake")
      #expect(status["catalog"]?["type"]?.string == metastore.rawValue)
      #expect(status["mountpoint"]?.string == lake.path)
      #expect(status["pid"]?.int64 == lake.workspace.daemons.first.map(Int64.init))
      try await lake.shell(
        #"cat "$M/sales/orders/metadata/current.metadata.json" >/dev/null; cat "$M/broken/not_json/metadata/v9.metadata.json""#
      )
      .expectingFailure()
      let all = try await lake.shell(
        #"cd "$M/.bergfs" && cat status.json metrics errors.jsonl config.json && jq -e . config.json errors.jsonl >/dev/null"#
      )
      .succeeded()
      #expect(!all.text.contains(lake.emulator.reader.secret))
      #expect(all.text.contains("****"))
      #expect(all.text.contains("# TYPE bergfs_"))
      let sizes = try await lake.shell(#"cd "$M/.bergfs" && stat -c %s status.json metrics errors.jsonl config.json refresh | sort -u"#)
        .succeeded()
      #expect(sizes.trimmed == "0")
    }
  }

  @Test("A failed read leaves a line in errors.jsonl that says why", arguments: Metastore.allCases)
  func errorJournal(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      for table in ["not_json", "pointer_gone", "gzip_under_plain_name"] {
        _ = try await lake.shell(
          #"cat "$M/broken/$TABLE/metadata/version-hint.text" "$M/broken/$TABLE/metadata/current.metadata.json""#, ["TABLE": table])
        let journal = try await lake.shell(
          #"jq -r 'select(.message | contains($name)) | .errno' --arg name "$TABLE" "$M/.bergfs/errors.jsonl""#, ["TABLE": table]
        )
        .succeeded()
        #expect(!journal.lines.isEmpty, "nothing is said of \(table)")
        #expect(journal.lines.allSatisfy { $0.hasPrefix("E") })
      }
    }
  }
}

extension ProcessResult {
  /// This run, if it ended with an error of its own; else the test ends.
  @discardableResult
  func expectingFailure(sourceLocation: SourceLocation = #_sourceLocation) throws -> ProcessResult {
    try #require(!isTimedOut && status != 0 && status < 128, "\(self)", sourceLocation: sourceLocation)
    return self
  }
}
