// SPDX-License-Identifier: Apache-2.0

import CLinux
import CatalogFS
package import Configuration
import Fuse
import Glibc
import HTTP
import IcebergAWS
import Logging
import Processes
import Telemetry
import WireFormats

/// What the commands of the program call; each answers with the process's exit status and has written its own messages.
package enum MountEntry {
  /// Starts the daemon and returns 0 when its mount answers; 1, with one line on standard error, when there will be none.
  ///
  /// - Parameter arguments: the command line for the daemon, `-o` expanded; its properties are handed over where `ps` does not show them.
  @concurrent package static func start(options: MountOptions, configuration: CatalogConfiguration, arguments: [String]) async -> Int32 {
    for warning in configuration.warnings where !warning.isNotice { Message.warning(warning.message) }
    // The variables of `--env` are in the environment already, which the daemon inherits.
    let withoutEnvironment = arguments.filter { !$0.hasPrefix("\(CommandLineExpansion.environmentOption)=") }
    let (kept, handover) = DaemonHandover.extracting(from: withoutEnvironment)
    let output = await onThread("bergfs-start") { () throws(LifecycleError) in
      _ = try Mountpoint.prepare(options.mountpoint, logger: terminalLogger)
      return try Daemonizer.start(arguments: kept, handover: handover).output
    }
    guard let output else { return 1 }
    for line in output.split(separator: "\n") { Message.error(String(line)) }
    return 0
  }

  /// Runs blocking work on a thread of its own; nil if it failed, which has been said then.
  private static func onThread<Value: Sendable>(
    _ name: String, _ work: @escaping @Sendable () throws(LifecycleError) -> Value
  ) async -> Value? {
    switch await NamedThread.run(name, { Result(catching: work) }) {
    case .success(let value): return value
    case .failure(let error): Message.error(error.message)
    case nil: Message.error("the system has no thread left")
    }
    return nil
  }

  /// Mounts and serves until the mount is gone or a signal ends it: as the daemon of ``start(options:configuration:arguments:)``, or in the
  /// foreground.
  ///
  /// - Parameter level: reads anew from which level on to log, at SIGHUP; nil where it stays. May block.
  @concurrent package static func serve(
    options: MountOptions, configuration: CatalogConfiguration, daemon: DaemonChild?,
    level: @escaping @Sendable () -> MountOptions.LogLevel? = { nil }
  ) async -> Int32 {
    do {
      try await run(options: options, configuration: configuration, daemon: daemon, level: level)
      return 0
    } catch {
      if let daemon { daemon.failed("\(error)") } else { Message.error("\(error)") }
      return 1
    }
  }

  /// Heaps that malloc keeps apart for threads. Its own choice is eight a processor: what one thread frees the others cannot use. With one, a walk through
  /// a million files took 93 MiB instead of 111, for no more CPU time; two leave some room for threads that allocate at once.
  private static let heaps: Int32 = 2

  private static func run(
    options: MountOptions, configuration: CatalogConfiguration, daemon: DaemonChild?,
    level: @escaping @Sendable () -> MountOptions.LogLevel?
  ) async throws {
    mallopt(M_ARENA_MAX, heaps)
    let manager = ServiceManager.inherited()
    let log = try DaemonLog(options, isDaemon: daemon != nil)
    let logger = log.logger
    for warning in configuration.warnings {
      logger.log(level: warning.isNotice ? .info : .warning, "configuration", metadata: ["reason": "\(warning.message)"])
    }
    // As long as nothing is mounted a signal may simply end the process: a silent service must not keep it alive.
    signal(SIGPIPE, SIG_IGN)
    let mountpoint = try await onThread { () throws(LifecycleError) in try Mountpoint.prepare(options.mountpoint, logger: logger) }
    var resolved = options
    resolved.mountpoint = mountpoint.path
    let service = try await MountService.prepare(options: resolved, configuration: configuration, logger: logger)
    guard let signals = DaemonSignals.listen() else { throw MountError("the system has no thread or descriptor left") }
    let claim = try await onThread { () throws(LifecycleError) in try MountClaim(mountpoint, logger: logger) }
    defer { withExtendedLifetime(claim) {} }
    try service.session.mount()
    logger.notice(
      "mounted",
      metadata: ["catalog": "\(configuration.catalog)", "mountpoint": "\(resolved.mountpoint)", "version": "\(BuildVersions.current)"])
    let chores = Task { await service.writing?.cleanUpAfterTheDead() }
    defer { chores.cancel() }
    let place = "\(configuration.catalog) on \(resolved.mountpoint)"
    // Whoever unmounts waits as long for the daemon's end.
    let patience = Unmounter.patience - .seconds(5)
    try await MountLifetime(session: service.session, logger: logger).run(
      signals: signals,
      ready: {
        manager.ready(place)
        return daemon?.ready(log: log.file) ?? true
      },
      hangUp: {
        manager.reloading()
        service.reload()
        log.reload(level: level())
        manager.ready(place)
      },
      ending: { manager.stopping("unmounting \(place)", within: Unmounter.patience) })
    manager.stopping("finishing commits and uploads of \(place)", within: Unmounter.patience)
    await service.drain(within: patience, logger: logger)
    await service.closeCache()
    logger.notice("unmounted", metadata: ["mountpoint": "\(resolved.mountpoint)"])
    _ = await NamedThread.run("bergfs-end") { service.transports.shutdown() }
  }

  /// Runs what blocks on a thread of its own.
  private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws(LifecycleError) -> Value) async throws -> Value {
    let result = await NamedThread.run("bergfs-start") { () -> Result<Value, LifecycleError> in
      do throws(LifecycleError) {
        return .success(try body())
      } catch {
        return .failure(error)
      }
    }
    guard let result else { throw MountError("the system has no thread left") }
    return try result.get()
  }

  /// Waits for commits and uploads under way, unmounts, waits until the daemon has ended, and says what was never published.
  /// - Parameter mountpoint: absolute.
  @concurrent package static func umount(mountpoint: String) async -> Int32 {
    let outcome = await onThread("bergfs-umount") { () throws(LifecycleError) in
      try Unmounter.unmount(mountpoint, say: { Message.error($0) })
    }
    switch outcome {
    case .unmounted(let unpublished)?:
      for sentence in unpublished { Message.output(sentence) }
    case .clearedDeadMount?: Message.output(cleared(mountpoint))
    case nil: return 1
    }
    return 0
  }

  private static func cleared(_ mountpoint: String) -> String { "\(mountpoint): its daemon was dead; the mount is cleared" }

  /// Takes a mount away whose daemon has died; whatever else is there, or nothing, is left alone.
  /// - Parameter mountpoint: absolute.
  @concurrent package static func clearStale(mountpoint: String) async -> Int32 {
    let isCleared = await onThread("bergfs-umount") { () throws(LifecycleError) in try Unmounter.clearIfDead(mountpoint) }
    guard let isCleared else { return 1 }
    if isCleared { Message.output(cleared(mountpoint)) }
    return 0
  }

  /// Checks credentials, region, catalog, warehouse, lock table and /proc, on standard output: a line each, or one JSON document.
  ///
  /// - Returns: 0 if all is well, else the status of the first fault's kind: ``CheckFinding/Fault``.
  @concurrent package static func check(configuration: CatalogConfiguration, writes: Bool, asJSON: Bool) async -> Int32 {
    let findings: [CheckFinding]
    do throws(MountError) {
      let assembly = try await CatalogAssembly(configuration, metrics: Metrics(), logger: terminalLogger)
      findings = await CatalogCheck(assembly).findings(writes: writes)
      _ = await NamedThread.run("bergfs-end") { assembly.transports.shutdown() }
    } catch {
      findings = [.bad("properties", .configuration, error.message)]
    }
    let status = CheckFinding.exitStatus(of: findings)
    if asJSON {
      let document: JSONValue = [
        "catalog": .string(configuration.catalog), "ok": .bool(status == 0), "findings": .array(findings.map(\.document)),
      ]
      Message.output(String(decoding: document.serialized(pretty: true), as: UTF8.self))
    } else {
      for line in findings.flatMap(\.lines) { Message.output(line) }
    }
    return status
  }

  /// The versions of this program and of the C libraries it runs on.
  package static func versions() -> BuildVersions {
    let libraries = CurlTransport.libraryVersions
    return BuildVersions(
      libfuse: FuseSession.libraryVersion, libcurl: libraries.curl, openSSL: libraries.tls?.split(separator: "/").last.map(String.init))
  }

  /// For commands that talk to a person: warnings and worse on standard error.
  private static var terminalLogger: Logger {
    Logger(label: "bergfs") { _ in DaemonLogHandler(sink: LogSink(), format: .text, threshold: LogThreshold(.warning)) }
  }
}
