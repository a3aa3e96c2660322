// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// A program that writes keys to its standard output: `credential_process` of a profile (spec: clients.md §6.4).
package struct CredentialProcess: Sendable, Hashable {
  package var arguments: [String]
  package var variables: [String: String]
  /// The longest that it may run.
  package var limit: Duration = .seconds(40)

  private static let mostOutput = 1 << 20

  /// - Parameter command: split like a shell's, by blanks and quotes; no shell is run.
  package init(command: String, variables: [String: String]) throws(AWSError) {
    arguments = try Self.words(of: command)
    self.variables = variables
    guard !arguments.isEmpty else { throw .missingCredentials("credential_process is empty") }
  }

  /// Runs it on a thread of its own and gives what it wrote.
  @concurrent package func run() async throws(AWSError) -> [UInt8] {
    let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<[UInt8], AWSError>, Never>) in
      let start = Unmanaged.passRetained(Start { continuation.resume(returning: self.runBlocking()) })
      var thread = pthread_t()
      let made = pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
          return nil
        }, start.toOpaque())
      if made == 0 {
        pthread_detach(thread)
      } else {
        start.release()
        continuation.resume(returning: .failure(.missingCredentials("credential_process: the system has no thread left")))
      }
    }
    return try result.get()
  }

  private final class Start: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  // MARK: the child

  private func runBlocking() -> Result<[UInt8], AWSError> {
    var pipes: (out: [Int32], errors: [Int32]) = ([-1, -1], [-1, -1])
    guard Self.makePipe(&pipes.out) else { return .failure(failure("no pipe: \(Self.words(errno))")) }
    defer { for descriptor in pipes.out where descriptor >= 0 { close(descriptor) } }
    guard Self.makePipe(&pipes.errors) else { return .failure(failure("no pipe: \(Self.words(errno))")) }
    defer { for descriptor in pipes.errors where descriptor >= 0 { close(descriptor) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipes.out[1], 1)
    posix_spawn_file_actions_adddup2(&actions, pipes.errors[1], 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own, so that what it starts ends with it; signals as a program expects them.
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
    var child = pid_t()
    let error = Self.withTexts(arguments) { arguments in
      Self.withTexts(variables.map { "\($0.key)=\($0.value)" }) { variables in
        posix_spawnp(&child, self.arguments[0], &actions, &attributes, arguments, variables)
      }
    }
    guard error == 0 else { return .failure(failure(Self.words(error))) }
    // Only the child's copies are left: their end is the end of what it writes.
    close(pipes.out[1])
    close(pipes.errors[1])
    (pipes.out[1], pipes.errors[1]) = (-1, -1)
    let (output, errors, isInTime) = collect(pipes.out[0], pipes.errors[0])
    // Also when it has closed its output and runs on.
    let status = end(child, hasTime: isInTime)
    guard isInTime else { return .failure(failure("it did not end within \(limit.components.seconds) s, and was stopped")) }
    guard status == 0 else {
      let last = String(decoding: errors.suffix(512), as: UTF8.self).split(whereSeparator: \.isNewline).last ?? ""
      return .failure(failure("it ended with status \(status)\(last.isEmpty ? "" : ": \(last)")"))
    }
    guard output.count <= Self.mostOutput else { return .failure(failure("it wrote more than 1 MiB")) }
    return .success(output)
  }

  /// Reads both pipes to their ends or the time limit.
  private func collect(_ out: Int32, _ errors: Int32) -> (output: [UInt8], errors: [UInt8], isInTime: Bool) {
    var collected: [[UInt8]] = [[], []]
    var polls = [pollfd(fd: out, events: Int16(POLLIN), revents: 0), pollfd(fd: errors, events: Int16(POLLIN), revents: 0)]
    let end = ContinuousClock.now + limit
    while polls.contains(where: { $0.fd >= 0 }) {
      let remaining = end - ContinuousClock.now
      guard remaining > .zero else { return (collected[0], collected[1], false) }
      guard poll(&polls, 2, Int32(clamping: remaining.components.seconds * 1000 + 1000)) > 0 else { continue }
      for index in polls.indices where polls[index].fd >= 0 && polls[index].revents != 0 {
        let chunk = [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, count in
          count = max(0, read(polls[index].fd, buffer.baseAddress, buffer.count))
        }
        if chunk.isEmpty { polls[index].fd = -1 }
        // Past the limit it is read on, so that the program can end, and thrown away.
        if collected[index].count <= Self.mostOutput { collected[index] += chunk }
      }
    }
    return (collected[0], collected[1], true)
  }

  /// The child's exit status; a signal counts as 128 + its number. A child without time left is killed with what it started.
  private func end(_ child: pid_t, hasTime: Bool) -> Int32 {
    var status: Int32 = 0
    let end = ContinuousClock.now + (hasTime ? limit : .zero)
    while true {
      let isOver = ContinuousClock.now >= end
      if isOver { kill(-child, SIGKILL) }
      let result = waitpid(child, &status, isOver ? 0 : WNOHANG)
      if result == child { break }
      if result < 0, errno != EINTR { return 1 }
      if result == 0 { usleep(5000) }
    }
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
  }

  private func failure(_ words: String) -> AWSError {
    .missingCredentials("credential_process `\(arguments[0])`: \(words)")
  }

  private static func makePipe(_ ends: inout [Int32]) -> Bool {
    guard pipe(&ends) == 0 else { return false }
    for descriptor in ends { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    return true
  }

  private static func words(_ number: Int32) -> String { String(cString: strerror(number)) }

  private static func withTexts<Result>(
    _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    // SAFETY: the array is not empty, so its buffer has an address, which is used during the call only.
    return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
  }

  // MARK: the command line

  /// Splits at blanks; single quotes keep all, double quotes and bare text know `\`.
  static func words(of command: String) throws(AWSError) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in command {
      if isEscaped {
        if quote == "\"", character != "\"", character != "\\" { word = (word ?? "") + "\\" }
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character == " " || character == "\t" || character == "\n" {
        if let word { words.append(word) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil, !isEscaped else { throw .missingCredentials("credential_process has a quote or backslash without its end") }
    if let word { words.append(word) }
    return words
  }
}
