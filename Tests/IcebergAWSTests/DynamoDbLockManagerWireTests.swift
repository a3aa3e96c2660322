// SPDX-License-Identifier: Apache-2.0

import AWSServices
import AWSTestSupport
import Iceberg
import IcebergAWS
import Logging
import TestSupport
import Testing
import WireFormats

/// The requests as Java sends them. Source: spec/lock-manager.md §4, §5.
@Suite("DynamoDbLockManager's requests")
struct DynamoDbLockManagerWireTests {
  @Test("A missing table is made as Java makes it, and waited for")
  func tableCreation() async throws {
    let bench = LockBench(LockTableStandIn(hasTable: false))
    try await bench.manager.prepare()
    #expect(bench.table.operations == ["DescribeTable", "CreateTable", "DescribeTable"])
    let create = try #require(bench.table.bodies("CreateTable").first)
    let expected = #"""
      {"TableName":"locks","AttributeDefinitions":[{"AttributeName":"entityId","AttributeType":"S"}],
       "KeySchema":[{"AttributeName":"entityId","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"}
      """#
    #expect(try JSONValue(create.root) == JSONValue(JSONDocument(parsing: Array(expected.utf8)).root))
  }

  @Test("A table that two make at once is no error")
  func racingCreation() async throws {
    let bench = LockBench(LockTableStandIn(hasTable: false))
    bench.table.plan("CreateTable", [.doneAndSentAgain])
    try await bench.manager.prepare()
    #expect(bench.table.operations == ["DescribeTable", "CreateTable", "DescribeTable"])
  }

  @Test("A table that is being made is looked at after 1, 2, 4, 8 and 16 seconds, and no longer")
  func waitingForTheTable() async throws {
    let bench = LockBench(chance: 0.5)
    bench.table.setStatus("CREATING")
    let prepare = Task { try await bench.manager.prepare() }
    for _ in 0..<5 {
      await bench.clock.waitForSleepers()
      bench.clock.advance(by: .seconds(20))
    }
    let error = await #expect(throws: LockError.self) { try await prepare.ended() }
    #expect(error?.message.contains("Dynamo table locks is not active, current status: CREATING") == true)
    #expect(bench.clock.sleeps == [1, 2, 4, 8, 16].map { Duration.seconds($0) * 1.05 })
    #expect(bench.table.operations.count == 7)
  }

  @Test("A table that exists is looked for once, in any other state")
  func existingTable() async throws {
    let bench = LockBench()
    bench.table.setStatus("UPDATING")
    try await bench.manager.prepare()
    #expect(await bench.manager.release(try bench.acquire()))
    #expect(bench.table.operations.filter { $0 == "DescribeTable" }.count == 1)
  }

  @Test("A free lock costs a consistent read and a put of Java's item on condition that there is none")
  func freeLock() async throws {
    let bench = LockBench()
    let lease = try await bench.acquire("s3://b/t/metadata/00001-x.metadata.json")
    let get = try #require(bench.table.bodies("GetItem").first)
    #expect(text(get) == #"{"TableName":"locks","Key":{"entityId":{"S":"db.t"}},"ConsistentRead":true}"#)
    let put = try #require(bench.table.bodies("PutItem").first)
    #expect(
      text(put) == #"{"TableName":"locks","Item":{"entityId":{"S":"db.t"},"leaseDurationMs":{"N":"15000"},"#
        + #""ownerId":{"S":"s3://b/t/metadata/00001-x.metadata.json"},"version":{"S":"version-1"}},"#
        + #""ConditionExpression":"attribute_not_exists(entityId)"}"#)
    #expect(lease.token == "version-1")
    await bench.clock.waitForSleepers()
    #expect(bench.table.operations == ["DescribeTable", "GetItem", "PutItem", "PutItem"])
  }

  @Test("A beat puts the whole item anew, with a new version, on condition that it is the owner's")
  func beat() async throws {
    let bench = LockBench()
    let lease = try await bench.acquire()
    await bench.clock.step(.seconds(3))
    let puts = bench.table.bodies("PutItem")
    #expect(puts.count == 3)
    for (number, put) in puts.enumerated().dropFirst() {
      #expect(
        text(put) == #"{"TableName":"locks","Item":{"entityId":{"S":"db.t"},"leaseDurationMs":{"N":"15000"},"#
          + #""ownerId":{"S":"me"},"version":{"S":"version-\#(number + 1)"}},"ConditionExpression":"entityId = :eid AND ownerId = :oid","#
          + #""ExpressionAttributeValues":{":eid":{"S":"db.t"},":oid":{"S":"me"}}}"#)
    }
    #expect(await bench.manager.release(lease))
  }

  @Test("A release deletes on condition that the lock is the owner's")
  func release() async throws {
    let bench = LockBench()
    #expect(await bench.manager.release(try bench.acquire()))
    let delete = try #require(bench.table.bodies("DeleteItem").first)
    #expect(
      text(delete) == #"{"TableName":"locks","Key":{"entityId":{"S":"db.t"}},"ConditionExpression":"entityId = :eid AND ownerId = :oid","#
        + #""ExpressionAttributeValues":{":eid":{"S":"db.t"},":oid":{"S":"me"}}}"#)
  }

  @Test("A takeover names the version that was seen, and keeps the taker's own lease")
  func takeover() async throws {
    let settings = LockSettings(heartbeatInterval: .seconds(2), heartbeatTimeout: .milliseconds(6_500))
    let bench = LockBench(settings: settings)
    bench.table.putLock("db.t", owner: "dead", version: "old", lease: 15_000)
    let attempt = bench.attempt()
    for _ in 0..<15 {
      await bench.clock.waitForSleepers()
      #expect(bench.holder == "dead")
      bench.clock.advance(by: .seconds(1))
    }
    let lease = try await attempt.ended()
    let put = try #require(bench.table.bodies("PutItem").first)
    #expect(
      text(put) == #"{"TableName":"locks","Item":{"entityId":{"S":"db.t"},"leaseDurationMs":{"N":"6500"},"#
        + #""ownerId":{"S":"me"},"version":{"S":"version-1"}},"#
        + #""ConditionExpression":"attribute_not_exists(entityId) OR (entityId = :eid AND version = :vid)","#
        + #""ExpressionAttributeValues":{":eid":{"S":"db.t"},":vid":{"S":"old"}}}"#)
    #expect(bench.table.bodies("GetItem").count == 16)
    #expect(await bench.manager.release(lease))
  }

  @Test("Versions are UUIDs of version 4, no two alike")
  func versions() async throws {
    let table = LockTableStandIn()
    let manager = DynamoDbLockManager(
      client: .init(sender: table), table: "locks", clock: VirtualLockClock(), logger: Logger(label: "locks"))
    for _ in 0..<20 { #expect(await manager.release(try manager.acquire("db.t", ownerID: "me", within: nil))) }
    let versions = table.bodies("PutItem").compactMap { $0.root["Item"]?["version"]?["S"]?.string }
    #expect(versions.count >= 20)
    #expect(Set(versions).count == versions.count)
    let pattern = #/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/#
    for version in versions { #expect(version.wholeMatch(of: pattern) != nil, "\(version)") }
  }

  private func text(_ body: JSONDocument) -> String { String(decoding: JSONValue(body.root).serialized(), as: UTF8.self) }
}
