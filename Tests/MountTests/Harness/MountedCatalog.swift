// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

/// How a catalog is to be mounted.
struct MountSettings: Sendable {
  var metastore: Metastore
  /// Further options of `bergfs mount`.
  var options: [String] = []
  /// Set or, with nil, left out of the configuration file.
  var properties: [String: String?] = [:]
  /// The proxy between the daemon and the emulator.
  var proxy: CountingProxy?
  /// Whose keys the daemon has: those of one who may do everything, or may only read.
  var mayWrite = false
  /// Mounts the catalog of ``EmulatorWithSeed/withoutSeed()``.
  var isWithoutSeed = false
  /// Variables of the daemon besides `HOME` and `PATH`.
  var environment: [String: String] = [:]

  init(_ metastore: Metastore, options: [String] = [], properties: [String: String?] = [:], proxy: CountingProxy? = nil) {
    self.metastore = metastore
    self.options = options
    self.properties = properties
    self.proxy = proxy
  }

  /// The text of `.pyiceberg.yaml` for the catalog `lake`.
  func configuration(_ emulator: EmulatorWithSeed) throws -> String {
    let endpoint = proxy?.endpoint ?? emulator.endpoint
    let keys = mayWrite ? emulator.owner : emulator.reader
    var all: [String: String?] = [
      "type": metastore.rawValue,
      "warehouse": try emulator.warehouse(metastore),
      "client.region": isWithoutSeed ? EmulatorWithSeed.emptyRegion : EmulatorWithSeed.region,
      "client.access-key-id": keys.access,
      "client.secret-access-key": keys.secret,
      "\(metastore.rawValue).endpoint": endpoint,
      "s3.endpoint": endpoint,
      "s3.force-virtual-addressing": "false",
    ]
    // Of the lock table, whatever the catalog.
    all["dynamodb.endpoint"] = .some(endpoint)
    all.merge(properties) { $1 }
    let lines = all.sorted { $0.key < $1.key }.compactMap { key, value in value.map { "    \(key): \"\($0)\"" } }
    return (["catalog:", "  lake:"] + lines).joined(separator: "\n") + "\n"
  }
}

/// A directory with a configuration, a log and a mountpoint, from which `bergfs` is run.
struct MountWorkspace: Sendable {
  let emulator: EmulatorWithSeed
  let settings: MountSettings
  let directory: TemporaryDirectory

  var mountpoint: String { directory.file("lake") }
  var configurationFile: String { directory.file(".pyiceberg.yaml") }
  var logFile: String { directory.file("daemon.log") }

  init(_ settings: MountSettings) async throws {
    emulator = try await settings.isWithoutSeed ? EmulatorWithSeed.withoutSeed() : EmulatorWithSeed.shared()
    self.settings = settings
    directory = try TemporaryDirectory()
    try directory.write(settings.configuration(emulator), to: ".pyiceberg.yaml")
    mkdir(mountpoint, 0o755)
  }

  /// Runs `bergfs` in an environment without AWS or PyIceberg variables, but for the one that keeps away from a real instance's keys.
  func bergfs(_ arguments: [String], environment: [String: String] = [:], within limit: Duration = .seconds(30)) async throws
    -> ProcessResult
  {
    try await Shell.run(
      ProjectFiles.bergfs, arguments,
      environment: ["HOME": directory.path, "AWS_EC2_METADATA_DISABLED": "true"].merging(environment) { $1 }, directory: directory.path,
      within: limit)
  }

  /// Runs `bergfs mount lake` with the settings' options.
  func mount(environment: [String: String] = [:]) async throws -> ProcessResult {
    try await bergfs(
      ["mount", "lake", mountpoint, "--config", configurationFile, "--log-file", logFile] + settings.options,
      environment: settings.environment.merging(environment) { $1 })
  }

  var isMounted: Bool { MountTableFile.mountpoints().contains(mountpoint) }

  /// Process ids of daemons that serve this mountpoint.
  var daemons: [pid_t] { ProcessList.processes { $0.contains(mountpoint) && $0.first?.hasSuffix("bergfs") == true } }

  /// What the daemon has logged.
  func log() async -> String {
    (try? await Shell.run("cat", [logFile]).text) ?? ""
  }

  /// Takes away what is left, by force where needed. For the end of tests that failed or that killed the daemon.
  func discard() async {
    if isMounted { _ = try? await Shell.run("umount", ["-l", mountpoint]) }
    for daemon in daemons { kill(daemon, SIGKILL) }
    await directory.remove()
  }
}

/// A catalog mounted by the real program in the real kernel.
struct MountedCatalog: Sendable {
  let workspace: MountWorkspace
  let seed: SeededCatalog

  var path: String { workspace.mountpoint }
  var emulator: EmulatorWithSeed { workspace.emulator }

  /// Mounts, runs `body`, unmounts, and checks that nothing is left. At most two of these go on at once: the machine is small.
  static func with<Result: Sendable>(
    _ metastore: Metastore, options: [String] = [], properties: [String: String?] = [:], proxy: CountingProxy? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (MountedCatalog) async throws -> Result
  ) async throws -> Result {
    try await with(
      MountSettings(metastore, options: options, properties: properties, proxy: proxy), sourceLocation: sourceLocation, body)
  }

  static func with<Result: Sendable>(
    _ settings: MountSettings, sourceLocation: SourceLocation = #_sourceLocation, _ body: (MountedCatalog) async throws -> Result
  ) async throws -> Result {
    try await TestSlots.mounts.occupied {
      let workspace = try await MountWorkspace(settings)
      do {
        try await workspace.mount().succeeded(sourceLocation: sourceLocation)
        let mounted = MountedCatalog(workspace: workspace, seed: try workspace.emulator.catalog(settings.metastore))
        let result = try await body(mounted)
        try await mounted.unmount(sourceLocation: sourceLocation)
        await workspace.directory.remove()
        return result
      } catch {
        Issue.record("the daemon's log: \(await workspace.log().suffix(4000))", sourceLocation: sourceLocation)
        await workspace.discard()
        throw error
      }
    }
  }

  /// A script in bash with the mountpoint as `$M` and a writable directory as `$T`.
  func shell(
    _ script: String, _ variables: [String: String] = [:], input: [UInt8] = [], within limit: Duration = Shell.limit
  ) async throws -> ProcessResult {
    let own = ["M": path, "T": workspace.directory.path]
    return try await Shell.bash(script, own.merging(variables) { $1 }, directory: workspace.directory.path, input: input, within: limit)
  }

  /// A Python program, with the mountpoint as `sys.argv[1]` and further arguments after it.
  func python(_ program: String, _ arguments: [String] = []) async throws -> ProcessResult {
    try await Shell.run("/usr/bin/python3", ["-c", program, path] + arguments, directory: workspace.directory.path)
  }

  /// Unmounts by `bergfs umount`, which returns when the daemon has ended.
  func unmount(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    try await workspace.bergfs(["umount", path]).succeeded(sourceLocation: sourceLocation)
    #expect(!workspace.isMounted, "the mount is left behind", sourceLocation: sourceLocation)
    #expect(workspace.daemons == [], "a daemon is left behind", sourceLocation: sourceLocation)
  }
}
