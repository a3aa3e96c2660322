// SPDX-License-Identifier: Apache-2.0

import Glibc
import WireFormats

/// The AWS emulator that tests talk to: one of its own for each test process, on a free port of the loopback address, with signatures checked.
///
/// It ends with the test process, however that ends: a shell between the two waits for the end of a pipe that only the test process holds,
/// and then ends the emulator by its process id.
package final class Emulator: Sendable {
  /// `http://127.0.0.1:<port>`, for S3 (path style), Glue, DynamoDB and STS alike.
  package let endpoint: String
  package let region = "us-east-1"
  /// Keys of a user who may do everything, and whose signatures are verified.
  package let accessKeyID: String
  package let secretAccessKey: String

  /// The emulator of this process; the first call starts it. Throws if the virtual environments of the scripts are not there.
  package static func shared() async throws -> Emulator {
    try await starting.value
  }

  private static let starting = Task { try await start() }

  /// The project's root: this file stands two directories below it.
  package static let projectRoot = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()

  private init(endpoint: String, accessKeyID: String, secretAccessKey: String) {
    self.endpoint = endpoint
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
  }

  /// Catalog properties that reach the emulator, for both catalogs.
  package var properties: [String: String] {
    [
      "client.region": region, "client.access-key-id": accessKeyID, "client.secret-access-key": secretAccessKey, "s3.endpoint": endpoint,
      "s3.path-style-access": "true", "glue.endpoint": endpoint, "dynamodb.endpoint": endpoint,
    ]
  }

  /// Runs a Python script of the project with boto3 set up for the emulator through `EMULATOR_*` variables; no other `AWS_*` variable is set.
  ///
  /// - Parameters:
  ///   - script: path below the project's root.
  ///   - input: the script's standard input.
  /// - Returns: its standard output.
  @discardableResult
  package func run(_ script: String, arguments: [String] = [], input: [UInt8] = []) async throws -> [UInt8] {
    try await EmulatorThread.run { () throws(EmulatorError) in try self.script(script, arguments, input) }
  }

  private func script(_ script: String, _ arguments: [String], _ input: [UInt8]) throws(EmulatorError) -> [UInt8] {
    var environment = Self.environment
    environment["EMULATOR_ENDPOINT"] = endpoint
    environment["EMULATOR_REGION"] = region
    environment["EMULATOR_ACCESS_KEY_ID"] = accessKeyID
    environment["EMULATOR_SECRET_ACCESS_KEY"] = secretAccessKey
    return try EmulatorProcess.run(
      try Self.interpreter("clients"), ["\(Self.projectRoot)/\(script)"] + arguments, environment: environment, input: input)
  }

  /// Starts a Python script of the project that goes on until its standard input ends; see ``EmulatorProcess/spawn``.
  static func startScript(
    _ script: String, _ arguments: [String], environment own: [String: String]
  ) throws(EmulatorError) -> (pid: pid_t, input: Int32) {
    try EmulatorProcess.spawn(
      try interpreter("clients"), ["\(projectRoot)/\(script)"] + arguments, environment: environment.merging(own) { $1 }, output: 2)
  }

  /// The interpreter of one of the virtual environments that `mount-scripts` makes.
  private static func interpreter(_ name: String) throws(EmulatorError) -> String {
    let path = "\(projectRoot)/.build-tools/\(name)/bin/python"
    guard access(path, X_OK) == 0 else {
      throw EmulatorError(description: "\(path) is missing: mount-scripts/test installs it, and these tests do not run without")
    }
    return path
  }

  private static let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "TZ": "UTC"]

  private static func start() async throws(EmulatorError) -> Emulator {
    let python = try interpreter("emulator")
    return try await EmulatorThread.run { () throws(EmulatorError) in
      for _ in 0..<3 {
        if let emulator = try attempt(python) { return emulator }
      }
      throw EmulatorError(description: "the emulator did not answer on three ports; its messages stand above")
    }
  }

  /// Nil if another process took the port meanwhile, or the emulator does not answer within a minute. Blocks its thread.
  private static func attempt(_ python: String) throws(EmulatorError) -> Emulator? {
    let port = try EmulatorProcess.freePort()
    let root = Emulator(
      endpoint: "http://127.0.0.1:\(port)", accessKeyID: "AKIDEMULATORROOT", secretAccessKey: "emulator-root-secret")
    var variables = environment
    variables["GATEWAY_PORT"] = "\(port)"
    variables["BIND_HOST"] = "127.0.0.1"
    variables["AUTH"] = "true"
    variables["AWS_ACCESS_KEY_ID"] = root.accessKeyID
    variables["AWS_SECRET_ACCESS_KEY"] = root.secretAccessKey
    variables["LOG_LEVEL"] = "WARNING"
    // `read` ends when the test process closes the pipe or dies; dash gives a background job /dev/null as its input.
    let script = #"cd /; "$0" -m ministack & child=$!; read -r line; kill "$child"; wait "$child""#
    let (shell, pipe) = try EmulatorProcess.spawn("/bin/sh", ["-c", script, python], environment: variables, output: 2)
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: .seconds(60))
    while clock.now < deadline {
      if EmulatorProcess.answers(port: port, path: "/_ministack/health") {
        // The pipe stays open for the life of the process: its end is the emulator's.
        return try withUser(root)
      }
      usleep(50_000)
    }
    close(pipe)
    _ = EmulatorProcess.wait(shell)
    return nil
  }

  /// The emulator with the keys of a user: it takes any signature for its root user's.
  private static func withUser(_ root: Emulator) throws(EmulatorError) -> Emulator {
    let output = try root.script("Tests/ConformanceTests/Support/user.py", [], [])
    guard let keys = try? JSONDocument(parsing: output).root, let id = keys["accessKeyID"]?.string,
      let secret = keys["secretAccessKey"]?.string
    else { throw EmulatorError(description: "the emulator's user has no keys") }
    return Emulator(endpoint: root.endpoint, accessKeyID: id, secretAccessKey: secret)
  }
}
