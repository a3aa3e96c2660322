// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Logging
import Processes
import Telemetry
import Testing

/// A real mount of a test filesystem in a temporary directory.
struct TestMount: Sendable {
  let path: String
  let session: FuseSession
  let metrics: Metrics

  /// Mounts, runs `body`, unmounts (lazily if `body` leaves files open), and waits for the session's end.
  static func with(
    _ fileSystem: any FuseFileSystem, options: FuseMountOptions = FuseMountOptions(source: "bergfs#test"),
    _ body: @Sendable (TestMount) async throws -> Void
  ) async throws {
    let path = try temporaryDirectory()
    defer { rmdir(path) }
    let metrics = Metrics()
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let session = FuseSession(fileSystem: fileSystem, mountpoint: path, options: options, metrics: metrics, logger: logger)
    try session.mount()
    let (ready, signal) = AsyncStream.makeStream(of: Void.self)
    let running = Task { try await session.run { signal.finish() } }
    for await _ in ready {}
    let mount = TestMount(path: path, session: session, metrics: metrics)
    do {
      try await body(mount)
    } catch {
      await finish(session)
      try? await running.value
      throw error
    }
    await finish(session)
    try await running.value
  }

  /// Mounts a filesystem that changes.
  static func writable(_ fileSystem: any FuseFileSystem, _ body: @Sendable (TestMount) async throws -> Void) async throws {
    try await with(fileSystem, options: FuseMountOptions(source: "bergfs#test", isReadOnly: false), body)
  }

  private static func finish(_ session: FuseSession) async {
    try? await session.unmount(lazily: true)
    session.exit()
  }

  static func temporaryDirectory() throws -> String {
    var template = Array("/tmp/bergfs-fuse-test.XXXXXX".utf8CString)
    return try template.withUnsafeMutableBufferPointer { buffer in
      let path = try #require(buffer.baseAddress.flatMap { mkdtemp($0) })
      return String(cString: path)
    }
  }

  /// Runs a shell command with the mount as `$M`, off the cooperative pool.
  func shell(_ command: String) async -> ChildProcess {
    let path = path
    let result = await NamedThread.run("test-shell") { ChildProcess.run("/bin/bash", ["-c", "M='\(path)'; \(command)"]) }
    return result ?? ChildProcess.run("", [])
  }

  /// Runs a Python script in which `$M` stands for the mount. Children of a pool thread inherit a mask that blocks every signal, so it goes first.
  func python(_ script: String) async -> ChildProcess {
    let head = "import ctypes, errno, os, signal, sys, threading, time\nsignal.pthread_sigmask(signal.SIG_SETMASK, [])\n"
    let text = head + script.split(separator: "$M", omittingEmptySubsequences: false).joined(separator: path)
    return await NamedThread.run("test-python") { ChildProcess.run("python3", ["-c", text]) } ?? ChildProcess.run("", [])
  }

  /// Runs file calls on a thread of their own: on the pool they would wait for a mount that the pool serves.
  func blocking<Value: Sendable>(_ body: @escaping @Sendable (String) -> Value) async throws -> Value {
    let path = path
    return try #require(await NamedThread.run("test-blocking") { body(path) })
  }
}

/// Waits until a condition holds, for at most a minute.
func eventually(_ condition: () -> Bool) async -> Bool {
  let deadline = ContinuousClock.now + .seconds(60)
  while ContinuousClock.now < deadline {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(2))
  }
  return condition()
}
