// SPDX-License-Identifier: Apache-2.0

/// One process, also after its id has been given to another.
package struct ProcessIdentity: Sendable, Hashable {
  /// In our own process namespace.
  package let pid: Int32
  /// Clock ticks since boot. Source: field 22 of proc_pid_stat(5).
  package let startTime: UInt64

  package init(pid: Int32, startTime: UInt64) {
    self.pid = pid
    self.startTime = startTime
  }

  /// The process that has the id now, be it over or not; nil if none has, or it is hidden from us.
  package init?(of pid: Int32) {
    guard let status = ThreadStatus(ofThread: pid) else { return nil }
    self.init(pid: pid, startTime: status.startTime)
  }
}
