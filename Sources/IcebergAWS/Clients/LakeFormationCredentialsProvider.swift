// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Logging

/// The keys for one table's files: Lake Formation's where the table is registered there, the role's where not. Source: spec/clients.md §3.
///
/// Unlike Java's, which asks for each signature, keys are kept until shortly before their end.
final class LakeFormationCredentialsProvider: AWSCredentialsProvider {
  struct Table: Sendable, Hashable {
    var database: String
    var name: String
    var arn: String
  }

  /// Code of the error for a table that is not in the catalog: it has no keys, and no files that anybody could see.
  static let tableMissing = "LakeFormationTableMissing"

  private let held: RefreshingCredentialsProvider

  init(
    _ table: Table, role: any AWSCredentialsProvider, glue: GlueClient, lakeFormation: LakeFormationClient, clock: any AWSClock,
    logger: Logger
  ) {
    let name = "Lake Formation (\(table.database).\(table.name))"
    held = RefreshingCredentialsProvider(name: name, window: .standard, clock: clock, logger: logger) { () throws(AWSError) in
      let isRegistered: Bool
      do throws(AWSError) {
        isRegistered = try await glue.getTable(databaseName: table.database, name: table.name).isRegisteredWithLakeFormation
      } catch {
        guard error.code == "EntityNotFoundException" else { throw error }
        throw AWSError(
          kind: .notFound, code: Self.tableMissing,
          message:
            "Lake Formation gives keys only for a table that exists: \(table.database).\(table.name) is not in the catalog yet; commit its "
            + "first metadata file before data is written", operation: "Credentials", attempts: 0)
      }
      guard isRegistered else {
        // The role's keys end by themselves; until then nobody asks again whether the table is registered.
        guard var keys = try await role.credentials() else { return nil }
        keys.source = "\(keys.source), for a table not registered with Lake Formation"
        return keys
      }
      do throws(AWSError) {
        return try await lakeFormation.temporaryTableCredentials(tableARN: table.arn, source: name)
      } catch {
        throw Self.explained(error, table)
      }
    }
  }

  var name: String { held.name }
  var latest: AWSCredentials? { held.latest }
  func credentials() async throws(AWSError) -> AWSCredentials? { try await held.credentials() }
  func invalidate(_ refused: AWSCredentials?) { held.invalidate(refused) }

  private static func explained(_ error: AWSError, _ table: Table) -> AWSError {
    var explained = error
    switch error.code {
    case "AccessDeniedException":
      explained.message +=
        "; Lake Formation needs a grant on \(table.database).\(table.name) for the role, and the session tag's value among the account's "
        + "external data filtering settings"
    case "PermissionTypeMismatchException":
      explained.message += "; \(table.database).\(table.name) has row or cell filters, which programs that read whole files cannot keep"
    default: return error
    }
    return explained
  }
}
