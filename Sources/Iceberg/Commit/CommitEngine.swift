// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Telemetry

/// Makes a metadata document the current one of its table: the one place where bytes become an atomic commit. Source: design filesystem.md
/// §4.3, spec/glue.md §17, spec/lock-manager.md §9.
///
/// In this order: the process's own mutex for the table → the base → the check list → upload under a new name → lock manager → one
/// conditional write → release. Never a second try on a newer base: the document belongs to the base it was made from.
///
/// Safe to use from any task. A cancelled caller leaves before the upload with `cancelled`; from the upload on the commit runs to its end and
/// the caller gets its outcome.
package final class CommitEngine: Sendable {
  /// What a commit needs besides the catalog.
  package struct Settings: Sendable {
    /// Of `lock-impl`; nil for none besides the process's own mutex, which is always there and never this one.
    package var lockManager: (any LockManager)?
    /// The lock's name for a table: `<database>.<table>`, as Java writes it.
    package var lockEntity: @Sendable (TableIdentifier) -> String
    /// Milliseconds since 1970.
    package var now: @Sendable () -> Int64
    /// A new UUID, in lower case with hyphens.
    package var uuid: @Sendable () -> String
    /// For waiting and for measuring.
    package var clock: any LockClock
    /// For the mutex and the lock together: somebody waits in a system call, and the directory with them.
    package var longestLockWait: Duration
    /// Is told of uploads; nil for nobody.
    package var journal: (any WriteJournal)?
    package var metrics: Metrics
    package var logger: Logger
    package var pause: CommitPause

    package init(
      lockManager: (any LockManager)? = nil, lockEntity: @escaping @Sendable (TableIdentifier) -> String = { "\($0)" },
      now: @escaping @Sendable () -> Int64, uuid: @escaping @Sendable () -> String = { RandomUUID.text() },
      clock: any LockClock = SystemLockClock(), longestLockWait: Duration = .seconds(20), journal: (any WriteJournal)? = nil,
      metrics: Metrics, logger: Logger, pause: @escaping CommitPause = { _ in }
    ) {
      self.lockManager = lockManager
      self.lockEntity = lockEntity
      self.now = now
      self.uuid = uuid
      self.clock = clock
      self.longestLockWait = longestLockWait
      self.journal = journal
      self.metrics = metrics
      self.logger = logger
      self.pause = pause
    }
  }

  let catalog: any WritableCatalog
  let settings: Settings
  let bases = BaseDocuments()
  let mutex: InMemoryLockManager
  let reachability: Reachability

  /// - Parameters:
  ///   - catalog: whose `fileIO(for:)` writes, too; each commit asks for it.
  ///   - reachability: is asked for other entries' files before old ones are deleted; nil for one of this catalog alone.
  package init(catalog: any WritableCatalog, settings: Settings, reachability: Reachability? = nil) {
    self.catalog = catalog
    self.settings = settings
    self.reachability = reachability ?? Reachability(catalog: catalog, logger: settings.logger, clock: settings.clock)
    mutex = InMemoryLockManager(
      table: InMemoryLockTable(clock: settings.clock),
      settings: LockSettings(acquireTimeout: settings.longestLockWait), clock: settings.clock, logger: settings.logger)
  }

  /// Commits a whole document, whose base is the last entry of its own `metadata-log`.
  ///
  /// - Parameters:
  ///   - bytes: go to the object as they are.
  ///   - location: of the new file, in the table's metadata directory.
  ///   - known: the entry as the caller knows it; if it is the document's base, no other is asked for.
  ///   - creates: the table that the document makes; nil if the table is there.
  package func commit(
    fullForm bytes: [UInt8], at location: ObjectLocation, table: TableIdentifier, known: TableEntry?, creates: PendingTable?
  ) async throws(CommitFailure) -> Committed {
    try await measured(table) { preparation throws(CommitFailure) in
      guard let creates else { return try await preparation.fullForm(bytes, at: location, known: known) }
      return try await preparation.creation(bytes, at: location, of: creates)
    }
  }

  /// Commits a changed copy of the current file; the next file's name, its log and its time are made here.
  ///
  /// - Parameter known: the entry as the caller knows it; if the copy was made of its file, no other is asked for.
  package func commit(editedForm bytes: [UInt8], table: TableIdentifier, known: TableEntry?) async throws(CommitFailure) -> Committed {
    try await measured(table) { preparation throws(CommitFailure) in try await preparation.editedForm(bytes, known: known) }
  }

  // MARK: One commit

  private typealias Preparing = (CommitPreparation) async throws(CommitFailure) -> CommitPreparation.Result

  private func measured(_ table: TableIdentifier, _ prepare: Preparing) async throws(CommitFailure) -> Committed {
    let start = settings.clock.elapsed()
    let label: String
    let result: Result<Committed, CommitFailure>
    do throws(CommitFailure) {
      let committed = try await serialized(table, prepare)
      (label, result) = (committed.outcome.rawValue, .success(committed))
    } catch {
      (label, result) = (error.code.rawValue, .failure(error))
    }
    settings.metrics.add(.commits, label)
    settings.metrics.observe(.commitSeconds, label, settings.clock.elapsed() - start)
    return try result.get()
  }

  /// Runs one commit while no other of this engine runs on the table.
  private func serialized(_ table: TableIdentifier, _ prepare: Preparing) async throws(CommitFailure) -> Committed {
    guard let files = catalog.fileIO(for: table) as? any WritableFileIO else {
      throw CommitFailure(code: .failed, message: "Commit of \(table): this catalog's files can only be read.")
    }
    let start = settings.clock.elapsed()
    let lease: LockLease
    do throws(LockError) {
      lease = try await mutex.acquire("\(table)", ownerID: settings.uuid(), within: settings.longestLockWait)
    } catch {
      settings.metrics.observe(.lockWaitSeconds, "process", settings.clock.elapsed() - start)
      throw CommitFailure(error, "Commit of \(table): another commit of this mount runs", base: nil)
    }
    let waited = settings.clock.elapsed() - start
    settings.metrics.observe(.lockWaitSeconds, "process", waited)
    let prepared: CommitPreparation.Result
    do throws(CommitFailure) {
      prepared = try await prepare(CommitPreparation(engine: self, table: table, files: files))
      if case .publish = prepared, Task.isCancelled {
        throw CommitFailure(code: .cancelled, message: "Commit of \(table): interrupted before anything was sent.")
      }
    } catch {
      await mutex.release(lease)
      throw error
    }
    switch prepared {
    case .done(let committed):
      await mutex.release(lease)
      return committed
    case .publish(let plan):
      return try await publish(plan, files, lease, lockWait: max(.zero, settings.longestLockWait - waited))
    }
  }

  /// From here on the caller's cancellation changes nothing: what is done halfway is worse than what is done late.
  private func publish(
    _ plan: CommitPlan, _ files: any WritableFileIO, _ lease: LockLease, lockWait: Duration
  ) async throws(CommitFailure) -> Committed {
    let publication = CommitPublication(engine: self, plan: plan, files: files, lockWait: lockWait)
    let task = Task { [mutex] () -> Result<Committed, CommitFailure> in
      let result: Result<Committed, CommitFailure>
      do throws(CommitFailure) {
        result = .success(try await publication.run())
      } catch {
        result = .failure(error)
      }
      await mutex.release(lease)
      return result
    }
    var committed = try await task.value.get()
    committed.removed = await CommitCleanup(engine: self, plan: plan, files: files).run()
    return committed
  }
}
