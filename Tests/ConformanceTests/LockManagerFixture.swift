// SPDX-License-Identifier: Apache-2.0

import AWSServices
import Iceberg
import IcebergAWS
import Logging
import TestSupport
import Testing

/// Managers whose locks exclude each other, as those of different processes do.
protocol LockManagerFixture: Sendable {
  /// What the leases of crashed and stalled holders run by.
  var clock: VirtualLockClock { get }
  /// An entity that no other test uses.
  var entity: String { get }
  /// - Parameter clock: for the manager's waits and beats.
  func manager(_ clock: VirtualLockClock, _ settings: LockSettings) async throws -> any LockManager
  /// Who holds the entity's lock; nil if it is free.
  func holder() async throws -> String?
}

extension LockManagerFixture {
  /// A manager with Iceberg's default times.
  func manager(_ clock: VirtualLockClock) async throws -> any LockManager {
    try await manager(clock, LockSettings())
  }
}

/// Which implementation a conformance test runs on.
enum LockManagerImplementation: String, CaseIterable, CustomTestStringConvertible, Sendable {
  case inMemory = "in memory"
  case dynamoDB = "DynamoDB of the emulator"

  var testDescription: String { rawValue }

  func fixture(_ test: String = #function) async throws -> any LockManagerFixture {
    switch self {
    case .inMemory: InMemoryLockManagerFixture()
    case .dynamoDB: try await DynamoDbLockManagerFixture(entity: "db.\(test)")
    }
  }
}

struct InMemoryLockManagerFixture: LockManagerFixture {
  let clock: VirtualLockClock
  let entity = "db.t"
  private let table: InMemoryLockTable

  init() {
    clock = VirtualLockClock()
    table = InMemoryLockTable(clock: clock)
  }

  func manager(_ clock: VirtualLockClock, _ settings: LockSettings) -> any LockManager {
    InMemoryLockManager(table: table, settings: settings, clock: clock, logger: Logger(label: "conformance"))
  }

  /// A manager that does not wait tells who holds it.
  func holder() async throws -> String? {
    let probe = manager(clock, LockSettings())
    do throws(LockError) {
      let lease = try await probe.acquire(entity, ownerID: "probe", within: .zero)
      await probe.release(lease)
      return nil
    } catch {
      let parts = error.message.split(separator: "'")
      return parts.count > 3 ? String(parts[3]) : error.message
    }
  }
}

/// One lock table of the emulator for all tests, made by whichever manager comes first.
struct DynamoDbLockManagerFixture: LockManagerFixture {
  static let table = "conformance_locks"

  let clock = VirtualLockClock()
  let entity: String
  private let properties: [String: String]

  init(entity: String) async throws {
    self.entity = entity
    properties = try await Emulator.shared().properties
  }

  func manager(_ clock: VirtualLockClock, _ settings: LockSettings) async throws -> any LockManager {
    let manager = try Self.manager(properties, settings: settings, clock: clock)
    try await manager.prepare()
    return manager
  }

  func holder() async throws -> String? {
    let client = try EmulatedClients.factory(properties).dynamo()
    return try await client.getItem(table: Self.table, key: .init(["entityId": entity]), consistentRead: true)?["ownerId"]?.string
  }

  /// A manager with a client of its own, as another process has it.
  static func manager(
    _ properties: [String: String], table: String = table, settings: LockSettings = LockSettings(), clock: VirtualLockClock
  ) throws -> DynamoDbLockManager {
    DynamoDbLockManager(
      client: try EmulatedClients.factory(properties).dynamo(), table: table, settings: settings, clock: clock,
      logger: Logger(label: "conformance"))
  }
}
