// SPDX-License-Identifier: Apache-2.0

import AWSCore
import CatalogFS
import Configuration
import Fuse
import Glibc
import Iceberg
import IcebergAWS
import Logging
import ObjectCache
import Processes
import Telemetry

/// A mounted catalog from its first request to its last: the only place where all modules meet.
struct MountService: Sendable {
  let session: FuseSession
  let transports: TransportPool
  let filesystem: CatalogFilesystem
  /// Nil on a read-only mount.
  let writing: WritingAssembly?
  private let cache: BlockCache
  private let assembly: CatalogAssembly

  /// Proves that the catalog can be used (keys resolved, one page listed), then puts the mount together. Nothing is mounted yet.
  static func prepare(options: MountOptions, configuration: CatalogConfiguration, logger: Logger) async throws(MountError) -> MountService {
    let metrics = Metrics()
    let budget = MemoryBudget(limit: Int(clamping: options.memoryLimit))
    let assembly = try await CatalogAssembly(configuration, uploadMemory: budget, metrics: metrics, logger: logger)
    let place = try stagingPlace(options, configuration)
    let disk = try diskCache(options, assembly, metrics: metrics, logger: logger)
    let probe = CatalogProbe(assembly: assembly)
    var sightings: [CredentialSighting] = []
    for service in assembly.services { sightings.append(try await probe.credentials(of: service)) }
    do throws(CatalogError) {
      _ = try await probe.firstPage()
    } catch {
      throw probe.failure(error.message)
    }

    let ttl = try metadataTTL(options, configuration)
    let cache = BlockCache(budget: budget, metrics: metrics, disk: disk)
    let journal = ErrorJournal()
    let documents = ControlDocuments(
      facts: .init(
        version: BuildVersions.current, options: options, configuration: configuration, metadataTTL: ttl,
        regions: try regions(assembly), credentials: { [sightings] in probe.latest(sightings) }, started: .now, startedAt: Timestamp.now),
      metrics: metrics, journal: journal, cache: cache, budget: budget)
    let kernel = KernelLink(journal: journal, metrics: metrics, logger: logger)
    let writing = try WritingAssembly.make(assembly, options: options, place: place, metrics: metrics, logger: logger, kernel: kernel)
    let filesystem = CatalogFilesystem(
      catalog: assembly.catalog, cache: cache,
      options: try treeOptions(options, configuration, ttl: ttl, isReadOnly: writing == nil),
      writing: writing?.writing, control: ControlContent { documents.content(of: $0) }, metrics: metrics, digest: { SHA256.digest($0) },
      dropInodes: { await kernel.drop($0) })
    documents.setTree { [weak filesystem] in
      filesystem.map { filesystem in .init(inodes: filesystem.inodeCount, readings: { filesystem.readings }) } ?? .init()
    }
    if let writing { documents.setWriting { [weak filesystem] in WritingStatus(filesystem, writing, configuration) } }
    let bridge = CatalogFuseFileSystem(
      filesystem: filesystem, journal: journal, metrics: metrics, logger: logger,
      owner: (uid: options.uid ?? getuid(), gid: options.gid ?? getgid()), now: { Timestamp.now })
    var mountOptions = FuseMountOptions(source: options.source ?? "bergfs#\(configuration.catalog)")
    mountOptions.isReadOnly = writing == nil
    mountOptions.allowsOther = options.allowOther
    let session = FuseSession(
      fileSystem: bridge, mountpoint: options.mountpoint, options: mountOptions, metrics: metrics, logger: logger)
    kernel.connect(session.notifier)
    return MountService(
      session: session, transports: assembly.transports, filesystem: filesystem, writing: writing, cache: cache,
      assembly: assembly)
  }

  /// Forgets keys and everything that has a time to live: the next request asks for both anew.
  func reload() {
    assembly.factory.forgetCredentials()
    filesystem.refresh()
  }

