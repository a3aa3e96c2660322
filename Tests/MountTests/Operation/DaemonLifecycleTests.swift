// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing
import WireFormats

extension FailureTests {
  @Suite("A mount is looked after like any service")
  struct DaemonLifecycleTests {
    /// Takes datagrams until it is told to end, a line each with `|` for newlines.
    private static let listener = """
      import os, socket, sys
      server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      server.bind(sys.argv[1])
      print("listening", flush=True)
      while True:
          print(server.recv(65536).decode().replace("\\n", "|"), flush=True)
      """

    @Test("A service manager is told READY when the mount answers, RELOADING and READY at SIGHUP, and STOPPING at SIGTERM")
    func notify() async throws {
      try await FailureBench.withAccount { bench, _ in
        let socket = bench.folder + "/notify"
        let manager = try bench.start("/usr/bin/python3", ["-u", "-c", Self.listener, socket])
        #expect(await eventually { !manager.output.isEmpty })
        func said() -> [String] { String(decoding: manager.output, as: UTF8.self).split(separator: "\n").dropFirst().map(String.init) }
        let daemon = try bench.start(
          ProjectFiles.bergfs, ["mount", "lake", bench.mountpoint, "--foreground"], environment: ["NOTIFY_SOCKET": socket])
        #expect(await eventually { said().count == 1 })
        #expect(said().first == "READY=1|STATUS=lake on \(bench.mountpoint)")
        #expect(try await bench.shell("ls \"$M\"").text == "sales\n")
        daemon.signal(SIGHUP)
        #expect(await eventually { said().count == 3 })
        #expect(said()[1].hasPrefix("RELOADING=1|MONOTONIC_USEC=") && said()[2].hasPrefix("READY=1|"), "\(said())")
        daemon.signal(SIGTERM)
        let result = await daemon.finished(within: .seconds(20))
        #expect(result.status == 0, "\(result)")
        #expect(await eventually { said().count == 5 })
        #expect(
          said().suffix(2).allSatisfy { $0.hasPrefix("STOPPING=1|STATUS=") && $0.hasSuffix("|EXTEND_TIMEOUT_USEC=60000000") }, "\(said())")
        manager.signal(SIGKILL)
        _ = await manager.finished(within: .seconds(5))
      }
    }

    @Test("SIGHUP reads the log level anew, opens a log file that was moved away anew, and forgets what has a time to live")
    func reload() async throws {
      try await FailureBench.withAccount { bench, account in
        try await bench.mount(["--metadata-ttl", "3600"])
        let daemon = try #require(bench.daemons.first)
        try await bench.shell("ls \"$M/sales\"").succeeded()
        account.putTable("returns")
        #expect(rename(bench.log, bench.log + ".1") == 0)
        try bench.configure(account.properties.merging(["bergfs.log-level": "debug"]) { $1 })
        kill(daemon, SIGHUP)
        #expect(await eventually { bench.logText.contains("log file are read anew level=debug") }, "\(bench.logText)")
        #expect(try await bench.shell("ls \"$M/sales\"").succeeded().lines == ["orders", "returns"])
        let moved = String(decoding: readFile(bench.log + ".1"), as: UTF8.self)
        #expect(moved.contains("mounted") && !moved.contains("read anew"))
      }
    }

    @Test("A level of the command line stays at SIGHUP, and a configuration that cannot be read leaves everything as it is")
    func reloadOfNothing() async throws {
      try await FailureBench.withAccount { bench, account in
        try await bench.mount(["--log-level", "notice"])
        let daemon = try #require(bench.daemons.first)
        try bench.configure(account.properties.merging(["bergfs.log-level": "trace"]) { $1 })
        kill(daemon, SIGHUP)
        #expect(await eventually { bench.logText.contains("read anew level=notice") }, "\(bench.logText)")
        try bench.write("no: [yaml", to: "home/.pyiceberg.yaml")
        kill(daemon, SIGHUP)
        #expect(await eventually { bench.logText.components("read anew level=notice") == 2 }, "\(bench.logText)")
        #expect(try await bench.shell("ls \"$M\"").text == "sales\n")
      }
    }

