// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Logging
import Processes
import Telemetry
import Testing

@Suite(.serialized)
struct MountedLifetimeTests {
  @Test("Lookup counts and handles are balanced after the caches are dropped and the mount is gone", arguments: [false, true])
  func forgetBalance(suspends: Bool) async throws {
    let fileSystem = MemoryFileSystem(
      [
        1: .files([("many", 2), ("file", 3)]), 2: .generatedDirectory(count: 5_000, firstInode: 10),
        3: .bytes(.init([1, 2, 3])),
      ], suspends: suspends)
    try await TestMount.with(fileSystem) { mount in
      _ = await mount.shell("ls -lR $M; cat $M/file; stat $M/many/f000001; ls -f $M/many | head -1")
      // An open file keeps its inode, whoever else drops the machine's caches meanwhile.
      // No server that another test starts at this moment may inherit it.
      let descriptor = try await mount.blocking { open("\($0)/file", O_RDONLY | O_CLOEXEC) }
      #expect(fileSystem.count(\.lookups).values.contains { $0 > 0 })
      close(descriptor)
      // The kernel keeps what somebody holds at the very moment, so it may have to be asked again.
      var isBalanced = false
      for _ in 0..<5 where !isBalanced {
        _ = await mount.shell("echo 2 > /proc/sys/vm/drop_caches")
        isBalanced = await eventually { fileSystem.count(\.lookups).values.allSatisfy { $0 == 0 } }
      }
      #expect(isBalanced)
      #expect(await eventually { fileSystem.count(\.openFiles) == 0 && fileSystem.count(\.openDirectories) == 0 })
    }
  }

  @Test("A killed reader cancels the read it waits for, and ends at once")
  func killedReader() async throws {
    let fileSystem = MemoryFileSystem([1: .files([("slow", 2)]), 2: .waiting])
    try await TestMount.with(fileSystem) { mount in
      let run = Task { await mount.shell("timeout -s KILL 0.2 cat $M/slow") }
      #expect(await eventually { fileSystem.count(\.waitingReads) > 0 })
      #expect(await run.value.status == 137)
      #expect(await eventually { fileSystem.count(\.cancelledReads) > 0 })
      #expect(await eventually { mount.metrics.value(.operations, "read", "EINTR") > 0 })
    }
  }

  @Test("A signal that the reader catches does not cancel its read; a deadly one after it does")
  func caughtSignal() async throws {
    let fileSystem = MemoryFileSystem([1: .files([("slow", 2)]), 2: .waiting])
    try await TestMount.with(fileSystem) { mount in
      let note = "\(mount.path).pid"
      defer { unlink(note) }
      // The mask first: children of a pool thread inherit one that blocks every signal.
      let script = """
        import os, signal; signal.pthread_sigmask(signal.SIG_SETMASK, []); signal.signal(10, lambda *a: None)
        open('\(note)', 'w').write(str(os.getpid())); open('$M/slow', 'rb').read()
        """
      let run = Task { await mount.shell("exec python3 -c \"\(script)\"") }
      #expect(await eventually { fileSystem.count(\.waitingReads) > 0 })
      let pid = try #require(SmallFile.read(note).flatMap { pid_t(String(decoding: $0, as: UTF8.self)) })
      kill(pid, SIGUSR1)
      #expect(await eventually { mount.session.harmlessSignals > 0 })
      #expect(fileSystem.count(\.cancelledReads) == 0)
      kill(pid, SIGKILL)
      #expect(await run.value.status == 137)
      #expect(fileSystem.count(\.cancelledReads) > 0)
    }
  }

