// SPDX-License-Identifier: Apache-2.0

package import Iceberg
package import ObjectCache
import Synchronization
package import Telemetry

/// A mounted catalog as POSIX sees it: names, attributes, listings and bytes. Knows no FUSE and no AWS.
///
/// Safe from any thread. What is known answers without suspending; everything else waits for at most the deadlines of the catalog and file
/// access below. Errors are ``FilesystemError``; a message in one is worth a line in `errors.jsonl`.
/// Source: docs/semantics.md.
package final class CatalogFilesystem: Sendable {
  package let options: CatalogFilesystemOptions
  let catalog: any Catalog
  let cache: BlockCache
  let codec: NameCodec
  let control: ControlContent
  let metrics: Metrics
  let freshness: Freshness
  /// Nil on a read-only mount.
  let writing: CatalogWriting?
  let writes: WriteState
  let local: LocalEntries
  let root: Node
  let inodes: InodeTable
  let handles: HandleTable
  let objectListings: ListingCache<ObjectLocation, ObjectDirectoryListing>
  /// Parts of listings of large directories, around the name that was looked at last.
  let neighbourhoods: ListingCache<ObjectLocation, ObjectDirectoryListing>
  let namespaceListings: ListingCache<Namespace, NamespaceListing>
  /// What is known of snapshots that somebody looks at.
  let views: ViewCache
  let manifestContents: ManifestContents
  let versions: ObjectVersions
  /// Walks through sibling directories that are under way.
  let walks = Mutex(WalkDetector())
  /// Lock order: this one, then that of a table.
  private let tables = Mutex(Tables())
  private let namespaces = Mutex<[Namespace: NamespaceSighting]>([:])

  fileprivate struct Tables {
    var states: [TableIdentifier: TableState] = [:]
    /// How often this mount has given the table of a name another one.
    var generations: [TableIdentifier: UInt64] = [:]
    /// How many states there may be before those are let go of that nobody needs.
    var limit = CatalogFilesystem.fewestTables
  }

  private struct NamespaceSighting: Sendable {
    var entry: NamespaceEntry
    var asked: ContinuousClock.Instant
    var epoch: UInt64
  }

  /// States of tables, some 500 bytes each, below which none is let go of.
  fileprivate static let fewestTables = 4_096

  /// - Parameters:
  ///   - writing: nil for a read-only mount.
  ///   - digest: SHA-256, for names that are too long to be shown.
  ///   - now: the clock that ages listings.
  ///   - dropInodes: asks the kernel to let go of inodes, of those that are in use in vain; returns when it was told. It is never awaited by a
  ///     request.
  package convenience init(
    catalog: any Catalog, cache: BlockCache, options: CatalogFilesystemOptions, writing: CatalogWriting? = nil, control: ControlContent,
    metrics: Metrics, digest: @escaping @Sendable ([UInt8]) -> [UInt8],
    now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now },
    dropInodes: (@Sendable ([DroppableInode]) async -> Void)? = nil
  ) {
    self.init(
      catalog: catalog, cache: cache, options: options, writing: writing, control: control, metrics: metrics, digest: digest, now: now,
      inodeLimits: InodeTable.Limits(), dropInodes: dropInodes)
  }

  init(
    catalog: any Catalog, cache: BlockCache, options: CatalogFilesystemOptions, writing: CatalogWriting? = nil, control: ControlContent,
    metrics: Metrics, digest: @escaping @Sendable ([UInt8]) -> [UInt8], now: @escaping @Sendable () -> ContinuousClock.Instant,
    inodeLimits: InodeTable.Limits, dropInodes: (@Sendable ([DroppableInode]) async -> Void)?
  ) {
    let contents = ManifestContents(options.manifestCache, now: now)
    manifestContents = contents
    versions = ObjectVersions(most: options.mostVersions)
    views = ViewCache(limit: options.viewMemory, now: now, alsoSweep: { contents.sweep() })
    self.catalog = catalog
    self.cache = cache
    self.options = options
    self.control = control
    self.metrics = metrics
    codec = NameCodec(digest: digest)
    freshness = Freshness(timeToLive: options.metadataTTL, now: now)
    self.writing = writing
    writes = WriteState(now: now)
    local = LocalEntries(freshness: freshness)
    root = Node(kind: .root, inode: 1, parent: nil, name: EntryName(""))
    inodes = InodeTable(root: root, limits: inodeLimits, drop: dropInodes)
    handles = HandleTable(metrics: metrics)
    // 512 directories; of objects about 15 MB, of tables as much.
    neighbourhoods = ListingCache(
      limits: .init(listings: 64, rows: 64_000), freshness: freshness, started: { $0.pages.started }, rows: { $0.pages.rowsInMemory })
    objectListings = ListingCache(
      limits: .init(listings: 512, rows: 150_000), freshness: freshness, started: { $0.pages.started }, rows: { $0.pages.rowsInMemory })
    namespaceListings = ListingCache(
      limits: .init(listings: 512, rows: 51_200), freshness: freshness, started: { $0.pages.started }, rows: { $0.pages.rowsInMemory })
  }

  /// Forgets everything that has a time to live: the next look asks catalog and S3 again.
  package func refresh() {
    freshness.expireAll()
    versions.forgetAll()
  }

  /// Whether an inode is `.iceberg` of a table or below it.
  package func isView(inode: UInt64) -> Bool {
    inodes[inode]?.isView ?? false
  }

  /// The path of an inode below the mount point, for messages.
  package func path(of inode: UInt64) -> String {
    inodes[inode]?.path ?? "inode \(inode)"
  }

  /// Inodes that the kernel knows, the root among them.
  package var inodeCount: Int { inodes.count }

  /// The kernel drops lookup counts of an inode.
  package func forget(inode: UInt64, count: UInt64) {
    inodes.forget(inode, count: count)
  }

  /// Throws `stale` for what the kernel holds of a table under the name that it had before this mount renamed it. The kernel moves its names with
  /// a rename and would take them for those of whatever has the old name now; at ESTALE it looks the path up again.
  func node(_ inode: UInt64) throws(FilesystemError) -> Node {
    guard let node = inodes[inode] else { throw FilesystemError(.stale, "inode \(inode) is not known to this mount any more") }
    if let table = node.table, table.isRenamed { throw FilesystemError(.stale, "table \(table.identifier) has another name now") }
    return node
  }

  /// The state of a table that this mount has renamed is done with; the next look at its name makes a new one.
  func tableRenamed(_ table: TableState) {
    table.becomesRenamed()
    tables.withLock { tables in
      tables.generations[table.identifier, default: 0] += 1
      if tables.states[table.identifier] === table { tables.states[table.identifier] = nil }
    }
  }

  /// States of tables in memory.
  var knownTableCount: Int { tables.withLock { $0.states.count } }

  /// The one state of a table in this mount.
  func table(_ identifier: TableIdentifier) -> TableState {
    if let known = tables.withLock({ $0.states[identifier] }) { return known }
    let generation = tables.withLock { $0.generations[identifier] ?? 0 }
    let key = TableKey(identifier: identifier, generation: generation)
    let made = TableState(key: key, catalog: catalog, freshness: freshness, largestMetadata: options.largestMetadata)
    let now = freshness.now()
    let (state, gone) = tables.withLock { tables -> (TableState, [TableState]) in
      if let known = tables.states[identifier] { return (known, []) }
      // One that was renamed away between the look and now: this state is for this caller alone, and asks the catalog.
      guard tables.generations[identifier] ?? 0 == generation else { return (made, []) }
      tables.states[identifier] = made
      return (made, tables.states.count > tables.limit ? tables.sweep(at: now) : [])
    }
    // Freed here, outside the lock.
    _ = gone
    return state
  }

  /// A namespace's entry, not older than the TTL; nil if there is none.
  func namespaceEntry(_ namespace: Namespace) async throws(FilesystemError) -> NamespaceEntry? {
    let epoch = freshness.epoch
    let asked = freshness.now()
    if let known = namespaces.withLock({ $0[namespace] }), freshness.isFresh(known.asked, epoch: known.epoch, at: asked) {
      return known.entry
    }
    let entry: NamespaceEntry?
    do throws(CatalogError) {
      entry = try await catalog.loadNamespace(namespace)
    } catch {
      throw FilesystemError(error)
    }
    if let entry {
      remember(entry, asked: asked, epoch: epoch)
    } else {
      namespaces.withLock { $0[namespace] = nil }
    }
    return entry
  }

  /// Keeps what was said of a namespace, unless an answer to a later question came before it.
  func remember(_ entry: NamespaceEntry, asked: ContinuousClock.Instant, epoch: UInt64) {
    namespaces.withLock { namespaces in
      if let known = namespaces[entry.namespace], known.asked > asked { return }
      namespaces[entry.namespace] = NamespaceSighting(entry: entry, asked: asked, epoch: epoch)
    }
  }

  /// The next look at a namespace asks the catalog.
  func forgetNamespace(_ namespace: Namespace) {
    namespaces.withLock { $0[namespace] = nil }
    namespaceListings.forget(namespace)
    namespaceListings.forget(Namespace(namespace.levels.dropLast()))
  }

  /// The inode number of an identity, for the kernel's caches.
  func inode(of identity: Node.Identity) -> UInt64 { inodes.number(of: identity) }

  func knownNamespace(_ namespace: Namespace) -> NamespaceEntry? {
    namespaces.withLock { $0[namespace]?.entry }
  }
}

extension CatalogFilesystem.Tables {
  /// Takes out the states that no node, no request and no listing within its time to live needs.
  fileprivate mutating func sweep(at now: ContinuousClock.Instant) -> [TableState] {
    var gone: [TableState] = []
    for identifier in Array(states.keys) {
      guard var state = states.removeValue(forKey: identifier) else { continue }
      if !state.isFresh(at: now), isKnownUniquelyReferenced(&state) {
        gone.append(state)
      } else {
        states[identifier] = state
      }
    }
    limit = max(CatalogFilesystem.fewestTables, states.count * 2)
    return gone
  }
}
