// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Processes
import Synchronization

/// A signal that means something to the daemon.
package enum DaemonSignal: Sendable, Hashable {
  /// SIGTERM or SIGINT: unmount and end.
  case terminate
  /// SIGHUP.
  case hangUp
}

/// The process's signals as a stream.
package enum DaemonSignals {
  /// The pipe that the handler writes to. A handler gets no context, so this stands in a static; it is set once and never closed.
  private static let pipeEnd = Atomic<Int32>(-1)

  /// Takes over SIGTERM, SIGINT and SIGHUP for the rest of the process's life, and ignores SIGPIPE.
  ///
  /// - Returns: the signals as they come; nil if it was called before or no pipe or thread is left.
  package static func listen() -> AsyncStream<DaemonSignal>? {
    guard let pipe = Pipe() else { return nil }
    guard pipeEnd.compareExchange(expected: -1, desired: pipe.writeEnd, ordering: .sequentiallyConsistent).exchanged else {
      close(pipe.readEnd)
      close(pipe.writeEnd)
      return nil
    }
    let (stream, continuation) = AsyncStream.makeStream(of: DaemonSignal.self)
    let isStarted = NamedThread.start("bergfs-signals") {
      while let bytes = Pipe.readChunk(pipe.readEnd), !bytes.isEmpty {
        for byte in bytes { continuation.yield(Int32(byte) == SIGHUP ? .hangUp : .terminate) }
      }
    }
    guard isStarted else { return nil }
    signal(SIGPIPE, SIG_IGN)
    for number in [SIGTERM, SIGINT, SIGHUP] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        // Only what signal-safety(7) allows: an atomic load and a write, errno kept.
        let saved = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(DaemonSignals.pipeEnd.load(ordering: .relaxed), &byte, 1)
        errno = saved
      }
      action.sa_flags = SA_RESTART
      sigaction(number, &action, nil)
    }
    return stream
  }
}
