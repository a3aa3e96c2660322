// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Iceberg
import IcebergAWS
import TestSupport
import Testing
import WireFormats

/// What a lock manager makes of answers that are lost, late, or refusals.
@Suite("DynamoDbLockManager under faults", .timeLimit(.minutes(5)))
struct DynamoDbLockManagerFaultTests {
  @Test("Its own put, sent twice, is no conflict")
  func ownResend() async throws {
    let bench = LockBench()
    bench.table.plan("PutItem", [.doneAndSentAgain])
    let lease = try await bench.acquire()
    #expect(lease.token == "version-1")
    #expect(Array(bench.table.operations.prefix(4)) == ["DescribeTable", "GetItem", "PutItem", "GetItem"])
    #expect(bench.clock.elapsed() == .zero)
    #expect(await bench.manager.release(lease))
    #expect(bench.holder == nil)
  }

  @Test("A put without an answer is looked for")
  func unansweredPut() async throws {
    let bench = LockBench()
    bench.table.plan("PutItem", [.doneWithoutAnswer])
    let lease = try await bench.acquire()
    #expect(lease.token == "version-1")
    #expect(await bench.manager.release(lease))
  }

  @Test("A lock that was found by looking counts from when its put was sent")
  func leaseOfAnUnansweredPut() async throws {
    let bench = LockBench()
    let gate = InMemoryGate()
    bench.table.plan("PutItem", [.doneWithoutAnswer, .lost])
    bench.table.plan("GetItem", [nil, .held(gate)])
    let attempt = bench.attempt()
    await gate.waitForArrivals(1)
    bench.clock.advance(by: .seconds(10))
    gate.open()
    let lease = try await attempt.ended()
    #expect(lease.isLost)
    #expect(await bench.manager.release(lease) == true)
  }

  @Test("A put that never arrived is sent anew after a while, with another version")
  func lostPut() async throws {
    let bench = LockBench()
    bench.table.plan("PutItem", [.lost])
    let attempt = bench.attempt()
    await bench.clock.waitForSleepers()
    #expect(Array(bench.table.operations) == ["DescribeTable", "GetItem", "PutItem", "GetItem"])
    bench.clock.advance(by: .seconds(1))
    let lease = try await attempt.ended()
    #expect(lease.token == "version-2")
    #expect(await bench.manager.release(lease))
  }

  @Test("A lock whose put had no answer, and which cannot be looked for, is given back")
  func unansweredPutAndRead() async throws {
    let bench = LockBench()
    bench.table.plan("PutItem", [.doneWithoutAnswer])
    bench.table.plan("GetItem", [nil, .lost])
    let error = await #expect(throws: LockError.self) { _ = try await bench.acquire() }
    #expect(error?.code == .timedOut)
    await bench.manager.close()
    #expect(bench.holder == nil)
    let delete = try #require(bench.table.bodies("DeleteItem").first)
    #expect(delete.root["ConditionExpression"]?.string == "entityId = :eid AND ownerId = :oid AND version = :vid")
    #expect(delete.root["ExpressionAttributeValues"]?[":vid"]?["S"]?.string == "version-1")
  }

  @Test("An acquire interrupted while its put is on the way ends at once, and gives the lock back when it is there")
  func interruptedPut() async throws {
    let bench = LockBench()
    let gate = InMemoryGate()
    bench.table.plan("PutItem", [.held(gate)])
    let attempt = bench.attempt()
    await gate.waitForArrivals(1)
    attempt.cancel()
    let error = await #expect(throws: LockError.self) { _ = try await attempt.ended() }
    #expect(error?.code == .cancelled)
    #expect(bench.holder == nil)
    gate.open()
    await bench.manager.close()
    #expect(bench.table.operations == ["DescribeTable", "GetItem", "PutItem", "DeleteItem"])
    #expect(bench.holder == nil)
  }

  @Test("What an interrupted acquire gives back is never the lock of the same owner's next attempt")
  func interruptedPutAndSuccessor() async throws {
    let bench = LockBench()
    let gate = InMemoryGate()
    bench.table.plan("PutItem", [.held(gate)])
    bench.table.plan("DeleteItem", [nil, nil])
    let attempt = bench.attempt()
    await gate.waitForArrivals(1)
    attempt.cancel()
    _ = await attempt.result
    let lease = try await bench.acquire()
    gate.open()
    // The late put finds the lock taken; nothing of it is to be given back.
    for _ in 0..<50 { await Task.yield() }
    #expect(bench.holder == "me")
    #expect(await bench.manager.release(lease))
    await bench.manager.close()
    #expect(bench.table.operations.filter { $0 == "DeleteItem" }.count == 1)
  }

