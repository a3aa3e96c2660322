// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Processes
import Testing

/// What a flush tells of the process that closes.
@Suite(.serialized)
struct MountedCallerTests {
  @Test(
    "A flush of a killed writer is told from a close and from a plain exit",
    arguments: [
      ("os.kill(os.getpid(), signal.SIGKILL)", CallerProcess.State.killed(signal: SIGKILL)),
      ("signal.signal(signal.SIGINT, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGINT)", .killed(signal: SIGINT)),
      ("ctypes.string_at(0)", .killed(signal: SIGSEGV)),
      ("os._exit(3)", .exitingByItself), ("os._exit(0)", .exitingByItself), ("sys.exit(1)", .exitingByItself),
      ("os.close(d)", .running), ("os.dup2(2, d)", .running), ("signal.raise_signal(signal.SIGCHLD); os.close(d)", .running),
      // One thread ends all: the others are killed by the kernel, yet nobody was killed.
      ("threading.Thread(target=time.sleep, args=(600,), daemon=True).start(); os._exit(3)", .exitingByItself),
      ("threading.Thread(target=time.sleep, args=(600,)).start(); os.kill(os.getpid(), signal.SIGKILL)", .killed(signal: SIGKILL)),
    ])
  func ends(ending: String, state: CallerProcess.State) async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      _ = await mount.python("d = os.open('$M/f', os.O_WRONLY | os.O_CREAT, 0o600)\nos.write(d, b'half')\n\(ending)")
      #expect(await eventually { fileSystem.openHandles == 0 })
      #expect(fileSystem.log == ["create f w,creat 600", "write f 0+4", "flush f", "release f"])
      #expect(fileSystem.events.first { $0.operation == .flush }?.state == state)
    }
  }

  @Test("A thread that is not the first belongs to its process, for opening, writing and closing")
  func threads() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      let result = await mount.python(
        """
        def work():
            with open('$M/f', 'w') as f: f.write('x')
            print(os.getpid(), threading.get_native_id())
        t = threading.Thread(target=work); t.start(); t.join()
        """)
      let numbers = result.output.split { $0 == " " || $0 == "\n" }.compactMap { Int32($0) }
      try #require(numbers.count == 2 && numbers[0] != numbers[1], "\(result)")
      for operation in [FuseOperation.create, .flush] {
        let event = try #require(fileSystem.events.first { $0.operation == operation })
        #expect(event.caller == FuseCaller(thread: numbers[1], uid: getuid(), gid: getgid()))
        #expect(event.process == numbers[0])
        #expect(event.state == .running)
      }
    }
  }

  @Test("A request carries the user and the group of its caller", .enabled(if: geteuid() == 0))
  func users() async throws {
    let fileSystem = WritableFileSystem()
    let options = FuseMountOptions(source: "bergfs#test", isReadOnly: false, allowsOther: true)
    try await TestMount.with(fileSystem, options: options) { mount in
      let script = "os.chmod('$M', 0o777); os.setgroups([]); os.setgid(5); os.setuid(6); os.close(os.open('$M/f', os.O_RDWR | os.O_CREAT))"
      #expect(await mount.python(script).errors == "")
      for operation in [FuseOperation.create, .flush] {
        let caller = fileSystem.events.first { $0.operation == operation }?.caller
        #expect(caller?.uid == 6 && caller?.gid == 5)
      }
    }
  }

  @Test("A child that holds the descriptor flushes as a process of its own, also when the opener is gone")
  func forks() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      let result = await mount.python(
        """
        d = os.open('$M/f', os.O_WRONLY | os.O_CREAT)
        r, w = os.pipe()
        if os.fork() == 0:
            os.close(w)
            os.read(r, 1)   # ends when the parent has ended
            os.write(d, b'late'); os.close(d); os._exit(0)
        print(os.getpid(), flush=True)
        os._exit(0)
        """)
      let opener = try #require(Int32(result.output.dropLast()))
      #expect(await eventually { fileSystem.openHandles == 0 })
      let created = try #require(fileSystem.events.first { $0.operation == .create })
      #expect(created.process == opener)
      let flushes = fileSystem.events.filter { $0.operation == .flush }
      try #require(flushes.count == 2)
      #expect(flushes[0].process == opener && flushes[0].state == .exitingByItself)
      #expect(flushes[1].process != nil && flushes[1].process != opener && flushes[1].state == .running)
      #expect(!CallerProcess.isAlive(process: opener))
      #expect(CallerProcess.state(ofThread: opener) == .gone)
      // The kernel says nobody at release.
      #expect(fileSystem.events.last?.operation == .release)
    }
  }

  @Test("A process that lives is known by its start, a zombie is not alive, and an id that nobody has is gone")
  func lifetimes() async throws {
    let own = try #require(ProcessIdentity(of: getpid()))
    #expect(CallerProcess.isAlive(own) && CallerProcess.isAlive(process: getpid()))
    #expect(!CallerProcess.isAlive(ProcessIdentity(pid: own.pid, startTime: own.startTime + 1)))
    #expect(CallerProcess.state(ofThread: getpid()) == .running)
    #expect(CallerProcess.state(ofThread: 0) == .unknown)
    #expect(CallerProcess.process(ofThread: 0) == nil)
    // Above the kernel's ceiling of process ids.
    #expect(CallerProcess.state(ofThread: 1 << 23) == .gone)
    #expect(CallerProcess.process(ofThread: 1 << 23) == nil && ProcessIdentity(of: 1 << 23) == nil)
    var child = pid_t()
    try #require(CStringArray.withPointers(["true"]) { posix_spawnp(&child, "true", nil, nil, $0, environ) } == 0)
    let identity = try #require(ProcessIdentity(of: child))
    #expect(await eventually { !CallerProcess.isAlive(identity) })
    #expect(ProcessIdentity(of: child) == identity, "not reaped yet, so the id is taken")
    #expect(CallerProcess.state(ofThread: child) == .exitingByItself)
    #expect(ChildProcess.exitStatus(of: child) == 0)
    #expect(ProcessIdentity(of: child) == nil)
  }
}
