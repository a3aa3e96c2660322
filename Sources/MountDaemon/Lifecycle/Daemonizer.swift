// SPDX-License-Identifier: Apache-2.0

import CLinux
import Fuse
import Glibc
import Processes

/// The parent's side of `bergfs mount`: starts the daemon and waits until its mount answers.
///
/// The daemon is this program spawned anew, not forked: a process with threads cannot fork. It has /dev/null as standard input, and two
/// inherited descriptors, named by ``environmentKey``: the pipe on which it reports, and the memory file of ``DaemonHandover``. It leaves our
/// session only when its mount answers (``DaemonChild/ready(log:)``): at an automount point of systemd the kernel lets nobody in but the process
/// group of the mount command, and lets the others wait for the very mount that is being made.
package struct Daemonizer: Sendable {
  /// `BERGFS_DAEMON=<report descriptor>,<handover descriptor>` marks a process as a daemon started this way.
  static let environmentKey = "BERGFS_DAEMON"
  /// As ``ChildProcess/start(_:_:environment:descriptors:leadsGroup:)`` numbers what ``spawn(_:_:_:report:output:)`` hands over.
  private static let reportDescriptor: Int32 = 3
  private static let handoverDescriptor: Int32 = 4

  package struct Started: Sendable {
    package let process: Int32
    /// What the daemon printed until it was ready (warnings): for the user's terminal.
    package let output: String
  }

  /// Starts the daemon and waits for its report. Blocks: never on the cooperative pool.
  ///
  /// - Parameters:
  ///   - arguments: the command line for the daemon, without the program's name and without secrets (``DaemonHandover/extracting(from:)``).
  ///   - executable: this program; another one in tests.
  /// - Throws: `daemon` with the daemon's own sentence, or with its exit status and last line if it died without one.
  package static func start(
    arguments: [String], handover: DaemonHandover, executable: String = "/proc/self/exe"
  ) throws(LifecycleError) -> Started {
    guard let report = Pipe(), let output = Pipe() else { throw LifecycleError(.system, "no file descriptor left to start the daemon") }
    defer {
      close(report.readEnd)
      close(output.readEnd)
    }
    let spawned = Result { () throws(LifecycleError) in
      try spawn(arguments, handover, executable, report: report.writeEnd, output: output.writeEnd)
    }
    // Our copies go, so that the daemon's end closes the pipes.
    close(report.writeEnd)
    close(output.writeEnd)
    let process = try spawned.get()
    let (first, printed) = listen(report: report.readEnd, output: output.readEnd)
    let text = String(decoding: printed, as: UTF8.self)
    let line = String(decoding: first, as: UTF8.self)
    if line == "ready\n" { return Started(process: process, output: text) }
    let status = ChildProcess.exitStatus(of: process)
    if line.hasPrefix("error ") { throw LifecycleError(.daemon, String(line.dropFirst(6).prefix { $0 != "\n" })) }
    let last = text.split(separator: "\n").last.map { ": \($0)" } ?? ""
    let end = status > 128 ? "was killed by signal \(status - 128)" : "ended with status \(status)"
    throw LifecycleError(.daemon, "the daemon \(end) before the mount was ready\(last)")
  }

  private static func spawn(
    _ arguments: [String], _ handover: DaemonHandover, _ executable: String, report: Int32, output: Int32
  ) throws(LifecycleError) -> pid_t {
    let memory = try memoryFile(handover.encoded())
    defer { close(memory) }
    let started = ChildProcess.start(
      executable, ["bergfs"] + arguments, environment: environment(), descriptors: [output, output, report, memory])
    do throws(ChildProcess.StartFailure) {
      return try started.get()
    } catch {
      throw LifecycleError(.system, "cannot start the daemon: \(SystemError.text(error.number))")
    }
  }

  /// Our environment and the mark.
  private static func environment() -> [String] {
    var variables = ["\(environmentKey)=\(reportDescriptor),\(handoverDescriptor)"]
    var next = environ
    while let variable = next.pointee {
      let text = String(cString: variable)
      if !text.hasPrefix("\(environmentKey)=") { variables.append(text) }
      next += 1
    }
    return variables
  }

  private static func memoryFile(_ bytes: [UInt8]) throws(LifecycleError) -> Int32 {
    let file = bergfs_memory_file("bergfs-properties")
    guard file >= 0 else { throw LifecycleError(.system, "cannot start the daemon: \(SystemError.text(errno))") }
    guard write(file, bytes, bytes.count) == bytes.count, lseek(file, 0, SEEK_SET) == 0 else {
      close(file)
      throw LifecycleError(.system, "cannot start the daemon: no memory for its properties")
    }
    return file
  }

  /// Waits for the daemon's report or its end, and collects what it prints meanwhile.
  private static func listen(report: Int32, output: Int32) -> (report: [UInt8], output: [UInt8]) {
    var said: [UInt8] = []
    var printed: [UInt8] = []
    var polled = [pollfd(fd: report, events: Int16(POLLIN), revents: 0), pollfd(fd: output, events: Int16(POLLIN), revents: 0)]
    while said.last != UInt8(ascii: "\n") {
      guard poll(&polled, nfds_t(polled.count), -1) >= 0 || errno == EINTR else { break }
      if polled[1].fd >= 0, polled[1].revents != 0 {
        if let chunk = Pipe.readChunk(output), !chunk.isEmpty { printed += chunk } else { polled[1].fd = -1 }
      }
      if polled[0].revents != 0 {
        guard let chunk = Pipe.readChunk(report), !chunk.isEmpty else { break }
        said += chunk
      }
    }
    // What was printed before the report is in the pipe already.
    var rest = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    while poll(&rest, 1, 0) > 0, let chunk = Pipe.readChunk(output), !chunk.isEmpty { printed += chunk }
    return (said, printed)
  }
}
