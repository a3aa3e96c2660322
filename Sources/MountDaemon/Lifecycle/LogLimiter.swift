// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// Keeps one message from filling the log: of each so many lines in a while pass, the next one after that says how many were left out.
///
/// What a failing service makes a thousand readers say in a second is one fact. `errors.jsonl` and the metrics still count each.
final class LogLimiter: Sendable {
  enum Verdict: Sendable, Hashable {
    /// - Parameter leftOut: lines of this message that were not written since the last one that was.
    case write(leftOut: Int)
    case leaveOut
  }

  private struct Window {
    var began: ContinuousClock.Instant
    var written = 0
    var leftOut = 0
  }

  /// Lines of one message in a ``period``: a person sees what happens, and a mount in trouble writes 2 MB an hour at the most for each message.
  static let burst = 20
  static let period = Duration.seconds(10)
  /// Messages are constants of the source, but for a few that begin with a path: these must not add up for ever.
  private static let mostMessages = 1_000

  private let windows = Mutex<[String: Window]>([:])
  private let now: @Sendable () -> ContinuousClock.Instant

  init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
    self.now = now
  }

  /// Who asked for levels below info wants every line.
  func judge(_ message: String, _ level: Logger.Level) -> Verdict {
    guard level >= .info else { return .write(leftOut: 0) }
    let now = now()
    return windows.withLock { windows in
      if windows.count >= Self.mostMessages, windows[message] == nil { windows.removeAll() }
      var window = windows[message] ?? Window(began: now)
      if window.began.duration(to: now) >= Self.period { window = Window(began: now, leftOut: window.leftOut) }
      defer { windows[message] = window }
      guard window.written < Self.burst else {
        window.leftOut += 1
        return .leaveOut
      }
      defer { window.leftOut = 0 }
      window.written += 1
      return .write(leftOut: window.leftOut)
    }
  }
}
