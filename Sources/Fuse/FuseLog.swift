// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc
import Logging
import Synchronization

/// Leads libfuse's own messages, which it would print to stderr, to the logger.
///
/// libfuse has one log function for the process and gives it no context, so the logger of the newest session stands in a static; a daemon
/// has one session.
enum FuseLog {
  private struct State {
    var logger: Logger?
    var lastError = ""
  }

  private static let state = Mutex(State())

  /// Routes messages to `logger` from now on.
  static func install(_ logger: Logger) {
    state.withLock { $0.logger = logger }
    fuse_set_log_func { level, format, arguments in
      guard let format, let arguments else { return }
      // A libfuse worker may be cancelled while it waits for a request, from where errors are logged too; Swift frames must not be unwound.
      var previous: Int32 = 0
      pthread_setcancelstate(Int32(PTHREAD_CANCEL_DISABLE), &previous)
      FuseLog.write(level: level, format: format, arguments: arguments)
      pthread_setcancelstate(previous, nil)
    }
  }

  /// The last message of level error or worse, and forgets it.
  static func takeLastError() -> String {
    state.withLock { state in
      defer { state.lastError = "" }
      return state.lastError
    }
  }

  private static func write(level: fuse_log_level, format: UnsafePointer<CChar>, arguments: CVaListPointer) {
    let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer -> String in
      guard let base = buffer.baseAddress, vsnprintf(base, buffer.count, format, arguments) >= 0 else { return "" }
      return String(cString: base)
    }
    let line = String(text.split(separator: "\n").joined(separator: " "))
    guard !line.isEmpty else { return }
    let logger = state.withLock { state in
      if level.rawValue <= FUSE_LOG_ERR.rawValue { state.lastError = line }
      return state.logger
    }
    logger?.log(level: swiftLevel(level), "libfuse says", metadata: ["message": "\(line)"])
  }

  private static func swiftLevel(_ level: fuse_log_level) -> Logger.Level {
    switch level {
    case FUSE_LOG_EMERG, FUSE_LOG_ALERT, FUSE_LOG_CRIT: .critical
    case FUSE_LOG_ERR: .error
    case FUSE_LOG_WARNING: .warning
    case FUSE_LOG_NOTICE: .notice
    case FUSE_LOG_INFO: .info
    default: .debug
    }
  }
}
