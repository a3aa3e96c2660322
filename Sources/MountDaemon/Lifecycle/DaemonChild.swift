// SPDX-License-Identifier: Apache-2.0

import CLinux
import Fuse
import Glibc
import Processes
import Synchronization

/// The daemon's side of `bergfs mount`: what its parent handed over, and the way to report to it.
package final class DaemonChild: Sendable {
  /// Properties of the command line that were kept out of it.
  package let handover: DaemonHandover
  private let report: Mutex<Int32?>

  private init(handover: DaemonHandover, report: Int32) {
    self.handover = handover
    self.report = Mutex(report)
  }

  /// What the parent left for this process; nil if it was started by hand (`--foreground`).
  ///
  /// To be called once, first thing in the program, before other threads read the environment: it takes the mark out of it, so that
  /// programs started from here do not take it for theirs.
  package static func inherited() -> DaemonChild? {
    guard let value = getenv(Daemonizer.environmentKey) else { return nil }
    let descriptors = String(cString: value).split(separator: ",").compactMap { Int32($0) }
    unsetenv(Daemonizer.environmentKey)
    guard descriptors.count == 2, descriptors.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }) else { return nil }
    // It was started by /proc/self/exe, and `ps` and `pgrep` would call it `exe`.
    _ = bergfs_name_thread("bergfs")
    // A daemon whose parent is gone must see that as a failed write, not die of it.
    signal(SIGPIPE, SIG_IGN)
    let bytes = SmallFile.read(descriptor: descriptors[1]) ?? []
    close(descriptors[1])
    guard let handover = DaemonHandover(decoding: bytes) else { return nil }
    let child = DaemonChild(handover: handover, report: descriptors[0])
    child.endWithParent(fcntl(descriptors[0], F_DUPFD_CLOEXEC, 0))
    return child
  }

  /// Ends this process by SIGTERM when the parent goes before it had its report: a command that was interrupted leaves no daemon behind
  /// that waits for a silent service, and mounts long after.
  ///
  /// - Parameter descriptor: a second one for the writing end of the report's pipe, given to the thread.
  private func endWithParent(_ descriptor: Int32) {
    guard descriptor >= 0 else { return }
    let isStarted = NamedThread.start("bergfs-parent") { [self] in
      defer { close(descriptor) }
      // Of a pipe's writing end only the loss of its reader is told.
      var polled = pollfd(fd: descriptor, events: 0, revents: 0)
      while poll(&polled, 1, -1) < 0, errno == EINTR {}
      if report.withLock({ $0 }) != nil { kill(getpid(), SIGTERM) }
    }
    if !isStarted { close(descriptor) }
  }

  /// Tells the parent that the mount answers, and lets go of the terminal: the daemon leads a session of its own from now on, standard output
  /// and error go to `log` or /dev/null, the working directory becomes `/`.
  ///
  /// - Parameter log: a descriptor of the log file, if there is one; stays the caller's.
  /// - Returns: false if the parent is gone (the user pressed ^C): then the daemon must unmount and end.
  package func ready(log: Int32? = nil) -> Bool {
    setsid()
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    let target = log ?? null
    if target >= 0 {
      dup2(target, STDOUT_FILENO)
      dup2(target, STDERR_FILENO)
    }
    if null >= 0 { close(null) }
    _ = chdir("/")
    return send("ready\n")
  }

  /// Tells the parent why there will be no mount; the daemon then ends with status 1.
  package func failed(_ sentence: String) {
    _ = send("error \(sentence.split(separator: "\n").joined(separator: " "))\n")
  }

  private func send(_ line: String) -> Bool {
    guard let descriptor = report.withLock({ $0.take() }) else { return false }
    defer { close(descriptor) }
    let bytes = Array(line.utf8)
    return write(descriptor, bytes, bytes.count) == bytes.count
  }
}
