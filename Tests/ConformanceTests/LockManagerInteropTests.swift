// SPDX-License-Identifier: Apache-2.0

import Iceberg
import IcebergAWS
import TestSupport
import Testing
import WireFormats

/// DynamoDbLockManager beside a committer that speaks Java's protocol through boto3, on one table of the emulator.
@Suite("Locks shared with Java", .timeLimit(.minutes(5)))
struct LockManagerInteropTests {
  @Test("The table and the item are what Java reads")
  func shapes() async throws {
    let java = try await JavaLocks(table: "interop_shapes")
    let (manager, clock) = try java.manager()
    let lease = try await manager.acquire("db.t", ownerID: "s3://lake/metadata/1.json", within: nil)
    let table = try await java.run("describe")
    #expect(table.root["attributes"].map { JSONValue($0) } == [["AttributeName": "entityId", "AttributeType": "S"]])
    #expect(table.root["key"].map { JSONValue($0) } == [["AttributeName": "entityId", "KeyType": "HASH"]])
    #expect(table.root["billing"]?.string == "PAY_PER_REQUEST")
    await clock.waitForSleepers()
    let first = try await java.run("get").root
    #expect(Set(first.members.map(\.key)) == ["entityId", "ownerId", "version", "leaseDurationMs"])
    #expect(first["entityId"]?["S"]?.string == "db.t")
    #expect(first["ownerId"]?["S"]?.string == "s3://lake/metadata/1.json")
    #expect(first["leaseDurationMs"]?["N"]?.string == "15000")
    #expect(first["version"]?["S"]?.string?.utf8.count == 36)
    await clock.step(.seconds(3))
    let second = try await java.run("get").root
    #expect(second["version"]?["S"]?.string != first["version"]?["S"]?.string)
    #expect(await manager.release(lease))
    #expect(try await java.run("get").root.isNull)
  }

  @Test("A lock of Java's is waited for while it beats, and taken when its own lease is over")
  func javaHolds() async throws {
    let java = try await JavaLocks(table: "interop_java")
    let (manager, clock) = try java.manager()
    try await manager.prepare()
    #expect(try await java.does("create", ["owner": "java", "version": "1", "lease": 20_000]))
    let attempt = Task { try await manager.acquire("db.t", ownerID: "swift", within: nil) }
    await clock.step(.seconds(19))
    #expect(try await java.does("beat", ["owner": "java", "version": "2", "lease": 20_000]))
    // Seen at 20 s: the lease goes on to 40 s.
    await clock.step(.seconds(1))
    await clock.step(.milliseconds(19_999))
    #expect(try await java.run("get").root["ownerId"]?["S"]?.string == "java")
    clock.advance(by: .milliseconds(1))
    let lease = try await attempt.ended()
    #expect(clock.elapsed() == .seconds(40))
    // What Java does next, it does in vain.
    #expect(try await !java.does("beat", ["owner": "java", "version": "3", "lease": 20_000]))
    #expect(try await !java.does("release", ["owner": "java"]))
    #expect(!lease.isLost)
    #expect(await manager.release(lease))
  }

  @Test("Java's takeover succeeds only when no beat came meanwhile, and is noticed")
  func javaTakes() async throws {
    let java = try await JavaLocks(table: "interop_takes")
    let (manager, clock) = try java.manager()
    let lease = try await manager.acquire("db.t", ownerID: "swift", within: nil)
    await clock.waitForSleepers()
    let seen = try await java.run("get").root["version"]?["S"]?.string ?? ""
    await clock.step(.seconds(3))
    let takeover: JSONMembers = ["owner": "java", "version": "java-1", "lease": 15_000]
    var attempt = takeover
    attempt["seen"] = .string(seen)
    #expect(try await !java.does("take", attempt))
    attempt["seen"] = .string(try await java.run("get").root["version"]?["S"]?.string ?? "")
    #expect(try await java.does("take", attempt))
    #expect(!lease.isLost)
    clock.advance(by: .seconds(3))
    #expect(await becomesTrue { lease.isLost })
    #expect(await !manager.release(lease))
    #expect(try await java.run("get").root["ownerId"]?["S"]?.string == "java")
    #expect(try await java.does("release", ["owner": "java"]))
  }

  @Test("Many managers make the missing table at once, and all can use it")
  func racingCreation() async throws {
    let java = try await JavaLocks(table: "interop_creation")
    #expect(try await java.run("describe").root["error"]?.string == "ResourceNotFoundException")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<6 {
        let (manager, _) = try java.manager()
        group.addTask {
          let lease = try await manager.acquire("db.t\(number)", ownerID: "owner", within: nil)
          #expect(await manager.release(lease))
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("A table that was dropped fails one commit; the next makes it again")
  func droppedTable() async throws {
    let java = try await JavaLocks(table: "interop_dropped")
    let (manager, _) = try java.manager()
    #expect(await manager.release(try manager.acquire("db.t", ownerID: "one", within: nil)))
    _ = try await java.run("drop")
    let error = await #expect(throws: LockError.self) { _ = try await manager.acquire("db.t", ownerID: "two", within: nil) }
    #expect(error?.code == .failed)
    #expect(await manager.release(try manager.acquire("db.t", ownerID: "three", within: nil)))
  }

  @Test("A wrong secret is denied at once")
  func wrongSecret() async throws {
    let java = try await JavaLocks(table: "interop_denied", changing: EmulatedClients.wrongSecret)
    let (manager, clock) = try java.manager()
    let error = await #expect(throws: LockError.self) { _ = try await manager.acquire("db.t", ownerID: "one", within: nil) }
    #expect(error?.code == .denied)
    #expect(clock.sleeps.isEmpty)
  }
}

/// A lock table and the other side's way to it.
private struct JavaLocks: Sendable {
  let table: String
  private let emulator: Emulator
  private let properties: [String: String]

  init(table: String, changing properties: [String: String] = [:]) async throws {
    self.table = table
    emulator = try await Emulator.shared()
    self.properties = emulator.properties.merging(properties) { $1 }
  }

  func manager() throws -> (DynamoDbLockManager, VirtualLockClock) {
    let clock = VirtualLockClock()
    return (try DynamoDbLockManagerFixture.manager(properties, table: table, clock: clock), clock)
  }

  func run(_ action: String, _ facts: JSONMembers = [:]) async throws -> JSONDocument {
    let order = JSONMembers([("table", .string(table)), ("do", .string(action)), ("entity", "db.t")] + facts.members)
    let output = try await emulator.run("Tests/ConformanceTests/Support/locks.py", input: JSONValue.object(order).serialized())
    return try JSONDocument(parsing: output)
  }

  /// Whether the condition held.
  func does(_ action: String, _ facts: JSONMembers) async throws -> Bool {
    try await run(action, facts).root.bool == true
  }
}