  @Test("Losing the race for a free lock means waiting for the winner's lease")
  func lostRace() async throws {
    let bench = LockBench()
    let gate = InMemoryGate()
    bench.table.plan("PutItem", [.held(gate)])
    let attempt = bench.attempt(within: .seconds(5))
    await gate.waitForArrivals(1)
    bench.table.putLock("db.t", owner: "winner", version: "w", lease: 15_000)
    gate.open()
    for _ in 0..<5 {
      await bench.clock.waitForSleepers()
      bench.clock.advance(by: .seconds(1))
    }
    let error = await #expect(throws: LockError.self) { _ = try await attempt.ended() }
    #expect(error?.code == .timedOut)
    #expect(error?.message.contains("'winner'") == true)
    #expect(bench.holder == "winner")
  }

  @Test("Losing the race for a lease that is over starts a new lease")
  func lostTakeover() async throws {
    let bench = LockBench()
    bench.table.putLock("db.t", owner: "dead", version: "old", lease: 2_000)
    let gate = InMemoryGate()
    bench.table.plan("PutItem", [.held(gate)])
    let attempt = bench.attempt()
    for _ in 0..<2 {
      await bench.clock.waitForSleepers()
      bench.clock.advance(by: .seconds(1))
    }
    await gate.waitForArrivals(1)
    bench.table.putLock("db.t", owner: "winner", version: "new", lease: 2_000)
    gate.open()
    // One second to the next look, and the winner's two seconds from there.
    for _ in 0..<3 {
      await bench.clock.waitForSleepers()
      #expect(bench.holder == "winner")
      bench.clock.advance(by: .seconds(1))
    }
    let lease = try await attempt.ended()
    #expect(bench.clock.elapsed() == .seconds(5))
    #expect(await bench.manager.release(lease))
  }

  @Test(
    "Refusals that pass are waited out",
    arguments: [
      ("ProvisionedThroughputExceededException", true), ("RequestLimitExceeded", true), ("ThrottlingException", true),
      ("TransactionConflictException", false),
    ])
  func passingRefusals(code: String, isThrottling: Bool) async throws {
    let bench = LockBench()
    bench.table.plan("GetItem", [.refused(isThrottling ? .throttled : .badRequest, code)])
    bench.table.plan("PutItem", [.refused(isThrottling ? .throttled : .badRequest, code)])
    let attempt = bench.attempt()
    for _ in 0..<2 {
      await bench.clock.waitForSleepers()
      bench.clock.advance(by: .seconds(1))
    }
    let lease = try await attempt.ended()
    #expect(bench.clock.elapsed() == .seconds(2))
    #expect(await bench.manager.release(lease))
  }

  @Test("A lock table that stays throttled ends at the time limit")
  func throttledForEver() async throws {
    let bench = LockBench()
    bench.table.plan("GetItem", Array(repeating: .refused(.throttled, "ThrottlingException"), count: 100))
    let attempt = bench.attempt(within: .seconds(3))
    for _ in 0..<3 {
      await bench.clock.waitForSleepers()
      bench.clock.advance(by: .seconds(1))
    }
    let error = await #expect(throws: LockError.self) { _ = try await attempt.ended() }
    #expect(error?.code == .timedOut)
    #expect(bench.table.operations.filter { $0 == "GetItem" }.count == 4)
  }

  @Test(
    "Other refusals end the acquire at once", arguments: ["GetItem", "PutItem", "DescribeTable"])
  func denied(operation: String) async throws {
    let bench = LockBench()
    bench.table.plan(operation, [.refused(.accessDenied, "AccessDeniedException")])
    let error = await #expect(throws: LockError.self) { _ = try await bench.acquire() }
    #expect(error?.code == .denied)
    #expect(error?.message.contains("AccessDeniedException") == true)
    #expect(bench.clock.sleeps.isEmpty)
    #expect(bench.holder == nil)
  }

  @Test("A table that was dropped fails one acquire; the next makes it again")
  func droppedTable() async throws {
    let bench = LockBench()
    #expect(await bench.manager.release(try bench.acquire()))
    bench.table.dropTable()
    let error = await #expect(throws: LockError.self) { _ = try await bench.acquire() }
    #expect(error?.code == .failed)
    #expect(await bench.manager.release(try bench.acquire()))
    #expect(bench.table.operations.filter { $0 == "CreateTable" }.count == 1)
  }

  @Test("An item that is no lock is left alone")
  func foreignItem() async throws {
    let bench = LockBench()
    bench.table.put(["entityId": .string("db.t"), "note": .string("hands off")])
    let error = await #expect(throws: LockError.self) { _ = try await bench.acquire() }
    #expect(error?.code == .failed)
    #expect(error?.message.contains("no lock of Iceberg's") == true)
    #expect(bench.table.item("db.t")?["note"] == .string("hands off"))
  }

