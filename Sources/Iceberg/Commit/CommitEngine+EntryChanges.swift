// SPDX-License-Identifier: Apache-2.0

extension CommitEngine {
  /// Runs a change of a table's entry that is no commit (a rename, a drop) while no commit of this engine runs on the table, nor, where a lock
  /// manager is configured, of anyone who uses it: Glue's DeleteTable takes no condition, so a commit right before it would be lost with the
  /// entry. Source: spec/glue.md §14.
  ///
  /// - Parameters:
  ///   - refusal: the error for a lock that was not acquired within ``Settings/longestLockWait``.
  ///   - body: runs to its end even if the caller's task is cancelled, as far as it does so itself.
  package func exclusively<Value, Failure: Error>(
    on table: TableIdentifier, refusal: (CommitFailure) -> Failure, _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let context = "Change of the entry of \(table)"
    let start = settings.clock.elapsed()
    return try await mutex.withLock(
      "\(table)", ownerID: settings.uuid(), within: settings.longestLockWait,
      refusal: { refusal(CommitFailure($0, "\(context): a commit of this mount runs", base: nil)) },
      { _ throws(Failure) in
        guard let manager = settings.lockManager else { return try await body() }
        let rest = max(.zero, settings.longestLockWait - (settings.clock.elapsed() - start))
        return try await manager.withLock(
          settings.lockEntity(table), ownerID: "\(table)#\(settings.uuid())", within: rest,
          refusal: { refusal(CommitFailure($0, context, base: nil)) }, { _ throws(Failure) in try await body() })
      })
  }
}
