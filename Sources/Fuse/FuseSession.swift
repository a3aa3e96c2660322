// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc
package import Logging
import Processes
import Synchronization
package import Telemetry

/// A mount: makes it, serves the kernel's requests from threads of its own, takes it away.
///
/// The life of one: `mount()`, then `run()`, which returns when the mount is gone or after ``exit()``. Requests that still wait then are
/// cancelled; the last answer, not `run()`, frees libfuse's memory.
package final class FuseSession: Sendable {
  /// The path as the kernel has it: absolute, without symbolic links. Before ``mount()``, as it was given.
  package var mountpoint: String { state.withLock { $0.mountpoint } }

  private struct State {
    var mountpoint: String
    var device: String?
    var loop: pthread_t?
    var isLooping = false
    var isExiting = false
  }

  /// Wakes libfuse's loop, whose only way out is an interrupted sem_wait(3). A signal that nobody else uses and whose default is to do nothing.
  private static let wakeSignal = SIGURG
  /// How often the loop is woken until it has ended: the first signal may come between its look at the flag and its wait.
  private static let wakeInterval: UInt32 = 5_000

  private let bridge: FuseBridge
  private let state: Mutex<State>

  package init(
    fileSystem: any FuseFileSystem, mountpoint: String, options: FuseMountOptions, metrics: Metrics, logger: Logger
  ) {
    bridge = FuseBridge(fileSystem: fileSystem, options: options, metrics: metrics, logger: logger)
    state = Mutex(State(mountpoint: mountpoint))
  }

  /// Tells the kernel to forget entries and pages.
  package var notifier: FuseNotifier { FuseNotifier(bridge: bridge) }

  /// Number of requests that wait for something now.
  package var waitingRequests: Int { bridge.interrupts.count }

  /// How often a signal of a waiting caller was looked at and found to be none that ends it.
  package var harmlessSignals: Int { bridge.interrupts.harmlessSignals }

  /// Mounts. Until ``run()`` serves it, every access to the mount waits.
  ///
  /// - Throws: `noDevice` without /dev/fuse, `refused` if the kernel or fusermount3 says no.
  package func mount() throws(FuseError) {
    try MountCheck.device()
    if bridge.options.allowsOther { try MountCheck.allowOther() }
    FuseLog.install(bridge.logger)
    _ = FuseLog.takeLastError()
    guard let resolved = realpath(mountpoint, nil) else {
      throw FuseError(.refused, "cannot mount on \(mountpoint): \(SystemError.text(errno))", errno: errno)
    }
    let path = String(cString: resolved)
    free(resolved)
    guard bridge.open(), let session = bridge.current else {
      throw FuseError(.refused, "libfuse refused the mount options: \(FuseLog.takeLastError())", errno: EINVAL)
    }
    guard fuse_session_mount(session.pointer, path) == 0 else {
      throw MountCheck.refusal(path: path, reason: FuseLog.takeLastError())
    }
    let device = MountTable.current().mount(at: path)?.device
    state.withLock { state in
      state.mountpoint = path
      state.device = device
    }
  }

  /// Serves requests until the mount is gone or ``exit()`` is called.
  ///
  /// - Parameter ready: called once, on a thread of its own, when the mount has answered its first request.
  /// - Throws: `broken` if the connection to the kernel failed.
  package func run(ready: @escaping @Sendable () -> Void = {}) async throws(FuseError) {
    guard let session = bridge.current else { throw FuseError(.notMounted, "\(mountpoint) is not mounted") }
    // Claimed before the thread runs, so that an exit from now on knows that there is a loop to wake.
    state.withLock { $0.isLooping = true }
    let (path, device) = state.withLock { ($0.mountpoint, $0.device) }
    let (kibibytes, logger) = (bridge.options.readAheadKiB, bridge.logger)
    // Holds nothing of the session: where no answer comes any more, the end of the session is what ends its wait.
    let isStarted = NamedThread.start("bergfs-ready") {
      Self.prepare(path, device: device, readAheadKiB: kibibytes, logger: logger, ready)
    }
    // libfuse's workers are made by this thread and inherit its name.
    let result = await NamedThread.run("bergfs-fuse") { self.loop(session) }
    bridge.interrupts.cancelAll()
    guard isStarted, let result else {
      throw FuseError(.broken, "no thread left to serve \(mountpoint)", errno: EAGAIN)
    }
    if result < 0 {
      throw FuseError(.broken, "the connection to the kernel failed: \(SystemError.text(-result))", errno: -result)
    }
  }

  /// Ends ``run()`` soon, whether or not the mount is still there. Safe from any thread, any number of times.
  package func exit() {
    guard let session = bridge.current else { return }
    let mustWake = state.withLock { state in
      defer { state.isExiting = true }
      return state.isLooping && !state.isExiting
    }
    fuse_session_exit(session.pointer)
    guard mustWake else { return }
    let isStarted = NamedThread.start("bergfs-exit") {
      while self.wakeLoop() { usleep(Self.wakeInterval) }
    }
    if !isStarted { _ = wakeLoop() }
  }

  /// Takes the mount away; ``run()`` then ends by itself, or, after a lazy one, when the last open file is closed.
  ///
  /// - Parameter lazily: detaches it even if files are open.
  /// - Throws: `busy` if files are open, `notMounted` if it is gone already.
  package func unmount(lazily: Bool = false) async throws(FuseError) {
    let path = mountpoint
    let result = await NamedThread.run("bergfs-umount") { () -> Result<Void, FuseError> in
      do throws(FuseError) {
        return .success(try Unmounting.unmount(path, lazily: lazily))
      } catch {
        return .failure(error)
      }
    }
    guard let result else { throw FuseError(.broken, "no thread left to unmount \(path)", errno: EAGAIN) }
    try result.get()
  }

  /// libfuse's loop; blocks its thread until the session ends.
  private func loop(_ session: FuseBridge.Session) -> Int32 {
    var action = sigaction()
    // Without SA_RESTART: the wait must be interrupted.
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(Self.wakeSignal, &action, nil)
    // The thread inherits its mask from one of the cooperative pool's, which block everything.
    var mask = sigset_t()
    sigemptyset(&mask)
    sigaddset(&mask, Self.wakeSignal)
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    state.withLock { $0.loop = pthread_self() }
    defer {
      state.withLock { state in
        state.loop = nil
        state.isLooping = false
      }
    }
    guard let configuration = fuse_loop_cfg_create() else { return -ENOMEM }
    defer { fuse_loop_cfg_destroy(configuration) }
    // A descriptor of its own for each thread keeps their requests apart in the kernel. Idle threads stay: making one costs more than it holds.
    fuse_loop_cfg_set_clone_fd(configuration, 1)
    fuse_loop_cfg_set_max_threads(configuration, bridge.options.maxThreads)
    fuse_loop_cfg_set_idle_threads(configuration, bridge.options.maxThreads)
    let result = fuse_session_loop_mt(session.pointer, configuration)
    // A positive result is the number of a signal that ended the loop, which is no failure.
    return min(result, 0)
  }

  /// Signals the loop's thread; false when the loop is over.
  private func wakeLoop() -> Bool {
    state.withLock { state in
      // The thread takes this lock before it ends, so it exists.
      if let loop = state.loop { pthread_kill(loop, Self.wakeSignal) }
      return state.isLooping
    }
  }

  /// Waits for the first answer, then sets what can only be set after it.
  private static func prepare(_ path: String, device: String?, readAheadKiB: Int, logger: Logger, _ ready: @Sendable () -> Void) {
    var statistics = statvfs()
    // Waits in the kernel until INIT has been answered; what the filesystem itself says to it does not matter.
    let result = statvfs(path, &statistics) == 0 ? 0 : errno
    guard result != ENOTCONN, result != ECONNABORTED, result != ENODEV else { return }
    if let device { ReadAhead.raise(device: device, kibibytes: readAheadKiB, logger: logger) }
    ready()
  }
}
