// SPDX-License-Identifier: Apache-2.0

/// Keys of the lock manager that commits use. Source: spec/properties.md §1.1.
package enum LockKeys {
  package static let lockImpl = "lock-impl"
  package static let lockTable = "lock.table"

  package static let dynamoDbLockManagerClass = "org.apache.iceberg.aws.dynamodb.DynamoDbLockManager"
  package static let inMemoryLockManagerClass = "org.apache.iceberg.util.LockManagers$InMemoryLockManager"

  package static let definitions: [PropertyDefinition] = [
    PropertyDefinition(
      lockImpl, type: .className([dynamoDbLockManagerClass, inMemoryLockManagerClass]), user: .lock,
      "Java class of the lock manager.", refusal: "Cannot initialize LockManager, missing no-arg constructor: %s"),
    PropertyDefinition(lockTable, user: .lock, "DynamoDB table that holds the locks."),
    PropertyDefinition("lock.acquire-interval-ms", type: .int64, default: "5000", user: .lock, "Wait between tries."),
    PropertyDefinition(
      "lock.acquire-timeout-ms", type: .int64, default: "180000", user: .lock, "Longest wait for a lock."),
    PropertyDefinition(
      "lock.heartbeat-interval-ms", type: .int64, default: "3000", user: .lock, "Period of lease renewal."),
    PropertyDefinition("lock.heartbeat-timeout-ms", type: .int64, default: "15000", user: .lock, "Lease of a lock."),
    PropertyDefinition(
      "lock.heartbeat-threads", type: .int32, default: "4", user: .lock,
      status: .notApplicable("every lease is renewed by a task of its own"), "Threads that renew leases."),
  ]
}
