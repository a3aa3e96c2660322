// SPDX-License-Identifier: Apache-2.0

import Glibc
import Processes

/// What `/proc/<tid>/stat` says of a thread, or of a process by the id of its first thread. Source: proc_pid_stat(5); spec/kernel.md.
struct ThreadStatus: Equatable {
  /// `R`, `S`, `D`, `Z`, …
  var state: UInt8
  /// The kernel's PF_* bits.
  var flags: UInt64
  /// Threads of the process.
  var threadCount: Int
  /// Clock ticks since boot.
  var startTime: UInt64
  /// As wait(2) has it: a signal in the low 7 bits, the value of exit(3) above bit 8. 0 where we may not look.
  var exitCode: Int32

  /// PF_EXITING (include/linux/sched.h).
  private static let exiting: UInt64 = 0x4
  /// The first field after the name is number 3 of proc_pid_stat(5).
  private static let firstField = 3

  var isExiting: Bool { flags & Self.exiting != 0 }

  /// Whether nothing runs any more: a zombie, or dead. A first thread that ended by itself is a zombie while the others run on.
  var isOver: Bool {
    switch state {
    case UInt8(ascii: "Z"): threadCount <= 1
    case UInt8(ascii: "X"), UInt8(ascii: "x"): true
    default: false
    }
  }

  /// nil if there is no such thread or it is hidden from us.
  init?(ofThread thread: Int32) {
    guard thread > 0, let bytes = SmallFile.read("/proc/\(thread)/stat") else { return nil }
    self.init(parsing: bytes)
  }

  /// Reads the one line of the file. The name may hold anything, also spaces and parentheses, so the fields are counted from the last `)`.
  init?(parsing bytes: [UInt8]) {
    guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = bytes[(end + 1)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
    func number<Value: FixedWidthInteger>(_ field: Int) -> Value? {
      let index = field - Self.firstField
      return index < fields.count ? Value(String(decoding: fields[index], as: UTF8.self)) : nil
    }
    guard let state = fields.first?.first, let flags: UInt64 = number(9), let threadCount: Int = number(20),
      let startTime: UInt64 = number(22), let exitCode: Int32 = number(52)
    else { return nil }
    self.state = state
    self.flags = flags
    self.threadCount = threadCount
    self.startTime = startTime
    self.exitCode = exitCode
  }
}