  @Test("Beats that fail are tried again, and the lease holds if one succeeds in time")
  func failingBeats() async throws {
    let bench = LockBench()
    bench.table.plan("PutItem", [nil, nil, .lost, .refused(.throttled, "ThrottlingException")])
    let lease = try await bench.acquire()
    for _ in 0..<3 { await bench.clock.step(.seconds(3)) }
    #expect(!lease.isLost)
    #expect(bench.table.item("db.t")?["version"] == .string("version-5"))
    #expect(await bench.manager.release(lease))
  }

  @Test("A lease is lost in time when no beat gets through")
  func noBeats() async throws {
    let bench = LockBench()
    bench.table.plan("PutItem", [nil, nil, .lost, .lost, .lost, .lost])
    let lease = try await bench.acquire()
    for _ in 0..<3 { await bench.clock.step(.seconds(3)) }
    #expect(!lease.isLost)
    await bench.clock.step(.seconds(1))
    #expect(lease.isLost)
    // The item is still its own: the release frees it.
    #expect(await bench.manager.release(lease))
  }

  @Test("A beat never brings back a lock that was freed")
  func beatAfterDelete() async throws {
    let bench = LockBench()
    let gate = InMemoryGate()
    bench.table.plan("PutItem", [nil, nil, .held(gate)])
    let lease = try await bench.acquire()
    await bench.clock.waitForSleepers()
    bench.clock.advance(by: .seconds(3))
    await gate.waitForArrivals(1)
    #expect(await bench.manager.release(lease))
    gate.open()
    await bench.manager.close()
    #expect(bench.holder == nil)
  }

  @Test("A release whose answer was lost, and was sent again, succeeded")
  func releaseSentAgain() async throws {
    let bench = LockBench()
    bench.table.plan("DeleteItem", [.doneAndSentAgain])
    #expect(await bench.manager.release(try bench.acquire()))
    #expect(bench.table.operations.filter { $0 == "GetItem" }.count == 2)
  }

  @Test("A release that fails goes on without the caller, until the lock is free")
  func retriedRelease() async throws {
    let bench = LockBench()
    bench.table.plan("DeleteItem", [.lost, .refused(.throttled, "ThrottlingException"), nil])
    let lease = try await bench.acquire()
    await bench.clock.waitForSleepers()
    #expect(await !bench.manager.release(lease))
    #expect(bench.holder == "me")
    #expect(await becomesTrue { bench.clock.sleeperCount == 1 })
    bench.clock.advance(by: .seconds(1))
    await bench.clock.waitForSleepers()
    bench.clock.advance(by: .seconds(2))
    await bench.manager.close()
    #expect(bench.holder == nil)
  }

  @Test("A release is tried for no longer than the lease")
  func hopelessRelease() async throws {
    let bench = LockBench()
    bench.table.plan("DeleteItem", Array(repeating: .lost, count: 100))
    let lease = try await bench.acquire()
    await bench.clock.waitForSleepers()
    #expect(await !bench.manager.release(lease))
    #expect(await becomesTrue { bench.clock.sleeperCount == 1 })
    for wait in [1, 2, 4, 8] {
      await bench.clock.waitForSleepers()
      bench.clock.advance(by: .seconds(wait))
    }
    await bench.manager.close()
    #expect(bench.table.operations.filter { $0 == "DeleteItem" }.count == 4)
  }

  @Test("A late release does not free the lock of the same owner's next commit")
  func releaseAndSuccessor() async throws {
    let bench = LockBench()
    bench.table.plan("DeleteItem", [.doneWithoutAnswer, nil])
    let lease = try await bench.acquire()
    await bench.clock.waitForSleepers()
    #expect(await !bench.manager.release(lease))
    let next = try await bench.acquire()
    await bench.clock.waitForSleepers(2)
    bench.clock.advance(by: .seconds(1))
    await bench.manager.close()
    #expect(bench.holder == "me")
    #expect(await bench.manager.release(next))
  }

  @Test("The release of a lease that was lost does not free the lock of the same owner's next commit")
  func lostLeaseAndSuccessor() async throws {
    let bench = LockBench()
    let lost = try await bench.acquire()
    await bench.clock.waitForSleepers()
    let gate = InMemoryGate()
    bench.table.plan("PutItem", [.held(gate)])
    let attempt = bench.attempt()
    await bench.clock.waitForSleepers(2)
    bench.clock.advance(by: .seconds(3))
    await gate.waitForArrivals(1)
    await bench.clock.waitForSleepers()
    bench.clock.advance(by: .seconds(12))
    let next = try await attempt.ended()
    #expect(lost.isLost)
    #expect(await !bench.manager.release(lost))
    #expect(bench.holder == "me")
    #expect(!next.isLost)
    #expect(await bench.manager.release(next))
  }

  @Test("A denied release is no more than logged")
  func deniedRelease() async throws {
    let bench = LockBench()
    bench.table.plan("DeleteItem", [.refused(.accessDenied, "AccessDeniedException")])
    #expect(await !bench.manager.release(try bench.acquire()))
    await bench.manager.close()
    #expect(bench.holder == "me")
  }
}
