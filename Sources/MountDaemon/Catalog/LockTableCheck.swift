// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Configuration
import Iceberg
import IcebergAWS

/// What `bergfs check` says of the locks that commits take: which kind is configured, and whether its table can be used. Nothing is written.
struct LockTableCheck: Sendable {
  private static let subject = "lock table"
  /// The key that Java's table has. Source: spec/lock-manager.md §4.
  private static let keyAttributes = ["entityId"]

  let assembly: CatalogAssembly

  func finding() async -> CheckFinding {
    let client: DynamoDBClient
    let table: String
    do throws(IcebergAWS.PropertyError) {
      let properties = assembly.configuration.properties.values
      guard properties[LockKeys.lockImpl] != nil else {
        return Self.good("none: lock-impl is not set, so the catalog's conditional writes alone keep writers apart")
      }
      guard case .dynamoDB(let name) = try LockProperties(properties).implementation else {
        return Self.good("in memory: locks out other writers of the same process only")
      }
      (client, table) = (try assembly.factory.dynamo(), name)
    } catch {
      return Self.bad(.configuration, error.message)
    }
    do throws(AWSError) {
      return Self.finding(table, try await client.describeTable(table))
    } catch {
      return Self.finding(table, error)
    }
  }

  static func finding(_ name: String, _ table: DynamoDBTable) -> CheckFinding {
    guard table.keyAttributes == keyAttributes else {
      return bad(
        .missing,
        "the DynamoDB table '\(name)' has the key (\(table.keyAttributes.joined(separator: ", "))) instead of (entityId): it is no lock table; "
          + "set lock.table to another name")
    }
    switch table.status {
    case "ACTIVE", "UPDATING": return good("DynamoDB table '\(name)' is \(table.status)")
    case "CREATING": return warning("DynamoDB table '\(name)' is being made: the first commit waits for it")
    case "DELETING":
      return bad(.missing, "the DynamoDB table '\(name)' is being deleted: no commit can lock until it is gone; try again in a minute")
    default: return bad(.missing, "the DynamoDB table '\(name)' is \(table.status): no commit can lock until it is ACTIVE")
    }
  }

  static func finding(_ name: String, _ error: AWSError) -> CheckFinding {
    if error.code == "ResourceNotFoundException" {
      return warning("DynamoDB table '\(name)' does not exist: the first commit creates it, if dynamodb:CreateTable is allowed")
    }
    if error.kind == .accessDenied {
      return bad(
        .permission,
        "no permission to look at the DynamoDB table '\(name)': allow dynamodb:DescribeTable, GetItem, PutItem and DeleteItem on it "
          + "(\(error.message))")
    }
    return bad(CheckFinding.Fault(error), "the DynamoDB table '\(name)' cannot be looked at: \(error.message)")
  }

  private static func good(_ text: String) -> CheckFinding { .good(subject, text) }

  private static func bad(_ fault: CheckFinding.Fault, _ text: String) -> CheckFinding { .bad(subject, fault, text) }

  private static func warning(_ text: String) -> CheckFinding { .warning(subject, text) }
}
