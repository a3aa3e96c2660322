// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Iceberg

/// Makes a DynamoDB table on demand, as Java does for locks and for catalogs. Source: spec/lock-manager.md §4, spec/dynamodb.md §3.
struct DynamoDbTableSetup: Sendable {
  /// Waits between looks at a table that is being made.
  private static let waits: [Duration] = [1, 2, 4, 8, 16].map { .seconds($0) }

  let client: DynamoDBClient
  let clock: any LockClock

  /// Returns when the table exists and can be used; makes it if there is none. Two who make it at once both succeed.
  ///
  /// A table that exists is taken as it is, in any state but one that still has to end.
  ///
  /// - Parameter end: no wait goes on beyond this time of `clock`; nil for no end.
  func ensure(_ definition: DynamoDBTableDefinition, until end: Duration? = nil) async throws(AWSError) {
    do throws(AWSError) {
      let table = try await client.describeTable(definition.name, deadline: remaining(end))
      if table.status != "CREATING" { return }
    } catch {
      guard error.code == "ResourceNotFoundException" else { throw error }
      do throws(AWSError) {
        try await client.createTable(definition, deadline: remaining(end))
      } catch {
        // Somebody else made it a moment ago, or an earlier send of this call did.
        guard error.code == "ResourceInUseException" else { throw error }
      }
    }
    try await waitUntilActive(definition.name, until: end)
  }

  private func waitUntilActive(_ name: String, until end: Duration?) async throws(AWSError) {
    var found = "Cannot find Dynamo table \(name)"
    for wait in Self.waits + [nil] {
      do throws(AWSError) {
        let table = try await client.describeTable(name, deadline: remaining(end))
        if table.isActive { return }
        found = "Dynamo table \(name) is not active, current status: \(table.status)"
      } catch {
        guard error.code == "ResourceNotFoundException" else { throw error }
      }
      guard let wait, clock.elapsed() < end ?? .seconds(Int64.max) else { break }
      do throws(CancellationError) {
        try await clock.sleep(for: min(wait * (1 + 0.1 * clock.random()), remaining(end)))
      } catch {
        throw AWSError(
          kind: .cancelled, code: "cancelled", message: "The wait was interrupted.", operation: "DynamoDB.DescribeTable")
      }
    }
    throw AWSError(
      kind: .server, code: "TableNotActive", message: found, operation: "DynamoDB.DescribeTable", isRetryable: true)
  }

  /// What a call may take: at least a second, so that an end that is near still gives an answer.
  private func remaining(_ end: Duration?) -> Duration {
    guard let end else { return DynamoDBClient.callDeadline }
    return min(max(end - clock.elapsed(), .seconds(1)), DynamoDBClient.callDeadline)
  }
}
