// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// What a mount that may be written to has besides a read-only one.
package struct CatalogWriting: Sendable {
  package var catalog: any WritableCatalog
  package var engine: CommitEngine
  package var reachability: Reachability
  package var staging: StagingArea
  /// Of uploads; nil in tests that look at none.
  package var journal: (any WriteJournal)?
  package var processes: any CallerProcesses
  /// Runs once, before the first object is written.
  package var beforeFirstWrite: @Sendable () async -> Void
  package var permissions: Permissions
  /// Nanoseconds since 1970.
  package var now: @Sendable () -> Int64
  /// Told of what ended where no caller could be answered: path, operation, why.
  package var report: @Sendable (_ path: String, _ operation: String, _ error: FilesystemError) -> Void
  /// Told of what a person may want to know of a success: path and sentence.
  package var note: @Sendable (_ path: String, _ message: String) -> Void
  /// Lets the kernel forget the attributes of inodes; must not wait for a request that is under way.
  package var invalidate: @Sendable (_ inodes: [UInt64]) async -> Void

  /// What may be destroyed.
  package struct Permissions: Sendable, Hashable {
    /// `--allow-delete`
    package var delete: Bool
    /// `--delete-min-age`
    package var deleteMinimumAge: Duration
    /// `--allow-drop`
    package var drop: Bool
    /// `--allow-rename`
    package var rename: Bool

    package init(delete: Bool = false, deleteMinimumAge: Duration = .seconds(3 * 86_400), drop: Bool = false, rename: Bool = false) {
      self.delete = delete
      self.deleteMinimumAge = deleteMinimumAge
      self.drop = drop
      self.rename = rename
    }
  }

  package init(
    catalog: any WritableCatalog, engine: CommitEngine, reachability: Reachability, staging: StagingArea, journal: (any WriteJournal)?,
    processes: any CallerProcesses, beforeFirstWrite: @escaping @Sendable () async -> Void = {}, permissions: Permissions,
    now: @escaping @Sendable () -> Int64,
    report: @escaping @Sendable (String, String, FilesystemError) -> Void = { _, _, _ in },
    note: @escaping @Sendable (String, String) -> Void = { _, _ in }, invalidate: @escaping @Sendable ([UInt64]) async -> Void = { _ in }
  ) {
    self.catalog = catalog
    self.engine = engine
    self.reachability = reachability
    self.staging = staging
    self.journal = journal
    self.processes = processes
    self.beforeFirstWrite = beforeFirstWrite
    self.permissions = permissions
    self.now = now
    self.report = report
    self.note = note
    self.invalidate = invalidate
  }
}
