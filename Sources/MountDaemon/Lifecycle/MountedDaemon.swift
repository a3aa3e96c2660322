// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Processes

/// The daemon of a mount, found by its command line where the mount itself cannot be asked. For messages only: a command line proves nothing.
struct MountedDaemon: Sendable, Hashable {
  let process: pid_t
  /// By SIGSTOP, a terminal or a debugger (proc_pid_stat(5): T or t).
  let isStopped: Bool

  /// - Parameter mountpoint: absolute, without symbolic links.
  static func find(_ mountpoint: String) -> MountedDaemon? {
    guard let stream = opendir("/proc") else { return nil }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let process = pid_t(name), process != getpid(), serves(mountpoint, process) else { continue }
      return MountedDaemon(process: process, isStopped: ["T", "t"].contains(state(of: process)))
    }
    return nil
  }

  /// A clause that says what to do about a mount that does not answer.
  static func advice(_ daemon: MountedDaemon?, _ path: String) -> String {
    guard let daemon else { return "its daemon is stopped or hangs; end it by kill -9, then run bergfs umount \(path)" }
    let process = daemon.process
    return daemon.isStopped
      ? "its daemon (pid \(process)) is stopped; resume it by kill -CONT \(process), or end it by kill -9 \(process) and run bergfs umount \(path)"
      : "its daemon (pid \(process)) hangs; end it by kill -9 \(process) and run bergfs umount \(path)"
  }

  private static func serves(_ mountpoint: String, _ process: pid_t) -> Bool {
    guard SmallFile.read("/proc/\(process)/comm").map({ $0.elementsEqual("bergfs\n".utf8) }) == true else { return false }
    let arguments = (SmallFile.read("/proc/\(process)/cmdline") ?? []).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    guard arguments.contains("mount") else { return false }
    return arguments.contains { argument in
      var argument = argument[...]
      while argument.count > 1, argument.last == "/" { argument.removeLast() }
      return argument == mountpoint
    }
  }

  private static func state(of process: pid_t) -> String {
    let text = String(decoding: SmallFile.read("/proc/\(process)/stat") ?? [], as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return "" }
    return text[text.index(after: end)...].split(separator: " ").first.map(String.init) ?? ""
  }
}
