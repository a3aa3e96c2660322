// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Configuration
import Fuse
import Glibc
import Iceberg
import IcebergAWS
import Logging
import Processes
import Telemetry

/// What a mount needs besides to be written to: lock manager, commit engine, staging, journal, reachability.
struct WritingAssembly: Sendable {
  let writing: CatalogWriting
  let locks: any LockManager
  let staging: StagingArea
  let journal: FileWriteJournal
  private let place: StagingPlace
  private let assembly: CatalogAssembly
  private let logger: Logger

  /// Nil if the mount is to be read-only: there is no place for what is written. Nothing is sent.
  static func make(
    _ assembly: CatalogAssembly, options: MountOptions, place: StagingPlace?, metrics: Metrics, logger: Logger, kernel: KernelLink
  ) throws(MountError) -> WritingAssembly? {
    guard let place, let catalog = assembly.catalog as? any WritableCatalog else { return nil }
    let locks: any LockManager
    let staging: StagingArea
    let journal: FileWriteJournal
    let everything: any Catalog
    do {
      everything = try unfiltered(assembly, logger)
      locks = try LockManagers.from(
        properties: assembly.configuration.properties.values, factory: assembly.factory, locks: InMemoryLockTable(clock: SystemLockClock()),
        logger: logger)
      if let warning = place.warning { logger.warning("staging", metadata: ["reason": "\(warning)"]) }
      staging = try StagingArea(directory: place.directory, capacity: place.capacity)
      journal = try FileWriteJournal(directory: place.journals, label: label(assembly.configuration))
    } catch {
      throw MountError("\(error)")
    }
    let reachability = Reachability(catalog: everything, logger: logger)
    let engine = CommitEngine(
      catalog: catalog,
      settings: .init(
        lockManager: locks, now: { Timestamp.now / 1_000_000 }, journal: journal, metrics: metrics, logger: logger,
        pause: stopping(at: assembly.configuration.environment[stopVariable])), reachability: reachability)
    let writing = CatalogWriting(
      catalog: catalog, engine: engine, reachability: reachability, staging: staging, journal: journal,
      processes: SystemProcesses(), beforeFirstWrite: { await probe(assembly, logger) },
      permissions: .init(
        delete: options.allowDelete, deleteMinimumAge: options.deleteMinAge, drop: options.allowDrop, rename: options.allowRename),
      now: { Timestamp.now }, report: { kernel.record($0, $1, $2) },
      note: { path, message in logger.notice("\(path)", metadata: ["note": "\(message)"]) }, invalidate: { await kernel.invalidate($0) })
    return WritingAssembly(
      writing: writing, locks: locks, staging: staging, journal: journal, place: place, assembly: assembly, logger: logger)
  }

  /// Two catalogs of one name are told apart by where they are.
  private static func label(_ configuration: CatalogConfiguration) -> String {
    let values = configuration.properties.values
    return [configuration.catalog, values[CatalogKeys.warehouseLocation] ?? "", values[S3FileIOKeys.endpoint] ?? ""].joined(separator: " ")
  }

  /// The catalog with the entries that the mount does not show for their names: what they reach is in use all the same.
  private static func unfiltered(_ assembly: CatalogAssembly, _ logger: Logger) throws(IcebergAWS.PropertyError) -> any Catalog {
    var properties = assembly.configuration.properties.values
    properties[AwsKeys.glueSkipNameValidation] = "true"
    return try CatalogLoader.load(name: assembly.configuration.catalog, properties: properties, factory: assembly.factory, logger: logger)
  }

  /// Gives up uploads that killed daemons left, and names the files they may have made.
  func cleanUpAfterTheDead() async {
    guard let files = Self.files(of: assembly.catalog) else { return }
    await cleanUp(files)
  }

  /// Any table's: the places of one catalog's files are all reached alike.
  private static func files(of catalog: any Catalog) -> (any WritableFileIO)? {
    catalog.fileIO(for: CatalogProbe.anyTable) as? any WritableFileIO
  }

  /// Finds out whether the S3 server keeps conditions. AWS does, so only other endpoints are asked.
  private static func probe(_ assembly: CatalogAssembly, _ logger: Logger) async {
    switch await CatalogProbe(assembly: assembly).conditionalWrites() {
    case .kept, nil: break
    case .ignored, .refused: logger.warning("\(CatalogCheck.noConditions)")
    case .unknown(let error): logger.info("whether this S3 server keeps conditions is not known", metadata: ["reason": "\(error)"])
    }
  }

  private func cleanUp(_ files: any WritableFileIO) async {
    let (directory, label) = (place.journals, Self.label(assembly.configuration))
    let found = await NamedThread.run("bergfs-journal") { () -> Result<[AbandonedWrite], FileIOError> in
      do throws(FileIOError) {
        return .success(try FileWriteJournal.leftBehind(in: directory, label: label))
      } catch {
        return .failure(error)
      }
    }
    switch found {
    case .success(let writes):
      guard !writes.isEmpty else { return }
      for cleaned in await WriteCleaning(directory: directory).cleanUp(writes, using: files) {
        logger.notice("left by a daemon that was killed", metadata: ["note": "\(cleaned.sentence)"])
      }
    case .failure(let error): logger.warning("journals of earlier daemons cannot be read", metadata: ["reason": "\(error.message)"])
    case nil: break
    }
  }

  /// Names a step of a commit at which the daemon stops itself, for tests that kill it there.
  private static let stopVariable = "BERGFS_STOP_AT"

  private static func stopping(at step: String?) -> CommitPause {
    guard let step, let wanted = CommitStep(rawValue: step) else { return { _ in } }
    // To the thread that commits: of a signal to the process another thread may be the one to hear, and this one runs on until it does.
    return { reached in if reached == wanted { raise(SIGSTOP) } }
  }
}
