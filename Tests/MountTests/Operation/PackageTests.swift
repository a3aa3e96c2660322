// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@Suite("The package on a bare Debian")
struct PackageTests {
  /// The lines `name: value` of the scripts.
  private struct Report {
    private var values: [String: String] = [:]

    init(_ result: ProcessResult) {
      for line in result.lines {
        guard let colon = line.firstRange(of: ": ") else { continue }
        values[String(line[..<colon.lowerBound])] = String(line[colon.upperBound...])
      }
    }

    subscript(name: String) -> String { values[name] ?? "nothing" }
  }

  @Test(
    "On a bare Debian installing it is all that is needed: fstab, systemd's automount, the unit and its restart, reload, end, and removal",
    .timeLimit(.minutes(10)))
  func bareMachine() async throws {
    let package = try await TestedPackage.shared()
    try await TestSlots.mounts.occupied {
      let workspace = try await MountWorkspace(MountSettings(.glue))
      let directory = workspace.directory
      let configuration = try workspace.settings.configuration(workspace.emulator).replacing("  lake:", with: "  prod:")
      try directory.write(configuration, to: "catalogs.yaml")
      let support = ProjectFiles.root + "/Tests/MountTests/Operation/Support"
      try await Shell.bash(
        "cp \"$P\" \"$S\"/*.sh \"$T/\"", ["P": package.path, "S": support, "T": directory.path]
      ).succeeded()
      let result = try await Shell.run(
        "unshare", ["-m", "--propagation", "slave", support + "/bare_machine", package.root, directory.path, "in_chroot.sh", "booted.sh"],
        within: .seconds(240))
      let report = Report(result)
      #expect(result.status == 0 && !result.isTimedOut, "\(result)")
      chroot(report)
      booted(report)
      await directory.remove()
    }
  }

  private func chroot(_ report: Report) {
    #expect(report["version"] == "bergfs 0.1.0")
    #expect(report["pruned"] == "PRUNEFS=\"NFS nfs4 fuse.bergfs\"")
    #expect(report["conffile"] == "600 root")
    #expect(report["fake"] == "0", "mount -f mounted")
    #expect(report["mounted"] == "prod fuse.bergfs")
    #expect(report["options"].hasPrefix("ro,nosuid,nodev") && report["options"].contains("default_permissions"))
    #expect(report["listing"].split(separator: " ").contains("sales"))
    #expect(report["ttl"] == "\"metadata-ttl-seconds\":5.0")
    #expect(report["again"] == "1", "mount -a does not know what is mounted")
    #expect(report["status"].hasPrefix("/mnt/prod prod (glue) ok, ro"), "\(report["status"])")
    #expect(report["exposed"] == "0", "a secret stands on the daemon's command line")
    #expect(report["unmounted"] == "0")
    #expect(report["absent"] == "1 1", "not one line and status 1")
  }

  private func booted(_ report: Report) {
    #expect(report["systemd"] == "running")
    #expect(report["automounted"].split(separator: " ").contains("sales"))
    #expect(report["mount journal"] == "mounted catalog=prod mountpoint=/mnt/prod")
    #expect(report["automount ended"] == "0")
    #expect(report["active"] == "active, prod on /mnt/unit")
    #expect(!report["first"].isEmpty && report["first"] != "*", "the mount is the service's alone")
    #expect(report["journal"] == "mounted catalog=prod mountpoint=/mnt/unit")
    let words = report["restarted"].split(separator: " ")
    #expect(words.count == 3 && (Int(words[0]) ?? .max) < 5_000 && String(words[2]) == report["first"], "\(report["restarted"])")
    #expect(report["reloaded"] == "credentials, log level and log file are read anew level=debug")
    #expect(report["stopped"] == "success, 0")
    #expect(report["last words"] == "unmounted mountpoint=/mnt/unit")
    // That man is not installed there is all that may be said of the unit, once for each page.
    #expect((Int(report["unit"]) ?? .max) <= 2, "\(report["unit"])")
    #expect(report["purged"] == "PRUNEFS=\"NFS nfs4\" ")
  }

  @Test("promtool finds no fault with the metrics of a mount that has worked, nor with the alert rules")
  func promtool() async throws {
    let package = try await TestedPackage.shared()
    try await WritableTable.with(.glue, "test_operation_metrics.t") { table in
      let script = #"""
        cat "$M/$D"/data/*.parquet > /dev/null; cat "$M/$D/data/absent" 2>/dev/null
        cd "$M/$D/metadata" && cp current.metadata.json new.json && mv new.json current.metadata.json
        cat "$M/.bergfs/metrics" | "$P" check metrics && "$P" check rules "$R"
        """#
      let result = try await table.lake.shell(
        script, ["P": package.promtool, "D": table.table.path, "R": ProjectFiles.root + "/docs/alerts.yaml"])
      #expect(result.status == 0 && result.text.contains("SUCCESS: 8 rules found"), "\(result)")
    }
  }
}
