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
  let root: Node
  let inodes: InodeTable
  let handles: HandleTable
  let objectListings: ListingCache<ObjectLocation, ObjectDirectoryListing>
  let namespaceListings: ListingCache<Namespace, NamespaceListing>
  private let tables = Mutex<[TableIdentifier: TableState]>([:])
  private let namespaces = Mutex<[Namespace: NamespaceSighting]>([:])

  struct NamespaceSighting: Sendable {
    var entry: NamespaceEntry?
    var asked: ContinuousClock.Instant
    var epoch: UInt64
  }

  /// - Parameters:
  ///   - digest: SHA-256, for names that are too long to be shown.
  ///   - now: the clock that ages listings.
  package init(
    catalog: any Catalog, cache: BlockCache, options: CatalogFilesystemOptions, control: ControlContent, metrics: Metrics,
    digest: @escaping @Sendable ([UInt8]) -> [UInt8],
    now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
  ) {
    self.catalog = catalog
    self.cache = cache
    self.options = options
    self.control = control
    self.metrics = metrics
    codec = NameCodec(digest: digest)
    freshness = Freshness(timeToLive: options.metadataTTL, now: now)
    root = Node(kind: .root, inode: 1, parent: nil, name: EntryName(""))
    inodes = InodeTable(root: root)
    handles = HandleTable(metrics: metrics)
    // 512 directories of one page are about 60 MB; larger listings belong to the handles that read them.
    objectListings = ListingCache(capacity: 512, freshness: freshness) { $0.pages.asked }
    namespaceListings = ListingCache(capacity: 512, freshness: freshness) { $0.pages.asked }
  }

  /// Forgets everything that has a time to live: the next look asks catalog and S3 again.
  package func refresh() {
    freshness.expireAll()
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

  func node(_ inode: UInt64) throws(FilesystemError) -> Node {
    guard let node = inodes[inode] else { throw FilesystemError(.stale, "inode \(inode) is not known to this mount any more") }
    return node
  }

  /// The one state of a table in this mount.
  func table(_ identifier: TableIdentifier) -> TableState {
    if let known = tables.withLock({ $0[identifier] }) { return known }
    let made = TableState(identifier: identifier, catalog: catalog, freshness: freshness)
    return tables.withLock { tables in
      if let known = tables[identifier] { return known }
      tables[identifier] = made
      return made
    }
  }

  /// A namespace's entry, not older than the TTL; nil if there is none.
  func namespaceEntry(_ namespace: Namespace) async throws(FilesystemError) -> NamespaceEntry? {
    if let known = namespaces.withLock({ $0[namespace] }), freshness.isFresh(known.asked, epoch: known.epoch) { return known.entry }
    let asked = freshness.now()
    let epoch = freshness.epoch
    let entry: NamespaceEntry?
    do throws(CatalogError) {
      entry = try await catalog.loadNamespace(namespace)
    } catch {
      throw FilesystemError(error)
    }
    remember(namespace, entry, asked: asked, epoch: epoch)
    return entry
  }

  func remember(_ namespace: Namespace, _ entry: NamespaceEntry?, asked: ContinuousClock.Instant, epoch: UInt64) {
    namespaces.withLock { namespaces in
      if let entry {
        namespaces[namespace] = NamespaceSighting(entry: entry, asked: asked, epoch: epoch)
      } else {
        namespaces[namespace] = nil
      }
    }
  }

  func knownNamespace(_ namespace: Namespace) -> NamespaceEntry? {
    namespaces.withLock { $0[namespace]?.entry }
  }
}
