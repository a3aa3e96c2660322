// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// A child process at the head of a process group of its own, its output caught in files that have no name.
///
/// Files rather than pipes: a child that leaves a daemon behind does not keep the test waiting for the end of its output.
final class RunningProcess: Sendable {
  private struct State {
    var status: Int32?
    var input: Int32?
  }

  let command: String
  let processID: pid_t
  private let started = ContinuousClock.now
  private let outputFile: Int32
  private let errorFile: Int32
  private let state: Mutex<State>

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - program: looked up in PATH if it holds no slash.
  ///   - environment: all of it; see ``Shell/environment(adding:)``.
  ///   - input: what it reads from standard input; nil gives it a pipe that ``closeInput()`` ends.
  init(_ program: String, _ arguments: [String], environment: [String: String], directory: String, input: [UInt8]?) throws {
    command = ([program] + arguments).joined(separator: " ")
    outputFile = try Self.unnamedFile()
    errorFile = try Self.unnamedFile()
    var inputEnds: [Int32] = [-1, -1]
    if let input {
      inputEnds[0] = try Self.unnamedFile()
      _ = input.withUnsafeBytes { pwrite(inputEnds[0], $0.baseAddress, $0.count, 0) }
    } else if pipe(&inputEnds) != 0 || fcntl(inputEnds[0], F_SETFD, FD_CLOEXEC) != 0 || fcntl(inputEnds[1], F_SETFD, FD_CLOEXEC) != 0 {
      throw HarnessError("no pipe for \(program): errno \(errno)")
    }
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
      close(inputEnds[0])
    }
    posix_spawn_file_actions_adddup2(&actions, inputEnds[0], STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, outputFile, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errorFile, STDERR_FILENO)
    // Signals that the test runner ignores or blocks must act in its children.
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var pid = pid_t()
    let variables = environment.map { "\($0.key)=\($0.value)" }
    let failure = withCStrings(["env", "-C", directory, program] + arguments) { argumentPointers in
      withCStrings(variables) { posix_spawn(&pid, "/usr/bin/env", &actions, &attributes, argumentPointers, $0) }
    }
    state = Mutex(State(input: inputEnds[1] >= 0 ? inputEnds[1] : nil))
    processID = pid
    if failure != 0 {
      throw HarnessError("\(program) does not start: \(String(cString: strerror(failure)))")
    }
  }

  deinit {
    close(outputFile)
    close(errorFile)
    closeInput()
  }

  /// What it has written to standard output so far.
  var output: [UInt8] { Self.content(of: outputFile) }
  /// What it has written to standard error so far.
  var errors: [UInt8] { Self.content(of: errorFile) }

  /// Sends bytes to its standard input, which must be a pipe.
  func write(_ text: String) {
    state.withLock { state in
      guard let input = state.input else { return }
      var text = text
      text.withUTF8 { _ = Glibc.write(input, $0.baseAddress, $0.count) }
    }
  }

  func closeInput() {
    state.withLock { state in
      if let input = state.input { close(input) }
      state.input = nil
    }
  }

  /// The exit status, 128 + n after signal n; nil while it runs.
  var status: Int32? {
    state.withLock { state in
      if let status = state.status { return status }
      var raw: Int32 = 0
      guard waitpid(processID, &raw, WNOHANG) == processID else { return nil }
      let signal = raw & 0x7f
      state.status = signal == 0 ? (raw >> 8) & 0xff : 128 + signal
      return state.status
    }
  }

  /// Sends a signal to the whole group, if the child has not ended.
  func signal(_ number: Int32) {
    if status == nil { kill(-processID, number) }
  }

  /// Waits for the end. At the deadline, or when the test is cancelled, the whole group is killed.
  func finished(within limit: Duration) async -> ProcessResult {
    let deadline = started + limit
    while status == nil, ContinuousClock.now < deadline, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(3))
    }
    let isTimedOut = status == nil
    while status == nil {
      signal(SIGKILL)
      await Task.yield()
    }
    return ProcessResult(
      command: command, status: status ?? -1, output: output, errors: errors, isTimedOut: isTimedOut,
      duration: ContinuousClock.now - started)
  }

  private static func unnamedFile() throws -> Int32 {
    // O_TMPFILE, which the Glibc module leaves out.
    let flags: Int32 = 0o20_000_000 | O_DIRECTORY
    let descriptor = open("/tmp", flags | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw HarnessError("no temporary file: errno \(errno)") }
    return descriptor
  }

  private static func content(of descriptor: Int32) -> [UInt8] {
    var size = stat()
    guard fstat(descriptor, &size) == 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: Int(size.st_size)) { buffer, count in
      count = max(pread(descriptor, buffer.baseAddress, buffer.count, 0), 0)
    }
  }
}

/// Calls `body` with a null-terminated array of C strings.
private func withCStrings<Result>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
  let pointers = strings.map { strdup($0) }
  defer { for pointer in pointers { free(pointer) } }
  return body(pointers + [nil])
}
