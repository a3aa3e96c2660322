// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

@Suite("Leases and heartbeats")
struct LockingTests {
  private let clock = VirtualLockClock()

  private func lease(_ seconds: Int = 15) -> LockLease {
    LockLease(
      entityID: "db.t", ownerID: "me", token: "1", length: .seconds(seconds), renewed: clock.elapsed(), clock: clock)
  }

  @Test("A lease counts as lost after two thirds of its length without renewal")
  func margin() {
    let lease = lease()
    clock.advance(by: .milliseconds(9_999))
    #expect(!lease.isLost)
    clock.advance(by: .milliseconds(1))
    #expect(lease.isLost)
  }

  @Test("A renewal counts from when it was sent, and none goes back")
  func renewal() {
    let lease = lease()
    clock.advance(by: .seconds(9))
    lease.renew(at: .seconds(6))
    lease.renew(at: .seconds(3))
    clock.advance(by: .milliseconds(6_999))
    #expect(!lease.isLost)
    clock.advance(by: .milliseconds(1))
    #expect(lease.isLost)
  }

  @Test("A lease that is over stays so, whatever arrives later")
  func over() {
    let lease = lease()
    lease.end()
    #expect(lease.isLost)
    lease.renew(at: clock.elapsed())
    #expect(lease.isLost)
  }

  @Test("The first beat comes at once, the others at a fixed rate")
  func rate() async {
    let lease = lease()
    let beats = Beats(clock, [.renewed])
    let heartbeat = LockHeartbeat.start(lease, every: .seconds(3), clock: clock) { await beats.next() }
    for _ in 0..<4 { await clock.step(.seconds(3)) }
    #expect(beats.times == [0, 3, 6, 9, 12].map { Duration.seconds($0) })
    #expect(!lease.isLost)
    heartbeat.stop()
    #expect(lease.isLost)
  }

  @Test("Beats that a slow one makes late are left out, not sent in a row")
  func lateBeats() async {
    let lease = lease()
    let beats = Beats(clock, [.renewed], taking: [.zero, .milliseconds(7_500)])
    let heartbeat = LockHeartbeat.start(lease, every: .seconds(3), clock: clock) { await beats.next() }
    await clock.step(.seconds(3))
    // The second beat was sent at 3 s and answered at 10.5 s: those of 6 s and 9 s are gone.
    await clock.step(.milliseconds(1_500))
    #expect(beats.times == [0, 3, 12].map { Duration.seconds($0) })
    heartbeat.stop()
  }

  @Test("A beat that fails is tried again; the lease is lost only when too many fail")
  func failingBeats() async {
    let lease = lease()
    let beats = Beats(clock, [.renewed, .failed, .failed, .failed, .failed])
    let heartbeat = LockHeartbeat.start(lease, every: .seconds(3), clock: clock) { await beats.next() }
    for _ in 0..<3 { await clock.step(.seconds(3)) }
    #expect(!lease.isLost)
    await clock.step(.seconds(3))
    #expect(lease.isLost)
    #expect(beats.times.count == 5)
    heartbeat.stop()
  }

  @Test("A beat after a gap makes a lease good again, if the lock is still its own")
  func recovery() async {
    let lease = lease()
    let beats = Beats(clock, [.renewed, .failed, .renewed])
    let heartbeat = LockHeartbeat.start(lease, every: .seconds(3), clock: clock) { await beats.next() }
    await clock.step(.seconds(3))
    await clock.waitForSleepers()
    clock.advance(by: .seconds(20))
    await clock.waitForSleepers()
    #expect(!lease.isLost)
    heartbeat.stop()
  }

  @Test("A lost lock ends the lease and the beats")
  func lost() async {
    let lease = lease()
    let beats = Beats(clock, [.lost])
    let heartbeat = LockHeartbeat.start(lease, every: .seconds(3), clock: clock) { await beats.next() }
    #expect(await becomesTrue { lease.isLost })
    clock.advance(by: .seconds(30))
    #expect(beats.times.count == 1)
    #expect(clock.sleeperCount == 0)
    heartbeat.stop()
  }

  @Test("Nobody renews a lease that nobody holds")
  func forgotten() async {
    let beats = Beats(clock, [.renewed])
    var lease: LockLease? = lease()
    var heartbeat: LockHeartbeat?
    if let lease {
      heartbeat = LockHeartbeat.start(lease, every: .seconds(3), clock: clock) { await beats.next() }
    }
    await clock.waitForSleepers()
    lease = nil
    clock.advance(by: .seconds(3))
    clock.advance(by: .seconds(3))
    #expect(await becomesTrue { clock.sleeperCount == 0 })
    #expect(beats.times == [.zero])
    heartbeat?.stop()
  }

  @Test(
    "A heartbeat must be three times as fast as the lease",
    arguments: [(3_000, 15_000, true), (5_000, 15_000, true), (5_001, 15_000, false), (0, 15_000, false), (-1, 15_000, false)])
  func ratio(interval: Int, lease: Int, isFastEnough: Bool) {
    let settings = LockSettings(heartbeatInterval: .milliseconds(interval), heartbeatTimeout: .milliseconds(lease))
    #expect(settings.isHeartbeatFastEnough == isFastEnough)
  }
}
