// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A process that is not our child, held by a pidfd, so that its number cannot be given to another one meanwhile.
struct ProcessDescriptor: ~Copyable {
  private let descriptor: Int32

  /// Nil if there is no such process.
  init?(_ process: pid_t) {
    descriptor = pidfd_open(process, 0)
    guard descriptor >= 0 else { return nil }
  }

  deinit {
    close(descriptor)
  }

  /// Waits for the end of the process; false if it outlives the patience.
  borrowing func waitForEnd(_ patience: Duration) -> Bool {
    let deadline = ContinuousClock.now + patience
    while true {
      let left = ContinuousClock.now.duration(to: deadline).components
      let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
      var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let result = poll(&polled, 1, Int32(clamping: max(milliseconds, 0)))
      if result > 0 { return true }
      if result == 0 || errno != EINTR { return false }
    }
  }
}
