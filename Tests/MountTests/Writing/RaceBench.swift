// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import WireFormats

/// Two mounts of one catalog and a table of their own, writers that race for it, and a check by boto3 of what became of their commits.
///
/// The writers are programs in `RaceSupport/`: each sets a property of its own to the number of its attempt, so that every commit can be found
/// in the table's history, and says on standard output what it was told.
struct RaceBench: Sendable {
  /// How a writer on a mount commits; see `mount_writer.py`.
  enum Form: String, Sendable {
    case edited, full, shell
  }

  /// Whether `mount-scripts/test --long` runs.
  static let isLong = ProcessInfo.processInfo.environment["BERGFS_TEST_LONG"] != nil
  /// What a race may take; it needs a tenth of that even on a slow machine.
  static let patience = Duration.seconds(isLong ? 900 : 240)
  private static var patienceText: String { "\(patience.components.seconds)" }
  private static let programs = ProjectFiles.root + "/Tests/MountTests/Writing/RaceSupport/"

  let emulator: EmulatorWithSeed
  let table: OwnTable
  let lockTable: String?
  let mounts: [MountedCatalog]

  /// Makes the table, mounts its catalog twice, runs `body` and unmounts.
  ///
  /// - Parameters:
  ///   - name: of the namespace, `test_…`.
  ///   - firstProxy: between the first mount and the emulator.
  static func with<Result: Sendable>(
    _ metastore: Metastore, _ name: String, hasLocks: Bool, options: [String] = [], firstProxy: CountingProxy? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (RaceBench) async throws -> Result
  ) async throws -> Result {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable(name + ".orders", in: metastore)
    let place = [emulator.endpoint, EmulatorWithSeed.region]
    try await client("foreign_writer.py", ["keep-history"] + place + [metastore.rawValue, table.namespace, table.name], emulator)
      .succeeded()
    let lockTable = hasLocks ? name + "_locks" : nil
    let settings = MountSettings(metastore, options: options, properties: properties(metastore, lockTable, emulator))
    var firstSettings = settings
    firstSettings.proxy = firstProxy
    return try await MountedCatalog.with(firstSettings, sourceLocation: sourceLocation) { first in
      try await MountedCatalog.with(settings, sourceLocation: sourceLocation) { second in
        try await body(RaceBench(emulator: emulator, table: table, lockTable: lockTable, mounts: [first, second]))
      }
    }
  }

  /// Short leases: a waiter may have to wait for one.
  private static func properties(_ metastore: Metastore, _ lockTable: String?, _ emulator: EmulatorWithSeed) -> [String: String?] {
    var properties: [String: String?] = [
      "client.access-key-id": emulator.owner.access, "client.secret-access-key": emulator.owner.secret,
      "dynamodb.endpoint": emulator.endpoint,
    ]
    guard let lockTable else { return properties }
    properties["lock-impl"] = "org.apache.iceberg.aws.dynamodb.DynamoDbLockManager"
    properties["lock.table"] = lockTable
    properties["lock.heartbeat-timeout-ms"] = "900"
    properties["lock.heartbeat-interval-ms"] = "300"
    properties["lock.acquire-interval-ms"] = "50"
    return properties
  }

  /// For files of the tests, outside of the mounts.
  var directory: String { mounts[0].workspace.directory.path }
  /// A file that does not exist yet, for writers to wait for.
  private var untilFile: String { directory + "/until" }

  func namespacePath(on mount: Int) -> String { mounts[mount].path + "/" + table.namespace }

  /// Lets writers end that wait for ``untilFile``.
  func endWaiting() throws {
    try mounts[0].workspace.directory.write("", to: "until")
  }

  // MARK: Writers

  /// Starts a writer on one of the mounts.
  ///
  /// - Parameters:
  ///   - name: of the writer, unlike all others.
  ///   - quota: commits after which it may end.
  ///   - waits: it goes on until ``endWaiting()``.
  ///   - names: under which the table may be, `namespace/name`; nil for the one it was made with.
  func startWriter(_ form: Form, _ name: String, on mount: Int, quota: Int, waits: Bool = false, names: [String]? = nil) throws
    -> RunningProcess
  {
    let directories = (names ?? [table.path]).map { mounts[mount].path + "/" + $0 }
    let words = [form.rawValue, name, "\(quota)", Self.patienceText, waits ? untilFile : "/"]
    return try Shell.start("/usr/bin/python3", [Self.programs + "mount_writer.py"] + words + directories, input: [])
  }

  /// Starts another program of `RaceSupport/`; its last argument is the time that it may take.
  func startProgram(_ program: String, _ arguments: [String]) throws -> RunningProcess {
    try Shell.start("/usr/bin/python3", [Self.programs + program] + arguments + [Self.patienceText], input: [])
  }

  /// Starts PyIceberg on Glue or the protocol of Iceberg's catalog on DynamoDB, and waits for its first attempt. It goes on until
  /// ``endWaiting()``.
  func startForeignWriter(_ name: String, quota: Int) async throws -> RunningProcess {
    let kind = table.metastore == .glue ? "pyiceberg" : "dynamodb"
    let words = [
      kind, emulator.endpoint, EmulatorWithSeed.region, table.namespace, table.name, name, "\(quota)", Self.patienceText, untilFile,
    ]
    let writer = try Shell.start(
      ProjectFiles.clientsPython, [Self.programs + "foreign_writer.py"] + words, environment: Self.environment(emulator), input: [])
    _ = await eventually { !writer.output.isEmpty || writer.status != nil }
    return writer
  }

  /// How many commits a writer was told of so far.
  func acceptedCount(of writer: RunningProcess) -> Int {
    String(decoding: writer.output, as: UTF8.self).split(separator: "\n").count { $0.contains("accepted") }
  }

  /// Waits until a writer has ended well. Returns the lines that say what it was told.
  func lines(of writer: RunningProcess) async throws -> [UInt8] {
    try await writer.finished(within: Self.patience + .seconds(60)).succeeded().output
  }

  // MARK: Afterwards

  /// Compares what the writers were told with the history of the table.
  ///
  /// - Parameter names: under which the table may be, in its namespace; nil for the one it was made with.
  func totals(_ lines: [UInt8], names: [String]? = nil) async throws -> RaceTotals {
    let words = [table.metastore.rawValue, emulator.endpoint, EmulatorWithSeed.region, lockTable ?? "-", table.namespace]
    let answer = try await Self.client("check_history.py", words + (names ?? [table.name]), emulator, input: lines).succeeded()
    return try RaceTotals(JSONDocument(parsing: answer.output).root)
  }

  /// Where the entry of a table in the namespace points.
  func pointer(of table: String) async throws -> String? {
    try await emulator.account(["pointer", self.table.metastore.rawValue, self.table.namespace, table])["metadata_location"]?.string
  }

  private static func client(_ program: String, _ arguments: [String], _ emulator: EmulatorWithSeed, input: [UInt8] = []) async throws
    -> ProcessResult
  {
    try await TestSlots.clients.occupied {
      try await Shell.run(
        ProjectFiles.clientsPython, [programs + program] + arguments, environment: environment(emulator), input: input,
        within: patience)
    }
  }

  private static func environment(_ emulator: EmulatorWithSeed) -> [String: String] {
    [
      "SEED_ACCESS_KEY": emulator.owner.access, "SEED_SECRET_KEY": emulator.owner.secret, "PYTHONPATH": ProjectFiles.scripts,
      "PYTHONDONTWRITEBYTECODE": "1",
    ]
  }
}