  @Test("Unmounting with a file open is busy; a lazy one succeeds, and the open file stays readable until exit")
  func busyUnmount() async throws {
    let fileSystem = smallTree()
    try await TestMount.with(fileSystem) { mount in
      let descriptor = try await mount.blocking { open("\($0)/hello", O_RDONLY | O_CLOEXEC) }
      await #expect(throws: FuseError.self) { try await mount.session.unmount() }
      do { try await mount.session.unmount() } catch { #expect((error as? FuseError)?.code == .busy) }
      try await mount.session.unmount(lazily: true)
      #expect(MountTable.current().mount(at: mount.path) == nil)
      let count = try await mount.blocking { _ in
        var buffer = [UInt8](repeating: 0, count: 64)
        return pread(descriptor, &buffer, 64, 0)
      }
      #expect(count == 12)
      close(descriptor)
      do { try await mount.session.unmount() } catch { #expect((error as? FuseError)?.code == .notMounted) }
    }
  }

  @Test("Exit ends a session whose mount is still there and whose requests still wait")
  func exitWhileWaiting() async throws {
    let fileSystem = MemoryFileSystem([1: .files([("slow", 2)]), 2: .waiting])
    let path = try TestMount.temporaryDirectory()
    defer { rmdir(path) }
    let run: Task<ChildProcess?, Never>
    do {
      let session = FuseSession(
        fileSystem: fileSystem, mountpoint: path, options: FuseMountOptions(source: "bergfs#test"), metrics: Metrics(), logger: quiet)
      try session.mount()
      let running = Task { try await session.run() }
      run = Task { await NamedThread.run("test-cat") { ChildProcess.run("cat", ["\(path)/slow"]) } }
      #expect(await eventually { fileSystem.count(\.waitingReads) > 0 })
      session.exit()
      session.exit()
      try await running.value
    }
    // The last request's answer destroys the session, whose descriptor then closes: the kernel ends the reader.
    #expect(await run.value?.status == 1)
    #expect(fileSystem.count(\.cancelledReads) > 0)
    try Unmounting.unmount(path, lazily: true)
  }

  @Test("Invalidated entries are looked up again")
  func invalidation() async throws {
    let fileSystem = smallTree()
    try await TestMount.with(fileSystem) { mount in
      _ = await mount.shell("stat $M/hello; stat $M/hello")
      #expect(fileSystem.count(\.lookupRequests) == 1)
      let notifier = mount.session.notifier
      #expect(await notifier.invalidateEntry(parent: 1, name: Array("hello".utf8)) == nil)
      #expect(await notifier.invalidateInodes([2]) == nil)
      #expect(await notifier.invalidateEntry(parent: 1, name: Array("unknown".utf8)) == nil)
      _ = await mount.shell("stat $M/hello")
      #expect(fileSystem.count(\.lookupRequests) == 2)
    }
  }

  @Test("Inodes that the kernel is asked to let go of are forgotten and looked up again; one that is open stays")
  func dropping() async throws {
    let fileSystem = smallTree()
    try await TestMount.with(fileSystem) { mount in
      _ = await mount.shell("cat $M/hello")
      let inode = try #require(fileSystem.count(\.lookups).first { $0.value > 0 && $0.key != 1 }?.key)
      let entry = (inode: inode, parent: UInt64(1), name: Array("hello".utf8))
      let holder = open("\(mount.path)/hello", O_RDONLY | O_CLOEXEC)
      try #require(holder >= 0)
      #expect(await mount.session.notifier.drop([entry]) == nil)
      var byte: UInt8 = 0
      #expect(read(holder, &byte, 1) == 1)
      close(holder)
      #expect(await mount.session.notifier.drop([entry, (inode: 4_711, parent: 1, name: Array("unknown".utf8))]) == nil)
      #expect(await eventually { fileSystem.count(\.lookups)[inode] == 0 })
      #expect(await mount.shell("cat $M/hello").status == 0)
    }
  }

  @Test("Mounting on a path that is not there is refused with a sentence")
  func refusedMount() async throws {
    let session = FuseSession(
      fileSystem: smallTree(), mountpoint: "/nowhere/at/all", options: FuseMountOptions(source: "x"), metrics: Metrics(), logger: quiet)
    let error = #expect(throws: FuseError.self) { try session.mount() }
    #expect(error?.message == "cannot mount on /nowhere/at/all: No such file or directory")
  }

  private var quiet: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }
}
