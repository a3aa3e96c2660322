// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

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
    let child = start(path, [path] + arguments, descriptors: [output.writeEnd, errors.writeEnd])
    close(output.writeEnd)
    close(errors.writeEnd)
    defer {
      close(output.readEnd)
      close(errors.readEnd)
    }
    let process: Int32
    switch child {
    case .success(let started): process = started
    case .failure(let failure): return ChildProcess(status: 127, output: "", errors: "\(path): \(SystemError.text(failure.number))")
    }
    let texts = Pipe.drain(output.readEnd, errors.readEnd)
    return ChildProcess(
      status: exitStatus(of: process), output: String(decoding: texts.first, as: UTF8.self),
      errors: String(decoding: texts.second, as: UTF8.self))
  }

  /// Why a program was not started.
  package struct StartFailure: Error {
    /// As errno(3) has it.
    package let number: Int32
  }

  /// Starts a program that reads /dev/null and has the given descriptors and no other, with signals as a program expects them: none blocked, none
  /// ignored.
  ///
  /// - Parameters:
  ///   - path: looked up in PATH if it holds no slash.
  ///   - arguments: with the program's name.
  ///   - environment: `NAME=value`; ours if nil.
  ///   - descriptors: copied to the numbers from 1 on; stay the caller's.
  ///   - leadsGroup: it gets a process group of its own, so that what it starts can be ended with it.
  /// - Returns: a child that the caller must wait for.
  package static func start(
    _ path: String, _ arguments: [String], environment: [String]? = nil, descriptors: [Int32], leadsGroup: Bool = false
  ) -> Result<Int32, StartFailure> {
    // Out of the way of the numbers that they get in the child, where one dup2 could overwrite the source of the next.
    let sources = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 16) }
    defer { for source in sources where source >= 0 { close(source) } }
    guard sources.allSatisfy({ $0 >= 0 }) else { return .failure(StartFailure(number: EMFILE)) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    for (index, source) in sources.enumerated() { posix_spawn_file_actions_adddup2(&actions, source, Int32(index) + 1) }
    _ = bergfs_spawn_close_from(&actions, Int32(sources.count) + 1)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (leadsGroup ? POSIX_SPAWN_SETPGROUP : 0)
    posix_spawnattr_setflags(&attributes, Int16(flags))
    var process: Int32 = 0
    let result = CStringArray.withPointers(arguments) { arguments in
      guard let environment else { return posix_spawnp(&process, path, &actions, &attributes, arguments, environ) }
      return CStringArray.withPointers(environment) { posix_spawnp(&process, path, &actions, &attributes, arguments, $0) }
    }
    return result == 0 ? .success(process) : .failure(StartFailure(number: result))
  }

  /// Waits for a child of ours; its status as a shell shows it.
  package static func exitStatus(of pid: Int32) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 {
      if errno != EINTR { return 127 }
    }
    return exitStatus(status)
  }

  /// What waitpid(2) told, as a shell shows it.
  package static func exitStatus(_ status: Int32) -> Int32 {
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }
}
