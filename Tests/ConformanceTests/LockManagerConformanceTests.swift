// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Lock manager conformance", .timeLimit(.minutes(5)))
struct LockManagerConformanceTests {
  @Test("A lock is taken, freed once, and can be taken again", arguments: LockManagerImplementation.allCases)
  func lifetime(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).takesAndFreesALock()
  }

  @Test("Of many committers in several processes, one at a time holds the lock", arguments: LockManagerImplementation.allCases)
  func exclusion(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).excludesEachOther()
  }

  @Test("Locks of different names have nothing to do with each other", arguments: LockManagerImplementation.allCases)
  func entities(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).keepsDifferentEntitiesApart()
  }

  @Test("An owner waits for its own lock like any other", arguments: LockManagerImplementation.allCases)
  func reentry(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).isNotReentrant()
  }

  @Test("A waiter gives up at its time, however often the holder renewed", arguments: LockManagerImplementation.allCases)
  func timeout(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).givesUpWhileTheHolderLives()
  }

  @Test("No wait is longer than lock.acquire-timeout-ms", arguments: LockManagerImplementation.allCases)
  func longestWait(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).boundsEveryWaitByTheProperty()
  }

  @Test("A freed lock goes to a waiter within a second", arguments: LockManagerImplementation.allCases)
  func handover(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).goesToAWaiterWhenFreed()
  }

  @Test("A dead holder's lock is taken after its lease, not a millisecond earlier", arguments: LockManagerImplementation.allCases)
  func takeover(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).takesOverAfterTheLeaseOnly()
  }

  @Test("A holder whose lock another took learns it from its next beat", arguments: LockManagerImplementation.allCases)
  func theft(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).noticesThatItsLockWasTaken()
  }

  @Test("A holder that stood still counts its lock as lost until a beat says otherwise", arguments: LockManagerImplementation.allCases)
  func pause(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).losesALeaseThatIsNotRenewed()
  }

  @Test("Only the holder can release", arguments: LockManagerImplementation.allCases)
  func foreignRelease(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).refusesTheReleaseOfAnother()
  }

  @Test("An interrupted waiter leaves at once and leaves no lock", arguments: LockManagerImplementation.allCases)
  func interruption(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).leavesNothingBehindWhenInterrupted()
  }

  @Test("At whatever moment an acquire is interrupted, no lock stays without a lease", arguments: LockManagerImplementation.allCases)
  func interruptionAtAnyMoment(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).leavesNothingBehindWheneverInterrupted()
  }

  @Test("A cancelled task still releases", arguments: LockManagerImplementation.allCases)
  func cancelledRelease(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).releasesAlthoughCancelled()
  }

  @Test("Two waiters both get the lock, one after the other", arguments: LockManagerImplementation.allCases)
  func twoWaiters(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).servesEveryWaiter()
  }

  @Test("A closed manager renews and gives nothing, and still releases", arguments: LockManagerImplementation.allCases)
  func close(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).givesNothingAfterClose()
  }

  @Test("The lock is free after what it was for, however that ended", arguments: LockManagerImplementation.allCases)
  func scope(_ implementation: LockManagerImplementation) async throws {
    try await conformance(implementation).freesAfterTheBody()
  }

  private func conformance(
    _ implementation: LockManagerImplementation, test: String = #function
  ) async throws -> LockManagerConformance {
    LockManagerConformance(fixture: try await implementation.fixture(test))
  }
}