    @Test(
      "status lists two mounts, for people and for programs, and tells a stopped daemon, a dead one, and that nothing is mounted at a place"
    )
    func status() async throws {
      try await FailureBench.withAccount { bench, _ in
        let other = bench.folder + "/other"
        mkdir(other, 0o755)
        try await bench.mount(["--read-only"])
        try await bench.mount(at: other)
        // Mounts of other tests may be in any state.
        let both = try await bench.bergfs(["status", "--json"])
        let ours = try JSONDocument(parsing: both.output).root.elements.filter { $0["mountpoint"]?.string?.hasPrefix(bench.folder) == true }
        #expect(ours.count == 2 && ours.allSatisfy { $0["state"]?.string == "ok" && $0["status"]?["pid"]?.int64 != nil }, "\(both)")
        let lines = try await bench.bergfs(["status", other]).succeeded().lines
        #expect(lines.count == 2 && lines[0].hasPrefix("MOUNTPOINT") && lines[1].hasPrefix("\(other)  lake (glue)  ok"), "\(lines)")
        let daemon = try #require(bench.daemons.first { ProcessList.arguments(of: $0).contains(other) })
        kill(daemon, SIGSTOP)
        let stopped = try await bench.bergfs(["status", other], within: .seconds(10))
        #expect(stopped.status == 1 && stopped.lines.count == 3 && stopped.duration < .seconds(5), "\(stopped)")
        #expect(stopped.text.contains("is stopped; resume it by kill -CONT \(daemon)"), "\(stopped)")
        let umount = try await bench.bergfs(["umount", other], within: .seconds(15))
        await bench.expectRefusal(umount, [other, "does not answer and stays mounted", "kill -CONT \(daemon)"], at: other, mounts: 1)
        kill(daemon, SIGCONT)
        #expect(await eventually { (try? await bench.bergfs(["status", other]))?.status == 0 })
        kill(daemon, SIGKILL)
        #expect(await eventually { !bench.daemons.contains(daemon) })
        let dead = try await bench.bergfs(["status", other])
        #expect(dead.status == 1 && dead.text.contains("dead"), "\(dead)")
        let stale = try await bench.bergfs(["umount", "--stale", other]).succeeded()
        #expect(stale.text.contains("the mount is cleared") && bench.mountCount(other) == 0, "\(stale)")
        let alive = try await bench.bergfs(["umount", "--stale", bench.mountpoint]).succeeded()
        #expect(alive.output.isEmpty && bench.mountCount(bench.mountpoint) == 1, "\(alive)")
        let none = try await bench.bergfs(["status", other])
        #expect(none.status == 1 && none.output.isEmpty && none.errorText == "bergfs: \(other) is not a mount point of bergfs\n", "\(none)")
      }
    }

    @Test("After kill -9 what the unit runs gives a usable mount within 5 s")
    func restart() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await bench.mount()
        let daemon = try #require(bench.daemons.first)
        let start = ContinuousClock.now
        kill(daemon, SIGKILL)
        // ExecStopPost, ExecStartPre, ExecStart of bergfs@.service.
        #expect(await eventually { bench.daemons.isEmpty })
        try await bench.bergfs(["umount", "--stale", bench.mountpoint]).succeeded()
        try await bench.bergfs(["umount", "--stale", bench.mountpoint]).succeeded()
        try await bench.mount()
        #expect(try await bench.shell("ls \"$M\"").text == "sales\n")
        #expect(start.duration(to: .now) < .seconds(5))
      }
    }

    @Test("One message that comes a thousand times is twenty lines of the log, and the next one after them says how many were left out")
    func rateLimit() async throws {
      try await FailureBench.withAccount { bench, account in
        try await bench.mount()
        account.setFault { $0.operation == "GetObject" && $0.path.contains("part-0") ? StandInAccount.s3Error(403, "AccessDenied") : nil }
        _ = try await bench.shell("for i in {1..300}; do read -rn 1 x < \"$M/sales/orders/data/part-0.parquet\"; done 2>/dev/null")
        let count = bench.logText.components("operation failed")
        // A slow machine may come into a second window.
        #expect(count >= 20 && count <= 100, "\(count)")
        let records = try await bench.errorRecords()
        #expect(records.count >= 300, "\(records.count)")
      }
    }
  }
}

extension String {
  /// How often a text is in this one.
  fileprivate func components(_ text: String) -> Int { ranges(of: text).count }
}

