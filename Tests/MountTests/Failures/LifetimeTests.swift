// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

extension FailureTests {
  @Suite("Mounts end when they are told to, and only then")
  struct LifetimeTests {
    private static let file = "sales/orders/data/part-0.parquet"

    @Test("A busy mount is not taken away: the sentence names the program; after its close it is")
    func busyFile() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await bench.mount()
        let holder = try await FileHolder(bench, "\(bench.mountpoint)/\(Self.file)")
        let busy = try await bench.bergfs(["umount", bench.mountpoint])
        await bench.expectRefusal(busy, [bench.mountpoint, "python3", "\(holder.program.processID)"], mounts: 1)
        #expect(await holder.read(4, at: 0) == "ok 4")
        await holder.end()
        let umount = try await bench.bergfs(["umount", bench.mountpoint])
        #expect(umount.status == 0 && umount.errors.isEmpty && bench.mountCount(bench.mountpoint) == 0, "\(umount)")
        #expect(bench.daemons.isEmpty, "umount came back before the daemon had ended")
      }
    }

    @Test("A shell that stands below the mountpoint keeps it busy too, and is named")
    func busyDirectory() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await bench.mount()
        let shell = try bench.start("/bin/bash", ["-c", "cd '\(bench.mountpoint)/sales' && echo there && read"])
        #expect(await eventually { !shell.output.isEmpty })
        let busy = try await bench.bergfs(["umount", bench.mountpoint])
        await bench.expectRefusal(busy, [bench.mountpoint, "bash", "\(shell.processID)"], mounts: 1)
      }
    }

    @Test("Plain umount works, and the daemon ends by itself")
    func plainUmount() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await bench.mount()
        try await bench.shell("umount \"$M\"").succeeded()
        #expect(bench.mountCount(bench.mountpoint) == 0)
        #expect(await eventually { bench.daemons.isEmpty })
        try await bench.mount()
      }
    }

    @Test("A signal to the daemon unmounts", arguments: [SIGTERM, SIGINT])
    func signal(number: Int32) async throws {
      try await FailureBench.withAccount { bench, _ in
        try await bench.mount()
        let daemon = try #require(bench.daemons.first)
        kill(daemon, number)
        #expect(await eventually { bench.mountCount(bench.mountpoint) == 0 })
        #expect(await eventually { bench.daemons.isEmpty })
      }
    }

    @Test("A busy daemon that gets SIGTERM leaves no dead mount behind")
    func signalWhileBusy() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await bench.mount()
        let holder = try await FileHolder(bench, "\(bench.mountpoint)/\(Self.file)")
        let daemon = try #require(bench.daemons.first)
        kill(daemon, SIGTERM)
        #expect(await eventually { bench.mountCount(bench.mountpoint) == 0 }, "\(bench.logText)")
        await holder.end()
        #expect(await eventually { bench.daemons.isEmpty })
      }
    }

    @Test(
      "A command that is interrupted while it waits for a silent service leaves neither mount nor daemon", arguments: [SIGINT, SIGKILL])
    func interrupted(number: Int32) async throws {
      try await FailureBench.withAccount(["http-client.apache.socket-timeout-ms": "300000"]) { bench, account in
        account.setFault { _ in .bytesThenStall([]) }
        let command = try bench.start(ProjectFiles.bergfs, bench.mountArguments())
        #expect(await eventually { !account.calls.isEmpty })
        command.signal(number)
        let result = await command.finished(within: .seconds(10))
        #expect(result.status == 128 + number && !result.isTimedOut, "\(result)")
        #expect(await eventually { bench.daemons.isEmpty }, "the daemon goes on without its command")
        #expect(bench.mountCount(bench.mountpoint) == 0)
      }
    }

    @Test("SIGINT ends a foreground mount that still waits for a silent service")
    func interruptedForeground() async throws {
      try await FailureBench.withAccount(["http-client.apache.socket-timeout-ms": "300000"]) { bench, account in
        account.setFault { _ in .bytesThenStall([]) }
        let command = try bench.start(ProjectFiles.bergfs, bench.mountArguments(["--foreground"]))
        #expect(await eventually { !account.calls.isEmpty })
        command.signal(SIGINT)
        let result = await command.finished(within: .seconds(10))
        #expect(!result.isTimedOut && result.status != 0, "\(result)")
        #expect(bench.mountCount(bench.mountpoint) == 0)
      }
    }

    @Test("The daemon holds on to no terminal, no pipe and no directory of its starter")
    func detached() async throws {
      try await FailureBench.withAccount { bench, _ in
        let command = ([ProjectFiles.bergfs] + bench.mountArguments()).map { "'\($0)'" }.joined(separator: " ")
        let mount = try await bench.shell("\(command) 2>&1 | cat; exit ${PIPESTATUS[0]}", within: .seconds(30))
        #expect(mount.status == 0 && !mount.isTimedOut && mount.output.isEmpty, "\(mount)")
        let daemon = try #require(bench.daemons.first)
        let facts = try await bench.shell(
          "readlink /proc/\(daemon)/cwd /proc/\(daemon)/fd/0 /proc/\(daemon)/fd/1; ps -o sid= -o pid= -o ppid= -p \(daemon)")
        let lines = facts.lines
        #expect(
          lines.first == "/" && lines.dropFirst().first == "/dev/null" && lines.dropFirst(2).first?.contains("pipe") == false, "\(facts)")
        let numbers = (lines.last ?? "").split(separator: " ").compactMap { Int32($0) }
        #expect(numbers.count == 3 && numbers[0] == numbers[1], "not a session of its own: \(facts)")
      }
    }

    @Test("In the foreground it logs to standard error, and SIGINT ends it well")
    func foreground() async throws {
      try await FailureBench.withAccount { bench, _ in
        let program = try bench.start(
          ProjectFiles.bergfs, ["mount", "lake", bench.mountpoint, "--foreground", "--log-level", "debug"])
        #expect(await eventually(within: .seconds(30)) { bench.mountCount(bench.mountpoint) == 1 })
        try await bench.shell("cat \"$M/sales/orders/metadata/current.metadata.json\"").succeeded()
        #expect(!program.errors.isEmpty)
        #expect(program.status == nil)
        program.signal(SIGINT)
        let result = await program.finished(within: .seconds(20))
        #expect(result.status == 0 && !result.isTimedOut, "\(result)")
        #expect(bench.mountCount(bench.mountpoint) == 0)
      }
    }

    @Test("A foreground mount that cannot start exits 1 like any other")
    func foregroundRefused() async throws {
      try await FailureBench.withAccount { bench, account in
        account.setFault { _ in StandInAccount.jsonError(400, "AccessDeniedException", "not authorized") }
        let result = try await bench.bergfs(["mount", "lake", bench.mountpoint, "--foreground"])
        #expect(result.status == 1 && result.errorText.contains("not authorized"), "\(result)")
        #expect(bench.mountCount(bench.mountpoint) == 0)
      }
    }

    @Test("An unknown property is a warning that names the nearest known one; the mount works")
    func unknownProperty() async throws {
      try await FailureBench.withAccount(["s3.path-style-acces": "true"]) { bench, _ in
        let result = try await bench.mount()
        #expect(result.errorText.split(separator: "\n").count == 1, "\(result)")
        for word in ["warning", "s3.path-style-acces ", bench.yaml, "s3.path-style-access"] {
          #expect(result.errorText.contains(word), "no \(word) in \(result)")
        }
        #expect(bench.logText.contains("s3.path-style-acces"), "the log does not have the warning: \(bench.logText)")
      }
    }

    @Test("A property without effect here is named in the log, with the reason; the mount works without a word")
    func idleProperty() async throws {
      try await FailureBench.withAccount(["encryption.kms-type": "aws", "s3.crt.enabled": "false"]) { bench, _ in
        let result = try await bench.mount()
        #expect(result.errorText == "")
        for words in ["encryption.kms-type", "as they lie in S3", "s3.crt.enabled"] { #expect(bench.logText.contains(words), "\(words)") }
      }
    }
  }
}
