// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import WireFormats

/// `account.py` in one process for the whole test run, as starting Python with boto3 and PyIceberg takes longer than most of what it is
/// asked. Ends with the test process, whose end of the pipe is its input.
final class AccountClient: Sendable {
  private let process: RunningProcess
  private let directory: TemporaryDirectory
  private let count = Mutex(0)

  init(endpoint: String, region: String, keys: EmulatorWithSeed.Keys) throws {
    directory = try TemporaryDirectory()
    process = try Shell.start(
      ProjectFiles.clientsPython,
      [ProjectFiles.scripts + "/account.py", "--endpoint", endpoint, "--region", region, "serve", directory.path],
      environment: ["SEED_ACCESS_KEY": keys.access, "SEED_SECRET_KEY": keys.secret, "PYTHONDONTWRITEBYTECODE": "1"])
  }

  /// Runs one command after those that came before it: at the start of a run that of every test.
  func run(_ arguments: [String], input: [UInt8] = [], within limit: Duration = .seconds(300)) async throws -> JSONDocument {
    let number = count.withLock { count in
      count += 1
      return count
    }
    let answer = directory.file("answer-\(number)")
    let inputFile = input.isEmpty ? "/dev/null" : directory.file("input-\(number)")
    if !input.isEmpty { try directory.write(input, to: "input-\(number)") }
    let words = [answer, inputFile] + arguments
    process.write(words.map { "'" + $0.replacing("'", with: "'\\''") + "'" }.joined(separator: " ") + "\n")
    let isAnswered = await eventually(within: limit, every: .milliseconds(3)) { ProjectFiles.exists(answer) || self.process.status != nil }
    guard isAnswered, ProjectFiles.exists(answer) else {
      throw HarnessError("no answer to \(arguments): \(String(decoding: process.errors, as: UTF8.self).suffix(2000))")
    }
    let document = try JSONDocument(parsing: readFile(answer))
    unlink(answer)
    if !input.isEmpty { unlink(inputFile) }
    if let error = document.root["error"]?.string { throw HarnessError("\(arguments): \(error)") }
    return document
  }
}
