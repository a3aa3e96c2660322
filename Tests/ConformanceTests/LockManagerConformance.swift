// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import TestSupport
import Testing

/// What every ``LockManager`` has to do, whatever is behind it. Every manager stands for a process of its own.
struct LockManagerConformance {
  let fixture: any LockManagerFixture

  private var clock: VirtualLockClock { fixture.clock }

  func takesAndFreesALock() async throws {
    let manager = try await fixture.manager(clock)
    let lease = try await acquire(manager, "one")
    #expect(try await fixture.holder() == "one")
    #expect(lease.entityID == fixture.entity)
    #expect(lease.ownerID == "one")
    #expect(!lease.isLost)
    #expect(await manager.release(lease))
    #expect(try await fixture.holder() == nil)
    #expect(lease.isLost)
    #expect(await !manager.release(lease))
    let again = try await acquire(manager, "two")
    #expect(await manager.release(again))
  }

  /// Real tasks of several managers, and a clock that goes on as the machine's: leases are long enough for any request.
  func excludesEachOther() async throws {
    let room = Room()
    let entity = fixture.entity
    let driver = Self.running([clock])
    defer { driver.cancel() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for process in 0..<4 {
        let manager = try await fixture.manager(clock, Self.eager)
        group.addTask {
          for round in 0..<5 {
            let lease = try await manager.acquire(entity, ownerID: "\(process)-\(round)", within: nil)
            room.enter()
            for _ in 0..<20 { await Task.yield() }
            room.leave()
            await manager.release(lease)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(room.most == 1)
    #expect(room.total == 20)
  }

  func keepsDifferentEntitiesApart() async throws {
    let manager = try await fixture.manager(clock)
    // Two Unicode forms of one character are two names of a catalog.
    let names = [fixture.entity, "\(fixture.entity)_\u{e9}", "\(fixture.entity)_e\u{301}"]
    var leases: [LockLease] = []
    for name in names { leases.append(try await manager.acquire(name, ownerID: "one", within: .zero)) }
    for lease in leases { #expect(!lease.isLost) }
    for lease in leases { #expect(await manager.release(lease)) }
  }

  func isNotReentrant() async throws {
    let manager = try await fixture.manager(VirtualLockClock())
    let lease = try await acquire(manager, "one")
    for manager in [manager, try await fixture.manager(VirtualLockClock())] {
      let error = await #expect(throws: LockError.self) {
        _ = try await manager.acquire(fixture.entity, ownerID: "one", within: .zero)
      }
      #expect(error?.code == .timedOut)
    }
    #expect(!lease.isLost)
    #expect(await manager.release(lease))
  }

  func givesUpWhileTheHolderLives() async throws {
    let holding = VirtualLockClock()
    let manager = try await fixture.manager(holding)
    let lease = try await acquire(manager, "holder")
    await holding.waitForSleepers()
    let waiting = VirtualLockClock()
    let waiter = try await fixture.manager(waiting)
    let attempt = attempt(waiter, "waiter", within: .seconds(40))
    // Holder, waiter and leases all go on second by second, each when the one before has done its part.
    while waiting.elapsed() < .seconds(40) {
      await waiting.waitForSleepers()
      await holding.step(.seconds(1))
      clock.advance(by: .seconds(1))
      waiting.advance(by: .seconds(1))
    }
    let error = await #expect(throws: LockError.self) { _ = try await attempt.ended() }
    #expect(error?.code == .timedOut)
    #expect(error?.message.contains("held by 'holder'") == true)
    #expect(waiting.elapsed() == .seconds(40))
    #expect(!lease.isLost)
    #expect(await manager.release(lease))
  }

  func boundsEveryWaitByTheProperty() async throws {
    let holding = VirtualLockClock()
    let manager = try await fixture.manager(holding)
    let lease = try await acquire(manager, "holder")
    await holding.waitForSleepers()
    let waiting = VirtualLockClock()
    let waiter = try await fixture.manager(waiting)
    let attempt = attempt(waiter, "waiter", within: .seconds(100_000))
    await waiting.waitForSleepers()
    await holding.step(.seconds(3))
    // Far beyond the property at once: the look that follows is the last.
    waiting.advance(by: .seconds(180))
    let error = await #expect(throws: LockError.self) { _ = try await attempt.ended() }
    #expect(error?.code == .timedOut)
    #expect(await manager.release(lease))
  }

  func goesToAWaiterWhenFreed() async throws {
    let manager = try await fixture.manager(VirtualLockClock())
    let lease = try await acquire(manager, "holder")
    let waiting = VirtualLockClock()
    let waiter = try await fixture.manager(waiting)
    let attempt = attempt(waiter, "waiter")
    await waiting.waitForSleepers()
    #expect(await manager.release(lease))
    waiting.advance(by: .seconds(1))
    let next = try await attempt.ended()
    #expect(waiting.elapsed() == .seconds(1))
    #expect(try await fixture.holder() == "waiter")
    #expect(await waiter.release(next))
  }

  func takesOverAfterTheLeaseOnly() async throws {
    let holding = VirtualLockClock()
    let manager = try await fixture.manager(holding)
    let lease = try await acquire(manager, "crashed")
    await holding.waitForSleepers()
    await manager.close()
    #expect(lease.isLost)
    #expect(try await fixture.holder() == "crashed")
    let waiter = try await fixture.manager(clock)
    let attempt = attempt(waiter, "waiter")
    await clock.waitForSleepers()
    clock.advance(by: .milliseconds(14_999))
    await clock.waitForSleepers()
    #expect(try await fixture.holder() == "crashed")
    clock.advance(by: .milliseconds(1))
    let next = try await attempt.ended()
    #expect(try await fixture.holder() == "waiter")
    #expect(await waiter.release(next))
  }

  func noticesThatItsLockWasTaken() async throws {
    let stalled = VirtualLockClock()
    let manager = try await fixture.manager(stalled)
    let lease = try await acquire(manager, "stalled")
    await stalled.waitForSleepers()
    let thief = try await fixture.manager(clock)
    let attempt = attempt(thief, "thief")
    await clock.waitForSleepers()
    clock.advance(by: .seconds(15))
    let stolen = try await attempt.ended()
    await stalled.waitForSleepers()
    #expect(!lease.isLost)
    stalled.advance(by: .seconds(3))
    #expect(await becomesTrue { lease.isLost })
    #expect(await becomesTrue { stalled.sleeperCount == 0 })
    // Its release must not free the lock of the other.
    #expect(await !manager.release(lease))
    #expect(try await fixture.holder() == "thief")
    #expect(!stolen.isLost)
    #expect(await thief.release(stolen))
  }

  func losesALeaseThatIsNotRenewed() async throws {
    let stalled = VirtualLockClock()
    let manager = try await fixture.manager(stalled)
    let lease = try await acquire(manager, "stalled")
    await stalled.waitForSleepers()
    // A process that was stopped for longer than its lease goes on, and its timers are not there yet.
    stalled.advance(by: .seconds(16), wakes: false)
    #expect(lease.isLost)
    stalled.advance(by: .zero)
    // Nobody took it meanwhile, and the beat made sure of that.
    #expect(await becomesTrue { !lease.isLost })
    #expect(await manager.release(lease))
  }

  func refusesTheReleaseOfAnother() async throws {
    let manager = try await fixture.manager(clock)
    let lease = try await acquire(manager, "owner")
    let other = try await fixture.manager(clock)
    let foreign = LockLease(
      entityID: fixture.entity, ownerID: "other", token: "none", length: .seconds(15), renewed: clock.elapsed(), clock: clock)
    #expect(await !other.release(foreign))
    #expect(await !manager.release(foreign))
    #expect(try await fixture.holder() == "owner")
    #expect(!lease.isLost)
    #expect(await manager.release(lease))
  }

  func leavesNothingBehindWhenInterrupted() async throws {
    let manager = try await fixture.manager(VirtualLockClock())
    let lease = try await acquire(manager, "holder")
    let waiting = VirtualLockClock()
    let waiter = try await fixture.manager(waiting)
    let attempt = attempt(waiter, "waiter")
    await waiting.waitForSleepers()
    attempt.cancel()
    let error = await #expect(throws: LockError.self) { _ = try await attempt.ended() }
    #expect(error?.code == .cancelled)
    #expect(waiting.elapsed() == .zero)
    #expect(try await fixture.holder() == "holder")
    #expect(await manager.release(lease))
    await waiter.close()
    #expect(try await fixture.holder() == nil)
  }

  /// Whenever the interruption comes, either there is a lease to release or there is no lock.
  func leavesNothingBehindWheneverInterrupted() async throws {
    for delay in 0..<40 {
      let manager = try await fixture.manager(VirtualLockClock())
      let attempt = attempt(manager, "interrupted \(delay)")
      for _ in 0..<delay { await Task.yield() }
      if delay >= 20 { try await Task.sleep(for: .microseconds(100 * (delay - 20))) }
      attempt.cancel()
      if case .success(let lease) = await attempt.result { #expect(await manager.release(lease)) }
      await manager.close()
      #expect(try await fixture.holder() == nil)
    }
  }

  func releasesAlthoughCancelled() async throws {
    let manager = try await fixture.manager(clock)
    let lease = try await acquire(manager, "one")
    let release = Task {
      while !Task.isCancelled { await Task.yield() }
      return await manager.release(lease)
    }
    release.cancel()
    #expect(await release.value)
    #expect(try await fixture.holder() == nil)
  }

  func servesEveryWaiter() async throws {
    let manager = try await fixture.manager(VirtualLockClock())
    let lease = try await acquire(manager, "holder")
    let clocks = [VirtualLockClock(), VirtualLockClock()]
    let (fixture, entity) = (fixture, fixture.entity)
    let waiters = clocks.enumerated().map { number, clock in
      Task {
        let waiter = try await fixture.manager(clock, Self.eager)
        let lease = try await waiter.acquire(entity, ownerID: "waiter \(number)", within: nil)
        #expect(try await fixture.holder() == "waiter \(number)")
        return await waiter.release(lease)
      }
    }
    for clock in clocks { await clock.waitForSleepers() }
    #expect(await manager.release(lease))
    let driver = Self.running(clocks)
    defer { driver.cancel() }
    for waiter in waiters { #expect(try await waiter.ended()) }
    #expect(try await fixture.holder() == nil)
  }

  func givesNothingAfterClose() async throws {
    let manager = try await fixture.manager(clock)
    let lease = try await acquire(manager, "one")
    await manager.close()
    #expect(lease.isLost)
    let error = await #expect(throws: LockError.self) { _ = try await acquire(manager, "two") }
    #expect(error?.code == .failed)
    #expect(try await fixture.holder() == "one")
    #expect(await manager.release(lease))
    #expect(try await fixture.holder() == nil)
  }

  func freesAfterTheBody() async throws {
    let manager = try await fixture.manager(clock)
    let entity = fixture.entity
    let value = try await manager.withLock(entity, ownerID: "one", refusal: { $0 }) { lease throws(LockError) in
      lease.isLost ? 0 : 1
    }
    #expect(value == 1)
    #expect(try await fixture.holder() == nil)
    let error = await #expect(throws: LockError.self) {
      try await manager.withLock(entity, ownerID: "one", refusal: { $0 }) { _ throws(LockError) in
        throw LockError(code: .failed, message: "the body's own")
      }
    }
    #expect(error?.message == "the body's own")
    #expect(try await fixture.holder() == nil)
    let lease = try await acquire(manager, "holder")
    let refused = await #expect(throws: LockError.self) {
      try await manager.withLock(entity, ownerID: "one", within: .zero, refusal: { $0 }) { _ throws(LockError) in
        Issue.record("the body runs without the lock")
      }
    }
    #expect(refused?.code == .timedOut)
    #expect(await manager.release(lease))
  }

  /// Looks at a lock every 10 ms.
  private static let eager = LockSettings(acquireInterval: .milliseconds(10))

  /// Lets clocks go on as fast as the machine's, until it is cancelled.
  private static func running(_ clocks: [VirtualLockClock]) -> Task<Void, any Error> {
    Task {
      while true {
        try await Task.sleep(for: .milliseconds(1))
        for clock in clocks { clock.advance(by: .milliseconds(1)) }
      }
    }
  }

  private func acquire(_ manager: any LockManager, _ owner: String) async throws(LockError) -> LockLease {
    try await manager.acquire(fixture.entity, ownerID: owner, within: nil)
  }

  private func attempt(_ manager: any LockManager, _ owner: String, within limit: Duration? = nil) -> Task<LockLease, any Error> {
    let entity = fixture.entity
    return Task { try await manager.acquire(entity, ownerID: owner, within: limit) }
  }
}

/// Counts who is inside.
private final class Room: Sendable {
  private let state = Mutex((now: 0, most: 0, total: 0))

  var most: Int { state.withLock { $0.most } }
  var total: Int { state.withLock { $0.total } }

  func enter() {
    state.withLock { state in
      state.now += 1
      state.most = max(state.most, state.now)
      state.total += 1
    }
  }

  func leave() {
    state.withLock { $0.now -= 1 }
  }
}
