// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

extension FailureTests {
  @Suite("A mountpoint that cannot be used is one sentence")
  struct MountpointTests {
    @Test("An absent mountpoint is refused, and not made")
    func absent() async throws {
      try await FailureBench.withAccount { bench, _ in
        let path = bench.folder + "/absent"
        await bench.expectRefusal(try await bench.tryMount(at: path), [path, "mkdir"], at: path)
        #expect(access(path, F_OK) != 0)
      }
    }

    @Test("A file as mountpoint is refused")
    func file() async throws {
      try await FailureBench.withAccount { bench, _ in
        let path = bench.folder + "/file"
        try bench.write("text", to: "file")
        await bench.expectRefusal(try await bench.tryMount(at: path), [path, "director"], at: path)
      }
    }

    @Test("A mountpoint that holds something is refused, and what it holds stays visible")
    func notEmpty() async throws {
      try await FailureBench.withAccount { bench, _ in
        try bench.write("text", to: "mnt/precious")
        await bench.expectRefusal(try await bench.tryMount(), [bench.mountpoint, "not empty"])
        #expect(readFile(bench.mountpoint + "/precious") == Array("text".utf8))
      }
    }

    @Test("A second mount at the same place is refused, and the first goes on")
    func alreadyMounted() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await bench.mount()
        let second = try await bench.tryMount()
        await bench.expectRefusal(second, [bench.mountpoint, "already", "bergfs umount"], mounts: 1)
        let listing = try await bench.shell("ls \"$M\"")
        #expect(listing.text == "sales\n", "\(listing)")
        #expect(bench.daemons.count == 1)
      }
    }

    @Test("Two catalogs at two places live and end apart")
    func twoMounts() async throws {
      try await FailureBench.withAccount { bench, _ in
        let other = bench.folder + "/other"
        mkdir(other, 0o755)
        try await bench.mount()
        try await bench.mount(at: other)
        let both = try await bench.shell("ls \"$M\" '\(other)/sales'")
        #expect(both.status == 0 && both.text.contains("sales\n") && both.text.contains("orders\n"), "\(both)")
        let umount = try await bench.bergfs(["umount", bench.mountpoint])
        #expect(umount.status == 0 && bench.mountCount(bench.mountpoint) == 0, "\(umount)")
        let rest = try await bench.shell("cat '\(other)/sales/orders/metadata/current.metadata.json'")
        #expect(rest.status == 0 && rest.text.utf8.elementsEqual(StandInAccount.metadata(of: "orders")), "\(rest)")
      }
    }

    @Test("Two commands that race for one place: one mounts, the other is refused")
    func race() async throws {
      try await FailureBench.withAccount { bench, _ in
        let racers = try (0..<2).map { _ in try bench.start(ProjectFiles.bergfs, bench.mountArguments()) }
        var results: [ProcessResult] = []
        for racer in racers { results.append(await racer.finished(within: .seconds(30))) }
        #expect(results.map(\.status).sorted() == [0, 1], "\(results)")
        #expect(bench.mountCount(bench.mountpoint) == 1)
        #expect(await eventually { bench.daemons.count == 1 }, "the loser's daemon goes on")
        #expect(try await bench.shell("ls \"$M\"").text == "sales\n")
      }
    }

    @Test("A place with blanks and foreign letters, named from where the user stands or through a link, mounts, dies and is cleared")
    func oddPlace() async throws {
      try await FailureBench.withAccount { bench, _ in
        let command = "'\(ProjectFiles.bergfs)'"
        let script = """
          set -e; mkdir 'a lake ü'; ln -s 'a lake ü' link
          \(command) mount lake 'a lake ü' --log-file log; ls 'a lake ü/sales'
          \(command) umount link; ls -A 'a lake ü'
          \(command) mount lake ./link/ --log-file log; ls link/sales
          """
        let result = try await bench.shell(script)
        #expect(result.lines == ["orders", "orders"], "\(result)\n\(String(decoding: readFile(bench.folder + "/log"), as: UTF8.self))")
        for daemon in ProcessList.processes(where: { $0.contains { $0.hasSuffix("link/") } }) { kill(daemon, SIGKILL) }
        #expect(await eventually { (try? await bench.shell("ls link/"))?.errorText.contains("not connected") == true })
        let again = try await bench.shell(
          "\(command) mount lake 'a lake ü' --log-file log && ls link/sales && \(command) umount 'a lake ü/'")
        #expect(again.status == 0 && again.lines == ["orders"], "\(again)")
        #expect(!MountTableFile.mountpoints().contains { $0.hasPrefix(bench.folder) })
      }
    }

    @Test("A dead mount answers ENOTCONN; the next mount clears it and works")
    func deadMount() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await killDaemon(of: bench)
        // A call that the death itself interrupts is told ECONNABORTED; those after it are told that nobody is there.
        #expect(try await eventually { try await bench.shell("ls \"$M\"").errorText.contains("not connected") })
        let dead = try await bench.shell("ls \"$M\"")
        #expect(dead.status != 0 && dead.errorText.contains("Transport endpoint is not connected"), "\(dead)")
        #expect(bench.mountCount(bench.mountpoint) == 1)
        try await bench.mount()
        #expect(bench.mountCount(bench.mountpoint) == 1)
        let alive = try await bench.shell("ls \"$M\"")
        #expect(alive.text == "sales\n", "\(alive)")
      }
    }

    @Test("`bergfs umount` takes a dead mount away")
    func umountDeadMount() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await killDaemon(of: bench)
        let umount = try await bench.bergfs(["umount", bench.mountpoint])
        #expect(umount.status == 0 && bench.mountCount(bench.mountpoint) == 0, "\(umount)")
      }
    }

    @Test("A mountpoint below a dead mount is one sentence, and the dead mount stays as it is")
    func belowDeadMount() async throws {
      try await FailureBench.withAccount { bench, _ in
        try await killDaemon(of: bench)
        let path = bench.mountpoint + "/sales"
        let result = try await bench.tryMount(at: path)
        await bench.expectRefusal(result, [path], at: path)
        #expect(bench.mountCount(bench.mountpoint) == 1)
      }
    }

    @Test("A dead mount is not cleared for a mount that cannot work anyway")
    func deadMountAndBadKeys() async throws {
      try await FailureBench.withAccount { bench, account in
        try await killDaemon(of: bench)
        account.setFault { _ in StandInAccount.jsonError(400, "AccessDeniedException", "not authorized") }
        let result = try await bench.tryMount()
        #expect(
          result.status == 1 && result.errorText.split(separator: "\n").count == 1 && result.errorText.contains("not authorized"),
          "\(result)")
        #expect(bench.daemons.isEmpty)
      }
    }

    /// What takes the place of `/dev/fuse` in a mount namespace of the command's own.
    @Test(
      "Without a FUSE device the sentence says what to load or to allow",
      arguments: [
        "mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9",
        "touch empty && mount --bind empty /dev/fuse",
      ])
    func noDevice(preparation: String) async throws {
      try await FailureBench.withAccount { bench, _ in
        let command = ([ProjectFiles.bergfs] + bench.mountArguments()).map { "'\($0)'" }.joined(separator: " ")
        try bench.write("\(preparation) && exec \(command)\n", to: "without-device")
        let result = try await bench.shell("unshare -m --propagation slave /bin/bash without-device")
        await bench.expectRefusal(result, ["/dev/fuse"])
      }
    }

    /// Mounts, and kills the daemon so that its mount stays.
    private func killDaemon(of bench: FailureBench) async throws {
      try await bench.mount()
      let pids = bench.daemons
      try #require(pids.count == 1)
      kill(pids[0], SIGKILL)
      #expect(await eventually { bench.daemons.isEmpty })
      #expect(bench.mountCount(bench.mountpoint) == 1)
    }
  }
}
