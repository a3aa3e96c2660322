// SPDX-License-Identifier: Apache-2.0

import Iceberg
import IcebergAWS
import Testing

@Suite("Lock properties")
struct DynamoDbLockManagerPropertiesTests {
  private static let dynamoDB = "org.apache.iceberg.aws.dynamodb.DynamoDbLockManager"

  @Test("Without properties, locks are in memory and have Iceberg's times")
  func defaults() throws {
    let properties = try LockProperties([:])
    #expect(properties.implementation == .inMemory)
    #expect(
      properties.settings
        == LockSettings(
          acquireInterval: .seconds(5), acquireTimeout: .seconds(180), heartbeatInterval: .seconds(3), heartbeatTimeout: .seconds(15)))
  }

  @Test("Every property is read")
  func all() throws {
    let properties = try LockProperties([
      "lock-impl": Self.dynamoDB, "lock.table": "locks", "lock.acquire-interval-ms": "1", "lock.acquire-timeout-ms": "2",
      "lock.heartbeat-interval-ms": "3", "lock.heartbeat-timeout-ms": "9", "lock.heartbeat-threads": "7",
    ])
    #expect(properties.implementation == .dynamoDB(table: "locks"))
    #expect(
      properties.settings
        == LockSettings(
          acquireInterval: .milliseconds(1), acquireTimeout: .milliseconds(2), heartbeatInterval: .milliseconds(3),
          heartbeatTimeout: .milliseconds(9)))
    #expect(try LockProperties(["lock-impl": "org.apache.iceberg.util.LockManagers$InMemoryLockManager"]).implementation == .inMemory)
  }

  @Test(
    "What cannot work is refused with the key and Iceberg's sentence",
    arguments: [
      (["lock-impl": dynamoDB], "lock.table", "DynamoDB lock table name must not be null"),
      (["lock-impl": dynamoDB, "lock.table": ""], "lock.table", "DynamoDB lock table name must not be null"),
      (["lock-impl": "com.acme.Locks"], "lock-impl", "Cannot initialize LockManager, missing no-arg constructor: com.acme.Locks"),
      (["lock.heartbeat-interval-ms": "5001"], "lock.heartbeat-interval-ms", "at most a third of lock.heartbeat-timeout-ms"),
      (["lock.heartbeat-interval-ms": "0"], "lock.heartbeat-interval-ms", "above 0"),
      (["lock.heartbeat-timeout-ms": "8999"], "lock.heartbeat-interval-ms", "at most a third"),
      (["lock.acquire-timeout-ms": "soon"], "lock.acquire-timeout-ms", "For input string: \"soon\""),
      (["lock.acquire-interval-ms": "-1"], "lock.acquire-interval-ms", "must be between"),
    ] as [([String: String], String, String)])
  func refusals(properties: [String: String], key: String, sentence: String) {
    let error = #expect(throws: PropertyError.self) { _ = try LockProperties(properties) }
    #expect(error?.key == key)
    #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
  }
}
