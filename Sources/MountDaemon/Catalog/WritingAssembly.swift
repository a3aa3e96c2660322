// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Configuration
import Fuse
import Glibc
import Iceberg
import IcebergAWS
import Logging
import Telemetry

/// What a mount needs besides to be written to: lock manager, commit engine, staging, journal, reachability.
struct WritingAssembly: Sendable {
  let writing: CatalogWriting
  let locks: any LockManager
  let staging: StagingArea

  /// Nil if the mount is to be read-only. Nothing is sent.
  static func make(
    _ assembly: CatalogAssembly, options: MountOptions, metrics: Metrics, logger: Logger, kernel: KernelLink
  ) throws(MountError) -> WritingAssembly? {
    guard !options.readOnly, let catalog = assembly.catalog as? any WritableCatalog else { return nil }
    let locks: any LockManager
    let staging: StagingArea
    do {
      locks = try LockManagers.from(
        properties: assembly.configuration.properties.values, factory: assembly.factory, locks: InMemoryLockTable(clock: SystemLockClock()),
        logger: logger)
      let place = try StagingPlace.prepare(options)
      staging = try StagingArea(directory: place.directory, capacity: place.capacity)
    } catch {
      throw MountError("\(error)")
    }
    let journal: (any WriteJournal)? = nil
    let engine = CommitEngine(
      catalog: catalog,
      settings: .init(
        lockManager: locks, now: { Timestamp.now / 1_000_000 }, journal: journal, metrics: metrics, logger: logger,
        pause: stopping(at: assembly.configuration.environment[stopVariable])))
    let writing = CatalogWriting(
      catalog: catalog, engine: engine, reachability: Reachability(catalog: catalog, logger: logger), staging: staging, journal: journal,
      processes: SystemProcesses(),
      permissions: .init(
        delete: options.allowDelete, deleteMinimumAge: options.deleteMinAge, drop: options.allowDrop, rename: options.allowRename),
      now: { Timestamp.now }, report: { kernel.record($0, $1, $2) },
      note: { path, message in logger.notice("\(path)", metadata: ["note": "\(message)"]) }, invalidate: { await kernel.invalidate($0) })
    return WritingAssembly(writing: writing, locks: locks, staging: staging)
  }

  /// Names a step of a commit at which the daemon stops itself, for tests that kill it there.
  private static let stopVariable = "BERGFS_STOP_AT"

  private static func stopping(at step: String?) -> CommitPause {
    guard let step, let wanted = CommitStep(rawValue: step) else { return { _ in } }
    return { reached in if reached == wanted { kill(getpid(), SIGSTOP) } }
  }
}
