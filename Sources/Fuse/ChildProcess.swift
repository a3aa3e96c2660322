// SPDX-License-Identifier: Apache-2.0

package import Glibc

/// One run of another program, from start to end, with what it printed.
package struct ChildProcess: Sendable {
  /// The exit status; 128 + n if signal n ended it; 127 if it could not be started.
  package let status: Int32
  package let output: String
  package let errors: String

  /// Runs a program and waits for its end. Blocks: never on the cooperative pool.
  ///
  /// - Parameter path: looked up in PATH if it holds no slash.
  package static func run(_ path: String, _ arguments: [String]) -> ChildProcess {
    guard let output = Pipe(), let errors = Pipe() else {
      return ChildProcess(status: 127, output: "", errors: "no file descriptor left")
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writeEnd, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errors.writeEnd, STDERR_FILENO)
    var pid = pid_t()
    let result = CStringArray.withPointers([path] + arguments) { posix_spawnp(&pid, path, &actions, nil, $0, environ) }
    close(output.writeEnd)
    close(errors.writeEnd)
    defer {
      close(output.readEnd)
      close(errors.readEnd)
    }
    guard result == 0 else {
      return ChildProcess(status: 127, output: "", errors: "\(path): \(Errno.text(result))")
    }
    let texts = Pipe.drain(output.readEnd, errors.readEnd)
    return ChildProcess(
      status: exitStatus(of: pid), output: String(decoding: texts.first, as: UTF8.self),
      errors: String(decoding: texts.second, as: UTF8.self))
  }

  /// Waits for a child of ours; its status as a shell shows it.
  package static func exitStatus(of pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 {
      if errno != EINTR { return 127 }
    }
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }
}
