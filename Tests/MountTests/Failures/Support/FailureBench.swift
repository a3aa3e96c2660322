// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import Testing

/// One test's own place: home without any configuration, mountpoint, log; what was started and mounted below it is gone at its end.
final class FailureBench: Sendable {
  private let directory: TemporaryDirectory
  private let programs = Mutex<[RunningProcess]>([])

  var folder: String { directory.path }
  var home: String { folder + "/home" }
  var mountpoint: String { folder + "/mnt" }
  var log: String { folder + "/bergfs.log" }
  var yaml: String { home + "/.pyiceberg.yaml" }

  private init() throws {
    directory = try TemporaryDirectory()
    mkdir(home, 0o700)
    mkdir(mountpoint, 0o755)
  }

  /// Gives a test its place and clears it away after.
  static func with(_ body: (FailureBench) async throws -> Void) async throws {
    let bench = try FailureBench()
    do {
      try await body(bench)
    } catch {
      await bench.clear()
      throw error
    }
    await bench.clear()
  }

  /// The same with an account whose catalog is configured.
  static func withAccount(
    _ properties: [String: String] = [:], _ body: (FailureBench, StandInAccount) async throws -> Void
  ) async throws {
    try await StandInAccount.with { account in
      try await with { bench in
        try bench.configure(account.properties.merging(properties) { $1 })
        try await body(bench, account)
      }
    }
  }

  // MARK: Running

  private func environment(_ more: [String: String]) -> [String: String] {
    // No real instance's keys are to be found.
    ["HOME": home, "AWS_EC2_METADATA_DISABLED": "true"].merging(more) { $1 }
  }

  /// Starts a program that is ended with this place.
  func start(_ program: String, _ arguments: [String], environment more: [String: String] = [:]) throws -> RunningProcess {
    let running = try Shell.start(program, arguments, environment: environment(more), directory: folder)
    programs.withLock { $0.append(running) }
    return running
  }

  /// Runs a script in bash, with the mountpoint as `$M`.
  func shell(_ script: String, within limit: Duration = Shell.limit) async throws -> ProcessResult {
    try await Shell.bash(script, environment(["M": mountpoint]), directory: folder, within: limit)
  }

  func bergfs(_ arguments: [String], environment more: [String: String] = [:], within limit: Duration = Shell.limit) async throws
    -> ProcessResult
  {
    try await Shell.run(ProjectFiles.bergfs, arguments, environment: environment(more), directory: folder, within: limit)
  }

  /// Makes these the properties of catalog `lake` for every later command: `.pyiceberg.yaml` in the home directory.
  func configure(_ properties: [String: String]) throws {
    let lines = properties.sorted { $0.key < $1.key }.map { "    \($0.key): \"\($0.value)\"\n" }
    try write("catalog:\n  lake:\n" + lines.joined(), to: "home/.pyiceberg.yaml")
  }

  /// Makes or replaces a file below ``folder``.
  func write(_ text: String, to name: String) throws {
    try directory.write(text, to: name)
  }

  /// Mounts catalog `lake` and requires that it answers.
  @discardableResult
  func mount(
    _ options: [String] = [], at path: String? = nil, environment more: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> ProcessResult {
    let result = try await tryMount(options, at: path, environment: more)
    try #require(result.status == 0, "\(result)\n\(logText)", sourceLocation: sourceLocation)
    #expect(mountCount(path ?? mountpoint) == 1, sourceLocation: sourceLocation)
    return result
  }

  func tryMount(
    _ options: [String] = [], at path: String? = nil, environment more: [String: String] = [:], within limit: Duration = Shell.limit
  ) async throws -> ProcessResult {
    try await bergfs(mountArguments(options, at: path), environment: more, within: limit)
  }

  func mountArguments(_ options: [String] = [], at path: String? = nil) -> [String] {
    ["mount", "lake", path ?? mountpoint, "--log-file", log] + options
  }

  /// Checks that a command refused its input in one line that holds the given words, in time, and left nothing mounted and nothing running.
  ///
  /// - Parameters:
  ///   - mounts: how many mounts at the path there were before.
  ///   - warnings: lines that warn of the configuration, before the one that refuses.
  func expectRefusal(
    _ result: ProcessResult, _ words: [String], at path: String? = nil, mounts: Int = 0, warnings: Int = 0,
    within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation
  ) async {
    #expect(result.status == 1 && !result.isTimedOut, "\(result)", sourceLocation: sourceLocation)
    #expect(result.duration < limit, "\(result)", sourceLocation: sourceLocation)
    let lines = result.errorText.split(separator: "\n")
    #expect(lines.allSatisfy { $0.hasPrefix("bergfs: ") }, "\(result)", sourceLocation: sourceLocation)
    #expect(lines.count == 1 + warnings, "\(result)", sourceLocation: sourceLocation)
    #expect(lines.prefix(warnings).allSatisfy { $0.hasPrefix("bergfs: warning: ") }, "\(result)", sourceLocation: sourceLocation)
    #expect(result.output.isEmpty, "\(result)", sourceLocation: sourceLocation)
    for word in words {
      let isSaid = lines.last?.lowercased().contains(word.lowercased()) == true
      #expect(isSaid, "no \(word) in: \(result)", sourceLocation: sourceLocation)
    }
    #expect(mountCount(path ?? mountpoint) == mounts, sourceLocation: sourceLocation)
    if mounts == 0 {
      let hasEnded = await eventually(within: .seconds(5)) { self.daemons.isEmpty }
      #expect(hasEnded, "a daemon goes on after: \(result)", sourceLocation: sourceLocation)
    }
  }

  // MARK: Looking

  /// How many mounts there are exactly there, dead or alive; asks no mounted filesystem.
  func mountCount(_ path: String) -> Int {
    MountTableFile.mountpoints().count { $0 == path }
  }

  /// Processes of the program under test for this place, daemons that left their parents among them.
  var daemons: [pid_t] {
    processes { $0.first?.hasSuffix("bergfs") == true }
  }

  private func processes(where fits: ([String]) -> Bool = { _ in true }) -> [pid_t] {
    ProcessList.processes { arguments in fits(arguments) && arguments.contains { $0.hasPrefix(folder) } }
  }

  var logText: String { String(decoding: readFile(log), as: UTF8.self) }

  /// The failures that the mount has recorded, oldest first.
  func errorRecords() async throws -> [ErrorRecord] {
    try await shell("cat \"$M/.bergfs/errors.jsonl\"").succeeded().lines.map { try ErrorRecord($0) }
  }

  // MARK: Clearing

  private func clear() async {
    let own = MountTableFile.mountpoints().filter { $0.hasPrefix(folder + "/") }
    for path in own.sorted(by: >) { umount2(path, Int32(MNT_DETACH)) }
    for program in programs.withLock({ $0 }) {
      program.signal(SIGKILL)
      _ = await program.finished(within: .seconds(10))
    }
    // A daemon whose mount is gone ends by itself; one that does not is a fault, but none to leave behind.
    if await !eventually(within: .seconds(10), { self.processes().isEmpty }) {
      Issue.record("a process outlived its mount: \(processes().map(ProcessList.arguments(of:)))\n\(logText)")
      for pid in processes() { kill(pid, SIGKILL) }
    }
    await directory.remove()
  }
}
