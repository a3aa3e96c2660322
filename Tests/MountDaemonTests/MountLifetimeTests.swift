// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Logging
import Processes
import Synchronization
import Telemetry
import Testing

@testable import MountDaemon

@Suite(.serialized)
struct MountLifetimeTests {
  private var quiet: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }

  private func directory() throws -> String {
    var template = Array("/tmp/bergfs-lifetime-test.XXXXXX".utf8CString)
    return try template.withUnsafeMutableBufferPointer { try #require($0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }) }
  }

  private func session(_ path: String) throws -> FuseSession {
    let session = FuseSession(
      fileSystem: EmptyFileSystem(), mountpoint: path, options: FuseMountOptions(source: "bergfs#lake"), metrics: Metrics(), logger: quiet)
    try session.mount()
    return session
  }

  private func offPool<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async throws -> Value {
    try #require(await NamedThread.run("test-blocking", body))
  }

  /// Serves a mount while `body` runs; `body` sees to its end.
  private func serving(_ path: String, _ body: (AsyncStream<DaemonSignal>.Continuation) async throws -> Void) async throws {
    let session = try session(path)
    let (signals, sender) = AsyncStream.makeStream(of: DaemonSignal.self)
    let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
    let logger = quiet
    let running = Task {
      try await MountLifetime(session: session, logger: logger).run(signals: signals) {
        isReady.finish()
        return true
      }
    }
    for await _ in ready {}
    try await body(sender)
    try await running.value
    #expect(MountTable.current().mount(at: path) == nil)
    #expect(rmdir(path) == 0)
  }

  @Test("A signal unmounts and ends the session")
  func terminate() async throws {
    try await serving(try directory()) { signals in signals.yield(.terminate) }
  }

  @Test("A signal while a directory of the mount is open detaches the mount and ends the session all the same")
  func terminateBusy() async throws {
    let path = try directory()
    let descriptor = Mutex<Int32>(-1)
    try await serving(path) { signals in
      let opened = try await offPool { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
      descriptor.withLock { $0 = opened }
      signals.yield(.terminate)
    }
    close(descriptor.withLock { $0 })
  }

  @Test("A mount whose starter is gone ends again")
  func abandoned() async throws {
    let path = try directory()
    let (signals, _) = AsyncStream.makeStream(of: DaemonSignal.self)
    try await MountLifetime(session: try session(path), logger: quiet).run(signals: signals) { false }
    #expect(MountTable.current().mount(at: path) == nil)
    #expect(rmdir(path) == 0)
  }

  @Test("umount of a busy mount names who holds it, and works once it is free; mounting over a mount is refused")
  func umount() async throws {
    let path = try directory()
    let logger = quiet
    try await serving(path) { _ in
      let descriptor = try await offPool { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
      let holder = try await offPool { ChildProcess.run("/bin/bash", ["-c", "cd '\(path)'; sleep 30 >/dev/null 2>&1 & echo $!"]).output }
      let pid = try #require(pid_t(holder.prefix { $0 != "\n" }))
      let busy = try await offPool { failure { _ = try Unmounter.unmount(path) } }
      #expect(busy == "\(path) is busy, held by sleep (pid \(pid), working directory)")
      let taken = try await offPool { failure { _ = try Mountpoint.prepare(path, logger: logger) } }
      #expect(
        taken == "\(path) is mounted already (bergfs#lake): choose another directory or run bergfs umount \(path)")
      kill(pid, SIGKILL)
      close(descriptor)
      let deadline = ContinuousClock.now + .seconds(60)
      var last: String? = ""
      while last != nil, ContinuousClock.now < deadline {
        last = try await offPool { failure { _ = try Unmounter.unmount(path) } }
      }
      #expect(last == nil)
    }
  }

  @Test("A mount that does not answer holds up neither status, umount nor the next mount, and each says so")
  func silent() async throws {
    let path = try directory()
    let logger = quiet
    // Mounted and served by nobody yet: every call on it waits.
    let session = try session(path)
    let answer = try await offPool { MountAnswer.ask(path, within: .milliseconds(200)) }
    #expect(answer == .silent)
    let reports = await MountReport.all(at: path, patience: .milliseconds(200))
    #expect(reports.count == 1 && !reports[0].isGood)
    let busy = try await offPool { failure { _ = try Unmounter.unmount(path) } }
    #expect(busy?.hasPrefix("\(path) does not answer and stays mounted: its daemon") == true, "\(busy ?? "")")
    let taken = try await offPool { failure { _ = try Mountpoint.prepare(path, logger: logger) } }
    #expect(taken?.hasPrefix("\(path) is mounted already (bergfs#lake) and does not answer: ") == true, "\(taken ?? "")")
    try await expectCleared(path, false)
    try await session.unmount(lazily: true)
    #expect(rmdir(path) == 0)
  }

  private func expectCleared(_ path: String, _ expected: Bool) async throws {
    let outcome = try await offPool { Result { () throws(LifecycleError) in try Unmounter.clearIfDead(path) } }
    let isCleared = try outcome.get()
    #expect(isCleared == expected)
  }

  @Test("Only a dead mount is cleared as stale; what lives, or is none, is left alone")
  func stale() async throws {
    let path = try directory()
    try await expectCleared(path, false)
    _ = try session(path)
    try await expectCleared(path, true)
    try await serving(path) { signals in
      try await expectCleared(path, false)
      signals.yield(.terminate)
    }
  }

  @Test("A dead mount is cleared by umount, and by the next mount's check")
  func deadMount() async throws {
    let path = try directory()
    let logger = quiet
    // Let go without unmounting, as a killed daemon does.
    _ = try session(path)
    let outcome = try await offPool { Result { () throws(LifecycleError) in try Unmounter.unmount(path) } }
    #expect(try outcome.get() == .clearedDeadMount)
    _ = try session(path)
    let prepared = try await offPool { Result { () throws(LifecycleError) in try Mountpoint.prepare(path, logger: logger) } }
    #expect(try prepared.get().path == path)
    #expect(MountTable.current().mount(at: path) == nil)
    #expect(rmdir(path) == 0)
  }
}

/// The sentence of a failure; nil for success.
private func failure(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return (error as? LifecycleError)?.message ?? "\(error)"
  }
}