@Suite("Uploads under way")
struct TransferTests {
  @Test("SIGTERM waits for an upload under way, which status.json and bergfs status show with bytes and total")
  func drain() async throws {
    let gate = RequestGate { $0.method == "PUT" && $0.target.contains("partNumber=3") }
    let emulator = try await EmulatorWithSeed.shared()
    let proxy = try CountingProxy(to: emulator) { request in
      gate.pass(request)
      return .forward
    }
    var settings = MountSettings(.glue, proxy: proxy)
    settings.mayWrite = true
    try await TestSlots.mounts.occupied {
      let table = try await emulator.createTable("test_operation_drain.t", in: .glue)
      let workspace = try await MountWorkspace(settings)
      try await workspace.mount().succeeded()
      let daemon = try #require(workspace.daemons.first)
      let target = "\(workspace.mountpoint)/\(table.path)/data/big.parquet"
      try await Shell.run("truncate", ["-s", "80M", workspace.directory.file("big")]).succeeded()
      gate.shut()
      let copy = try Shell.start("cp", ["--sparse=never", workspace.directory.file("big"), target])
      func transfer() async throws -> JSONNode? {
        let status = try await Shell.run("cat", [workspace.mountpoint + "/.bergfs/status.json"])
        return try JSONDocument(parsing: status.output).root["writing"]?["transfers"]?.elements.first { _ in true }
      }
      #expect(try await eventually { try await transfer()?["total-bytes"]?.int64 == 80 << 20 }, "the close is not there yet")
      // Two parts of 32 MiB have arrived, the third is held back.
      #expect(try await eventually { try await transfer()?["sent-bytes"]?.int64 == 64 << 20 })
      let shown = try await workspace.bergfs(["status", workspace.mountpoint]).succeeded()
      #expect(shown.text.contains("/\(table.path)/data/big.parquet: 64.0 MiB of 80.0 MiB (80 %)"), "\(shown)")
      kill(daemon, SIGTERM)
      #expect(await eventually { await workspace.log().contains("a signal asks for the end") })
      #expect(ProcessList.arguments(of: daemon).isEmpty == false, "the daemon did not wait")
      gate.open()
      #expect(await eventually { workspace.daemons.isEmpty })
      _ = await copy.finished(within: .seconds(60))
      let objects = try await emulator.objects(in: try emulator.catalog(.glue).bucket, below: EmulatorWithSeed.split(table.location).key)
      let log = await workspace.log()
      #expect(objects.contains { $0.size == 80 << 20 }, "the upload was not finished: \(log)")
      await workspace.discard()
    }
  }

  @Test(
    "A cp from the mount is shown by status.json and, on a terminal, by bergfs status --watch until ^C: bytes, total, and the file in place"
  )
  func reading() async throws {
    // What is behind 16 MiB waits.
    let gate = RequestGate { request in
      guard request.method == "GET", let range = request.headers["range"], let start = range.dropFirst(6).split(separator: "-").first else {
        return false
      }
      return (Int(start) ?? 0) >= 16 << 20
    }
    let emulator = try await EmulatorWithSeed.shared()
    let proxy = try CountingProxy(to: emulator) { request in
      gate.pass(request)
      return .forward
    }
    let table = try await emulator.createTable("test_operation_reading.t", in: .glue)
    let (bucket, key) = EmulatorWithSeed.split(table.location)
    _ = try await emulator.account(["put", bucket, key + "/data/big.parquet"], input: Array(repeating: 7, count: 40 << 20))
    try await MountedCatalog.with(.glue, proxy: proxy) { lake in
      let workspace = lake.workspace
      gate.shut()
      let copy = try Shell.start("cp", ["\(workspace.mountpoint)/\(table.path)/data/big.parquet", workspace.directory.file("copy")])
      defer { gate.open() }
      func reading() async throws -> JSONNode? {
        let status = try await Shell.run("cat", [workspace.mountpoint + "/.bergfs/status.json"])
        return try JSONDocument(parsing: status.output).root["reading"]?.elements.first { _ in true }
      }
      #expect(try await eventually { try await reading()?["read-bytes"]?.int64 ?? 0 >= 15 << 20 })
      let shown = try #require(try await reading())
      // A read that waits for a byte behind has not been answered.
      #expect(try #require(shown["read-bytes"]?.int64) <= 16 << 20)
      #expect(shown["path"]?.string == "/\(table.path)/data/big.parquet")
      #expect(shown["total-bytes"]?.int64 == 40 << 20)
      // A terminal of its own; the ^C is typed.
      let watch = try await Shell.run(
        "bash",
        [
          "-c", #"(sleep 2; printf '\003') | script -qefc "$1 status $2 --watch --interval 0.2" /dev/null"#, "-", ProjectFiles.bergfs,
          workspace.mountpoint,
        ])
      let text = watch.text
      #expect(text.ranges(of: "\u{1b}[H").count >= 3, "\(watch)")
      let line = #/data/big\.parquet: read 1[56]\.\d MiB of 40\.0 MiB \((3[789]|40) %\)/#
      #expect(text.firstMatch(of: line) != nil, "\(watch)")
      gate.open()
      try await copy.finished(within: .seconds(60)).succeeded()
      #expect(
        try await Shell.run(
          "bash", ["-c", #"head -c 41943040 /dev/zero | tr '\0' '\7' | cmp - "$1""#, "-", workspace.directory.file("copy")]
        ).status == 0)
      #expect(try await eventually { try await reading() == nil })
    }
  }
}
