// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Processes
import Synchronization
import Telemetry
import Testing

/// How the kernel and the bridge treat the answers to changes.
@Suite(.serialized)
struct MountedRequestTests {
  private final class Notes: Sendable {
    let notifier = Mutex<FuseNotifier?>(nil)
    let results = Mutex<[Errno?]>([])
  }

  /// Two files, `f` and `k`, a directory `d`, and the change that each operation makes.
  private static let changes: [(FuseOperation, String)] = [
    (.create, "os.open('$M/new', os.O_WRONLY | os.O_CREAT)"), (.open, "os.open('$M/f', os.O_WRONLY)"),
    (.write, "os.pwrite(h, b'x', 0)"), (.fsync, "os.fsync(h)"), (.flush, "os.close(h)"), (.setattr, "os.chmod('$M/f', 0o600)"),
    (.mkdir, "os.mkdir('$M/new')"), (.rmdir, "os.rmdir('$M/d')"), (.unlink, "os.unlink('$M/f')"), (.rename, "os.rename('$M/f', '$M/g')"),
    (.copyFileRange, "os.copy_file_range(s, h, 1)"),
  ]

  /// Makes the files and the directory, then one change that fails with `number`; what the caller saw and how often it was asked.
  private func attempt(_ operation: FuseOperation, _ call: String, _ number: Int32) async throws -> (output: String, requests: Int) {
    let fileSystem = WritableFileSystem()
    let answer = Mutex<(String, Int)>(("", 0))
    try await TestMount.writable(fileSystem) { mount in
      _ = await mount.shell("echo x > $M/f; echo y > $M/k; mkdir $M/d")
      // Opened first, so that only the change itself meets the error.
      let note = "\(mount.path).ready"
      let script = """
        h = os.open('$M/f', os.O_RDWR); s = os.open('$M/k', os.O_RDONLY)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        with open('\(note)', 'w') as n: n.write(f'{os.getpid()}.')
        signal.sigwait([signal.SIGUSR1])
        try: \(call); print('OK')
        except OSError as error: print(errno.errorcode[error.errno])
        sys.stdout.flush()
        """
      let run = Task { await mount.python(script) }
      defer { unlink(note) }
      let writer = {
        SmallFile.read(note).map { String(decoding: $0, as: UTF8.self) }.flatMap { $0.last == "." ? pid_t($0.dropLast()) : nil }
      }
      #expect(await eventually { writer() != nil })
      let pid = try #require(writer())
      fileSystem.forgetEvents()
      fileSystem.fail(operation, with: number)
      kill(pid, SIGUSR1)
      let output = await run.value.output
      #expect(await eventually { fileSystem.openHandles == 0 })
      let requests = fileSystem.events.count { $0.operation == operation && $0.state == .running }
      answer.withLock { $0 = (output, operation == .write || operation == .copyFileRange ? fileSystem.count(operation) : requests) }
    }
    return answer.withLock { ($0.0, $0.1) }
  }

  @Test("The error of a change reaches its caller", arguments: [EIO, ENOSPC, EBUSY])
  func errors(number: Int32) async throws {
    for (operation, call) in Self.changes {
      let seen = try await attempt(operation, call, number)
      #expect(seen.output == "\(Errno(rawValue: number).name)\n" && seen.requests == 1, "\(operation)")
    }
  }