  /// Nil unless there is to be one.
  private static func diskCache(
    _ options: MountOptions, _ assembly: CatalogAssembly, metrics: Metrics, logger: Logger
  ) throws(MountError) -> DiskBlockStore? {
    do {
      guard let place = try CachePlace.prepare(options) else { return nil }
      if let warning = place.warning { logger.warning("disk cache", metadata: ["reason": "\(warning)"]) }
      let parts = DiskBlockStore.Parts(
        store: try assembly.factory.objectStore(), digest: { SHA256.digest($0) }, startThread: { NamedThread.start($0, $1) })
      return try DiskBlockStore(path: place.directory, limit: place.limit, parts: parts, metrics: metrics, logger: logger)
    } catch let error as DiskFailure {
      throw MountError("the cache directory cannot be used: \(error)")
    } catch {
      throw MountError("\(error)")
    }
  }

  /// Nil if the mount is to be read-only.
  private static func stagingPlace(_ options: MountOptions, _ configuration: CatalogConfiguration) throws(MountError) -> StagingPlace? {
    guard !options.readOnly else { return nil }
    do throws(LifecycleError) {
      let named = configuration.properties.nonEmptyString(S3FileIOKeys.stagingDirectory)
      return try StagingPlace.prepare(options, in: .init(environment: configuration.environment, namedDirectory: named))
    } catch {
      throw MountError(error.message)
    }
  }

  /// Writes what the disk cache has not written yet, as far as there is time. To be called once nothing is read any more.
  func closeCache() async {
    await cache.closeDisk(within: .seconds(5))
  }

  /// Waits for commits and uploads under way, once no request comes any more, and says what was never published.
  func drain(within limit: Duration, logger: Logger) async {
    guard let writing else { return }
    let (staged, running) = await filesystem.drain(within: limit)
    for file in staged {
      logger.warning(
        "never published", metadata: ["path": "\(file.path)", "bytes": "\(file.size)", "reason": "\(file.reason ?? "it was not closed")"])
    }
    for work in running {
      logger.error("still under way at the end", metadata: ["path": "\(work.path)", "operation": "\(work.operation)"])
    }
    await writing.locks.close()
    await writing.journal.close()
  }

  private static func metadataTTL(_ options: MountOptions, _ configuration: CatalogConfiguration) throws(MountError) -> Duration {
    do throws(PropertyValueError) {
      return try options.metadataTTL(with: configuration.properties)
    } catch {
      throw MountError("\(error)")
    }
  }

  private static func regions(_ assembly: CatalogAssembly) throws(MountError) -> [(service: String, region: String)] {
    var regions: [(service: String, region: String)] = []
    for service in assembly.services {
      do throws(IcebergAWS.PropertyError) {
        regions.append((service.name, try assembly.factory.region(of: service)))
      } catch {
        throw MountError(error.message)
      }
    }
    return regions
  }

  /// Bytes that views may take besides, at least: the names of half a million files.
  private static let leastViewMemory: Int64 = 64 << 20
  /// Versions of objects that may be remembered at most: 13 MB.
  private static let mostVersions = 65_536

  private static func treeOptions(
    _ options: MountOptions, _ configuration: CatalogConfiguration, ttl: Duration, isReadOnly: Bool
  ) throws(MountError) -> CatalogFilesystemOptions {
    let mask = options.umask ?? 0
    var tree = CatalogFilesystemOptions(
      metadataTTL: ttl, fileMode: (options.fileMode ?? 0o444) & ~mask,
      directoryMode: (options.directoryMode ?? (isReadOnly ? 0o555 : 0o755)) & ~mask,
      namespaces: options.namespaces.map { Namespace($0.split(separator: ".").map(String.init)) }, mountTime: Timestamp.now,
      listsViews: options.showViews, viewMemory: Int(clamping: max(leastViewMemory, options.memoryLimit / 4)))
    do throws(PropertyValueError) {
      let properties = configuration.properties
      tree.manifestCache = try ManifestCacheSettings(properties)
      tree.tuning = try Prefetcher.Tuning(properties)
      if try properties.boolean(AnalyticsAcceleratorKeys.enabled) == true,
        let capacity = try properties.int32(AnalyticsAcceleratorKeys.metadataStoreCapacity)
      {
        tree.mostVersions = min(max(Int(capacity), 1), mostVersions)
      }
    } catch {
      throw MountError("\(error)")
    }
    return tree
  }
}
