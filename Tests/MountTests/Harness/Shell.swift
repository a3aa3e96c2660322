// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Testing

/// What went wrong outside of what is tested.
struct HarnessError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// A program's run from start to end.
struct ProcessResult: Sendable, CustomStringConvertible {
  let command: String
  /// 128 + n after signal n.
  let status: Int32
  let output: [UInt8]
  let errors: [UInt8]
  /// It was killed at its deadline.
  let isTimedOut: Bool
  let duration: Duration

  var text: String { String(decoding: output, as: UTF8.self) }
  var errorText: String { String(decoding: errors, as: UTF8.self) }
  /// Standard output without the newlines at its end.
  var trimmed: String {
    var text = text
    while text.last == "\n" { text.removeLast() }
    return text
  }
  /// The lines of standard output.
  var lines: [String] { text.split(separator: "\n").map(String.init) }
  /// Standard output at its NUL bytes, as `-print0` and its kind write.
  var records: [[UInt8]] { output.split(separator: 0).map(Array.init) }

  var description: String {
    let ending = isTimedOut ? "killed at its deadline" : "status \(status)"
    return "`\(command.prefix(2000))`: \(ending) after \(duration)\n\(text.suffix(2000))\(errorText.suffix(4000))"
  }

  /// This run, if it ended well; else the test ends, showing what it printed.
  @discardableResult
  func succeeded(sourceLocation: SourceLocation = #_sourceLocation) throws -> ProcessResult {
    try #require(!isTimedOut && status == 0, "\(self)", sourceLocation: sourceLocation)
    return self
  }
}

/// Runs programs as a person at a terminal would, with an environment that leads no client astray.
enum Shell {
  static let limit = Duration.seconds(60)

  /// Runs a program to its end; never blocks a thread.
  static func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], directory: String = "/", input: [UInt8] = [],
    within limit: Duration = Shell.limit
  ) async throws -> ProcessResult {
    try await start(program, arguments, environment: environment, directory: directory, input: input).finished(within: limit)
  }

  /// Runs a script in bash.
  ///
  /// - Parameter variables: set in the script's environment: paths reach it so, with no quoting.
  static func bash(
    _ script: String, _ variables: [String: String] = [:], directory: String = "/", input: [UInt8] = [],
    within limit: Duration = Shell.limit
  ) async throws -> ProcessResult {
    try await run("/bin/bash", ["-c", script], environment: variables, directory: directory, input: input, within: limit)
  }

  /// Starts a program and leaves it running.
  static func start(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], directory: String = "/", input: [UInt8]? = nil
  ) throws -> RunningProcess {
    try RunningProcess(program, arguments, environment: self.environment(adding: environment), directory: directory, input: input)
  }

  /// No `AWS_*`, no `PYICEBERG_*`, no proxy, no home with somebody's files; the mark by which a test run knows its processes stays.
  static func environment(adding variables: [String: String]) -> [String: String] {
    var environment = [
      "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "TZ": "UTC",
    ]
    environment["BERGFS_TEST_RUN"] = ProcessInfo.processInfo.environment["BERGFS_TEST_RUN"]
    return environment.merging(variables) { $1 }
  }
}

/// Asks again until a condition holds; false if it does not within the limit.
func eventually(
  within limit: Duration = .seconds(60), every pause: Duration = .milliseconds(10), _ condition: () async throws -> Bool
) async rethrows -> Bool {
  let deadline = ContinuousClock.now + limit
  while ContinuousClock.now < deadline {
    if try await condition() { return true }
    try? await Task.sleep(for: pause)
  }
  return try await condition()
}