  @Test("After ESTALE the kernel asks exactly once more where it walks a path, and never where it has a handle")
  func staleAnswers() async throws {
    var requests: [FuseOperation: Int] = [:]
    for (operation, call) in Self.changes {
      let seen = try await attempt(operation, call, ESTALE)
      #expect(seen.output == "ESTALE\n", "\(operation)")
      requests[operation] = seen.requests
    }
    #expect(
      requests == [
        .create: 2, .open: 2, .mkdir: 2, .rmdir: 2, .unlink: 2, .rename: 2, .setattr: 2, .flush: 1, .fsync: 1, .write: 1, .copyFileRange: 1,
      ])
  }

  @Test("While a rename waits, other directories are listed and written, and open files are read")
  func slowRename() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      _ = await mount.shell("mkdir $M/a $M/b; echo x > $M/a/f; echo open > $M/a/o; echo other > $M/b/p")
      let descriptor = try await mount.blocking { open("\($0)/a/o", O_RDONLY | O_CLOEXEC) }
      defer { close(descriptor) }
      fileSystem.hold(.rename)
      let rename = Task { await mount.shell("mv $M/a/f $M/a/g") }
      #expect(await eventually { fileSystem.count(.rename) == 1 })
      #expect(await mount.shell("ls $M/b; cat $M/b/p; echo new > $M/b/q; cat $M/b/q").output == "p\nother\nnew\n")
      let bytes = try await mount.blocking { _ in
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &buffer, 16, 0)
        return Array(buffer.prefix(max(0, count)))
      }
      #expect(bytes == Array("open\n".utf8))
      fileSystem.letGo(.rename)
      #expect(await rename.value.status == 0)
      #expect(await mount.shell("ls $M/a").output == "g\no\n")
    }
  }

  @Test("A notification about the directory, queued before the answer to a rename in it, waits for that answer and is done after it")
  func queuedNotification() async throws {
    let notes = Notes()
    let fileSystem = WritableFileSystem { parent, name in
      guard let notifier = notes.notifier.withLock({ $0 }) else { return }
      Task {
        let result = await notifier.invalidateEntry(parent: parent, name: name)
        notes.results.withLock { $0.append(result) }
      }
    }
    try await TestMount.writable(fileSystem) { mount in
      notes.notifier.withLock { $0 = mount.session.notifier }
      #expect(await mount.shell("mkdir $M/d; for i in $(seq 30); do echo $i > $M/d/x; mv $M/d/x $M/d/y; done; cat $M/d/y").output == "30\n")
      #expect(await eventually { notes.results.withLock { $0.count } == 30 })
      #expect(notes.results.withLock { $0.allSatisfy { $0 == nil } })
      notes.notifier.withLock { $0 = nil }
    }
  }

  @Test("A killed caller cancels its change, and the filesystem's own error stands")
  func killedChange() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      _ = await mount.shell("echo x > $M/f")
      fileSystem.hold(.rename)
      let run = Task { await mount.python("os.rename('$M/f', '$M/g')") }
      #expect(await eventually { fileSystem.count(.rename) == 1 })
      let caller = try #require(fileSystem.events.first { $0.operation == .rename }?.caller)
      kill(caller.thread, SIGKILL)
      #expect(await run.value.status == 137)
      #expect(await eventually { mount.metrics.value(.operations, "rename", "ETIMEDOUT") == 1 })
      #expect(mount.metrics.value(.operations, "rename", "EINTR") == 0)
    }
  }

  @Test("A created file whose answer nobody takes is released and forgotten")
  func untakenCreate() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      fileSystem.hold(.create)
      let run = Task { await mount.shell("echo x > $M/f") }
      #expect(await eventually { fileSystem.count(.create) == 1 })
      // As root a forced unmount aborts the connection, whatever is in use.
      _ = await mount.shell("umount -f $M")
      #expect(await run.value.status != 0)
      fileSystem.letGo(.create)
      #expect(await eventually { fileSystem.count(.release) == 1 })
      #expect(fileSystem.openHandles == 0)
      #expect(await eventually { fileSystem.heldLookups == 0 })
    }
  }

  @Test("Lookups and handles of files that were made are balanced in the end")
  func balance() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      _ = await mount.shell("mkdir $M/d; for i in 1 2 3; do echo $i > $M/d/$i; mv $M/d/$i $M/d/n$i; done; cp $M/d/n1 $M/c; rm -r $M/d")
      var isBalanced = false
      for _ in 0..<5 where !isBalanced {
        _ = await mount.shell("echo 2 > /proc/sys/vm/drop_caches")
        isBalanced = await eventually { fileSystem.heldLookups == 0 }
      }
      #expect(isBalanced)
      #expect(fileSystem.state.withLock { $0.lookups.values.allSatisfy { $0 == 0 } })
      #expect(fileSystem.openHandles == 0)
    }
  }
}
