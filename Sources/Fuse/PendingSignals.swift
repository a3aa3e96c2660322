// SPDX-License-Identifier: Apache-2.0

import Glibc
import Processes

/// The signal masks of a thread, as `/proc/<tid>/status` shows them (proc(5)): bit n-1 stands for signal n.
struct PendingSignals: Equatable {
  var pending: UInt64 = 0
  var blocked: UInt64 = 0
  var ignored: UInt64 = 0
  var caught: UInt64 = 0

  /// Signals whose default action does not end the process (signal(7)): CHLD, CONT, URG, WINCH, and the stops.
  private static let harmless: UInt64 = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU]
    .reduce(0) { $0 | (1 << UInt64($1 - 1)) }
  private static let kill: UInt64 = 1 << UInt64(SIGKILL - 1)

  /// Whether one of the pending signals ends the process: SIGKILL (the kernel turns other deadly ones into it when it starts the group's
  /// exit), or one that is not blocked, ignored, caught, or harmless by default.
  var includeFatal: Bool {
    if pending & Self.kill != 0 { return true }
    return pending & ~(blocked | ignored | caught | Self.harmless) != 0
  }

  /// Reads the masks of a thread; nil if it is gone or not visible to us.
  init?(ofThread thread: pid_t) {
    guard let bytes = SmallFile.read("/proc/\(thread)/status") else { return nil }
    self.init(status: String(decoding: bytes, as: UTF8.self))
  }

  /// Reads the masks from the text of a status file; what is absent counts as empty.
  init(status: String) {
    for line in status.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " }
      switch line[..<colon] {
      case "SigPnd", "ShdPnd": pending |= UInt64(value, radix: 16) ?? 0
      case "SigBlk": blocked = UInt64(value, radix: 16) ?? 0
      case "SigIgn": ignored = UInt64(value, radix: 16) ?? 0
      case "SigCgt": caught = UInt64(value, radix: 16) ?? 0
      default: continue
      }
    }
  }
}
