// SPDX-License-Identifier: Apache-2.0

import Glibc
import Processes

/// What `/proc` tells of the process behind a request: which one it is, whether it still lives, and whether it is being killed.
///
/// Each question reads one or two files of a few hundred bytes on the calling thread. The caller of a request stands still until
/// the answer, so what is said of it stays true until then. Source: spec/kernel.md "Requests".
package enum CallerProcess {
  /// How a thread stands.
  package enum State: Sendable, Hashable {
    /// It runs, or waits in a system call of its own.
    case running
    /// It ends by exit(3), by returning from main, or as a thread that is done. What it closes now it closes on purpose.
    case exitingByItself
    /// A signal ends it: what it closes now it never finished.
    case killed(signal: Int32)
    /// There is no such thread.
    case gone
    /// It cannot be told: the kernel itself asks (thread 0), or /proc does not show us enough of it.
    case unknown
  }

  /// The process to which a thread belongs (Tgid); nil if the thread is gone, hidden from us, or 0.
  package static func process(ofThread thread: Int32) -> Int32? {
    guard thread > 0, let bytes = SmallFile.read("/proc/\(thread)/status") else { return nil }
    return processID(inStatus: bytes)
  }

  /// The process to which a thread belongs, told apart from later ones with the same id.
  package static func identity(ofThread thread: Int32) -> ProcessIdentity? {
    process(ofThread: thread).flatMap { ProcessIdentity(of: $0) }
  }

  /// Whether the process exists and is not a zombie. Another one may have got its id; ``isAlive(_:)`` knows.
  package static func isAlive(process: Int32) -> Bool {
    ThreadStatus(ofThread: process).map { !$0.isOver } ?? false
  }

  /// Whether this very process exists and is not a zombie. One that is on its way out, but has not closed its files yet, is alive.
  package static func isAlive(_ process: ProcessIdentity) -> Bool {
    guard let status = ThreadStatus(ofThread: process.pid), status.startTime == process.startTime else { return false }
    return !status.isOver
  }

  /// How the thread stands now. During a FLUSH it tells a close(2), a process's end and a kill apart.
  package static func state(ofThread thread: Int32) -> State {
    guard thread > 0 else { return .unknown }
    guard let status = ThreadStatus(ofThread: thread) else {
      // Signal 0 reaches every process of our namespace, hidden or not.
      return kill(thread, 0) != 0 && errno == ESRCH ? .gone : .unknown
    }
    guard status.isExiting else { return .running }
    let signal = status.exitCode & 0x7f
    if signal != 0 { return .killed(signal: signal) }
    // The kernel shows 0 to those who may not trace the thread, so 0 alone is no proof of a good end.
    if status.exitCode == 0, !mayInspect(thread) { return .unknown }
    return .exitingByItself
  }

  /// Whether `/proc` shows us other users' processes; false with hidepid, unless we may look all the same. Reads the mount table, so ask
  /// once a mount.
  package static var isProcVisible: Bool {
    guard let table = SmallFile.read("/proc/self/mountinfo"), let own = SmallFile.read("/proc/self/status") else { return false }
    if !hidesProcesses(mountTable: table) || hasTracePower(status: own) { return true }
    // Mounted with gid= of a group of ours: then somebody else's process is readable.
    var status = stat()
    return stat("/proc/1", &status) == 0 && status.st_uid != geteuid() && ThreadStatus(ofThread: 1) != nil
  }

  /// The value of `Tgid:` in a status file.
  static func processID(inStatus bytes: [UInt8]) -> Int32? {
    value("Tgid:", inStatus: bytes).flatMap { Int32($0) }
  }

  /// Whether the topmost mount on `/proc` has a hidepid other than 0 (`off`).
  static func hidesProcesses(mountTable bytes: [UInt8]) -> Bool {
    var hides = false
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 5, fields[4] == "/proc", let options = fields.last else { continue }
      hides = options.split(separator: ",").contains { option in
        option.hasPrefix("hidepid=") && option != "hidepid=0" && option != "hidepid=off"
      }
    }
    return hides
  }

  /// Whether CAP_SYS_PTRACE (19) is among the effective capabilities of a status file.
  static func hasTracePower(status bytes: [UInt8]) -> Bool {
    guard let set = value("CapEff:", inStatus: bytes).flatMap({ UInt64($0, radix: 16) }) else { return false }
    return set & (1 << 19) != 0
  }

  private static func value(_ key: String, inStatus bytes: [UInt8]) -> Substring? {
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix(key) {
      return line.dropFirst(key.utf8.count).drop { $0 == "\t" || $0 == " " }
    }
    return nil
  }

  /// Whether the kernel lets us see what it guards of a thread: the link of its working directory is guarded like its exit code, and outlives
  /// its files.
  private static func mayInspect(_ thread: Int32) -> Bool {
    var byte: CChar = 0
    return readlink("/proc/\(thread)/cwd", &byte, 1) >= 0 || errno == ENOENT
  }
}
