// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Configuration
import Iceberg
import IcebergAWS

/// What `bergfs check --write` finds out: each action that new files and commits need, asked for in a way of which nothing stays.
struct WriteCheck: Sendable {
  private static let subject = "writing"
  /// The longest wait for a lock that nobody else knows of.
  private static let patience = Duration.seconds(20)

  private let assembly: CatalogAssembly
  private let namespaces: [NamespaceEntry]
  /// Of names that nothing bears.
  private let mark = RandomUUID.text()

  /// - Parameter namespaces: of the catalog, as far as they were listed.
  init(assembly: CatalogAssembly, namespaces: [NamespaceEntry]) {
    self.assembly = assembly
    self.namespaces = namespaces
  }

  /// - Parameters:
  ///   - objects: what came of writing an object to the warehouse; nil if there is no warehouse.
  ///   - hasLockTable: whether locks are in a table that can be used.
  func findings(objects: ConditionalWrites?, hasLockTable: Bool) async -> [CheckFinding] {
    var findings = [Self.finding(of: objects)]
    switch assembly.configuration.catalogType {
    case .glue: findings.append(await glueEntry())
    case .dynamodb: findings.append(await dynamoDBEntry())
    }
    if hasLockTable, let lock = await lock() { findings.append(lock) }
    return findings
  }

  private static func finding(of objects: ConditionalWrites?) -> CheckFinding {
    switch objects {
    case nil: .warning(subject, "no file was written: warehouse is not set")
    case .kept, .ignored, .refused: .good(subject, "S3: a file was written to the warehouse and deleted again")
    case .unknown(let error): .bad(subject, CheckFinding.Fault(error), "S3: \(error.message)")
    }
  }

  /// Glue looks at permissions first, at the table then.
  private func glueEntry() async -> CheckFinding {
    guard let database = namespaces.first?.namespace.levels.first else {
      return .warning(Self.subject, "Glue: there is no database in which a commit could be tried")
    }
    let table = GlueTableInput(
      name: "bergfs_check_\(mark.filter { $0 != "-" })", description: nil,
      storage: .init(columns: [], location: "", additionalLocations: nil), parameters: [:])
    return await finding(of: "UpdateTable", absent: "EntityNotFoundException") { factory in
      try await factory.glue().updateTable(databaseName: database, input: table, skipsArchive: true, versionID: "0")
    }
  }

  /// DynamoDB looks at permissions first, at the condition then.
  private func dynamoDBEntry() async -> CheckFinding {
    let exists = DynamoDBCondition("attribute_exists(identifier)")
    let key = ["identifier": "bergfs-check.\(mark)", "namespace": "bergfs-check"]
    let properties = assembly.configuration.properties.values
    return await finding(of: "PutItem and UpdateItem", absent: "ConditionalCheckFailedException") { factory in
      let (client, table) = (try factory.dynamo(), try AwsProperties(properties).dynamoDBTableName)
      do throws(AWSError) {
        try await client.putItem(table: table, item: key.mapValues { .string($0) }, condition: exists)
      } catch {
        guard error.kind == .conditionFailed else { throw error }
      }
      try await client.updateItem(
        table: table, key: DynamoDBKey(key), update: "SET v = :v", values: [":v": .string("0")], condition: exists)
    }
  }

  /// - Parameters:
  ///   - absent: the code of the answer that what was to be changed is not there.
  ///   - change: of something that does not exist.
  private func finding(
    of operations: String, absent: String, _ change: (any AwsClientFactory) async throws -> Void
  ) async -> CheckFinding {
    let service = assembly.metastore.name
    do {
      try await change(assembly.factory)
      return .bad(Self.subject, .service, "\(service): \(operations) changed what does not exist")
    } catch let error as AWSError {
      guard error.code != absent else { return .good(Self.subject, "\(service): \(operations) may be used, tried on what does not exist") }
      return .bad(Self.subject, CheckFinding.Fault(error), error.message)
    } catch {
      return .bad(Self.subject, .configuration, "\(error)")
    }
  }

  /// Nil where locks are not in DynamoDB.
  private func lock() async -> CheckFinding? {
    let properties = assembly.configuration.properties.values
    let locks: any LockManager
    do throws(IcebergAWS.PropertyError) {
      guard case .dynamoDB = try LockProperties(properties).implementation else { return nil }
      locks = try LockManagers.from(
        properties: properties, factory: assembly.factory, locks: InMemoryLockTable(clock: SystemLockClock()),
        logger: assembly.logger)
    } catch {
      return .bad(Self.subject, .configuration, error.message)
    }
    let finding: CheckFinding
    do throws(LockError) {
      let lease = try await locks.acquire("bergfs-check.\(mark)", ownerID: mark, within: Self.patience)
      finding =
        await locks.release(lease)
        ? .good(Self.subject, "DynamoDB: a lock was taken and given back")
        : .bad(
          Self.subject, .permission, "DynamoDB: a lock was taken and could not be given back: allow dynamodb:DeleteItem on the lock table")
    } catch {
      let fault: CheckFinding.Fault =
        switch error.code {
        case .denied: .permission
        case .timedOut, .cancelled: .network
        case .failed: .service
        }
      finding = .bad(Self.subject, fault, "DynamoDB: \(error.message)")
    }
    await locks.close()
    return finding
  }
}
