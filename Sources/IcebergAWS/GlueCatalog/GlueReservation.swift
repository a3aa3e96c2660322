// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Iceberg

/// The entry that a new table gets before its first file is written, where the keys of its files hang on an entry. Source: spec/clients.md §3.8.
///
/// It has no pointer, so nobody takes it for a table. The commit puts the table in its place, on the entry's version; without a commit it is
/// closed on that version and deleted, so that a commit of somebody who took it over is never lost with it.
struct GlueReservation: TableReservation {
  let catalog: GlueCatalog
  let table: TableIdentifier
  let database: String

  /// Makes the entry, or takes over one without a pointer that a program left which ended halfway.
  static func make(_ table: TableIdentifier, at location: String, in database: String, of catalog: GlueCatalog) async throws(CatalogError)
    -> GlueReservation
  {
    let reservation = GlueReservation(catalog: catalog, table: table, database: database)
    let error: AWSError
    do {
      try await catalog.client.createTable(
        databaseName: database, input: GlueTableInput(reserving: table.name, at: location))
      return reservation
    } catch let failure {
      error = failure
    }
    let refusal = CommitRefusal(error: error)
    if error.code == "AlreadyExistsException" || !refusal.needsNoCheck,
      let found = try await catalog.readBack(table, in: database), isHalfMade(found.table)
    {
      return reservation
    }
    switch error.code {
    case "AlreadyExistsException": throw GlueCatalog.alreadyExists(table)
    case "EntityNotFoundException": throw GlueCatalog.noNamespace(table.namespace)
    default: throw refusal.catalogError("Cannot create \(table)")
    }
  }

  /// Takes the entry back, if it still is without a pointer.
  func release() async {
    guard let now = try? await catalog.definition(of: table, in: database), Self.isHalfMade(now.table), now.table.versionID != nil else {
      return
    }
    let fence = GlueTableFence(catalog: catalog, table: table, database: database, successor: table)
    guard case .closed = await fence.close(now) else { return }
    _ = await catalog.removeTable(table, in: database)
  }

  static func isHalfMade(_ table: GlueTable) -> Bool {
    GlueTableOperations.isIceberg(table) && GlueTableOperations.pointer(of: table) == nil
  }
}
