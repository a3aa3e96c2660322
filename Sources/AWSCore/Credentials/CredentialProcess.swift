// SPDX-License-Identifier: Apache-2.0

import Glibc
import Processes

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
    guard let result = await NamedThread.run("bergfs-keys", { runBlocking() }) else { throw failure("the system has no thread left") }
    return try result.get()
  }

  // MARK: the child

  private func runBlocking() -> Result<[UInt8], AWSError> {
    guard let out = Pipe(), let errors = Pipe() else { return .failure(failure("no file descriptor left")) }
    defer {
      close(out.readEnd)
      close(errors.readEnd)
    }
    // A group of its own, so that what it starts ends with it.
    let started = ChildProcess.start(
      arguments[0], arguments, environment: variables.map { "\($0.key)=\($0.value)" }, descriptors: [out.writeEnd, errors.writeEnd],
      leadsGroup: true)
    // Only the child's copies are left: their end is the end of what it writes.
    close(out.writeEnd)
    close(errors.writeEnd)
    let child: pid_t
    switch started {
    case .success(let process): child = process
    case .failure(let error): return .failure(failure(SystemError.text(error.number)))
    }
    let (output, said, isInTime) = collect(out.readEnd, errors.readEnd)
    // Also when it has closed its output and runs on.
    let status = end(child, hasTime: isInTime)
    guard isInTime else { return .failure(failure("it did not end within \(limit.components.seconds) s, and was stopped")) }
    guard status == 0 else {
      let last = String(decoding: said.suffix(512), as: UTF8.self).split(whereSeparator: \.isNewline).last ?? ""
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
        let chunk = Pipe.readChunk(polls[index].fd) ?? []
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
    return ChildProcess.exitStatus(status)
  }

  private func failure(_ words: String) -> AWSError {
    .missingCredentials("credential_process `\(arguments[0])`: \(words)")
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
