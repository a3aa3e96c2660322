// SPDX-License-Identifier: Apache-2.0

/// Lets one owner at a time commit to a table. Source: spec/lock-manager.md §1, §9.
///
/// A lock saves wasted work and keeps Java's committers with a lock manager apart; no fencing token reaches the catalog, so what makes a
/// commit safe is its conditional write alone. Not reentrant: an owner that holds a lock waits for it like any other.
package protocol LockManager: Sendable {
  /// Waits until the lock is free and takes it.
  ///
  /// Cancelling the task ends the wait at once; a lock that is taken in that moment is given back without the caller.
  ///
  /// - Parameters:
  ///   - entityID: `<database>.<table>`, as Java writes it.
  ///   - ownerID: new for every commit, as Java's: the location of the new metadata file. Where an earlier attempt may have used the same
  ///     location, `#` and a random text are appended: the conditions of a lock table cannot tell two attempts of one owner apart.
  ///   - limit: waits no longer than this and than `lock.acquire-timeout-ms`.
  /// - Returns: a lease that the caller gives to ``release(_:)``. Its renewal stops when the last reference to it is gone.
  func acquire(_ entityID: String, ownerID: String, within limit: Duration?) async throws(LockError) -> LockLease

  /// Ends a lease and frees the lock, also when the task is cancelled. Must not change the result of what the lock was for.
  ///
  /// - Returns: whether the lock was held by this lease and is free now. Where it cannot be freed at once, it is tried again later without
  ///   the caller, and others can take the lock after its lease anyway.
  @discardableResult
  func release(_ lease: LockLease) async -> Bool

  /// Ends all renewals and waits for what is still to be given back. Locks that are held stay, until released or until their lease ends;
  /// nothing more can be acquired.
  func close() async
}

extension LockManager {
  /// Takes the lock, runs the body, and frees the lock in any case; how freeing it went changes nothing.
  ///
  /// - Parameters:
  ///   - refusal: the error for a lock that was not acquired.
  ///   - body: looks at ``LockLease/isLost`` right before its conditional write.
  package func withLock<Value, Failure: Error>(
    _ entityID: String, ownerID: String, within limit: Duration? = nil, refusal: (LockError) -> Failure,
    _ body: (LockLease) async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let lease: LockLease
    do {
      lease = try await acquire(entityID, ownerID: ownerID, within: limit)
    } catch {
      throw refusal(error)
    }
    do {
      let value = try await body(lease)
      await release(lease)
      return value
    } catch {
      await release(lease)
      throw error
    }
  }
}
