// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Iceberg

/// Closes an entry of Glue before it is deleted: it loses its pointer and its mark as an Iceberg table, so that no client can commit to it any
/// more, nor read it as a table. What it said is kept under other keys, for a person who has to mend it.
///
/// One value closes one entry once: its identifier is in the entry, and settles answers that were lost.
struct GlueTableFence: Sendable {
  /// Parameters of a closed entry.
  private enum Key {
    static let identifier = "bergfs.rename-id"
    static let successor = "bergfs.renamed-to"
    static let pointer = "bergfs.metadata-location"
  }

  enum Closing: Sendable {
    case closed
    /// Somebody has changed the entry, and no closing is on its way any more.
    case moved
    case absent
    /// It is as it was, and stays so.
    case refused(CatalogError)
    /// It may have been closed, or may still be.
    case open(CatalogError)
  }

  let catalog: GlueCatalog
  let table: TableIdentifier
  let database: String
  /// The name that stands for the table from now on.
  let successor: TableIdentifier
  let identifier = RandomUUID.text()

  /// - Parameter definition: the entry as it was read; if it has changed since, it is not closed.
  func close(_ definition: GlueTableDefinition) async -> Closing {
    var parameters = definition.table.parameters
    parameters[Key.pointer] = parameters.removeValue(forKey: "metadata_location")
    parameters["table_type"] = nil
    parameters[Key.successor] = "\(successor)"
    parameters[Key.identifier] = identifier
    guard let refusal = await update(definition, definition.copy, parameters) else { return .closed }
    let problem = "Cannot close the entry of Glue table \(table)"
    let isMissing = refusal.error.code == "EntityNotFoundException"
    if !refusal.needsNoCheck {
      let now: GlueTableDefinition?
      do throws(CatalogError) {
        now = try await catalog.readBack(table, in: database)
      } catch let unreadable {
        return .open(.open(problem, refusal.error, "it cannot be read: \(unreadable.message)"))
      }
      guard let now else { return .absent }
      if isClosed(now) { return .closed }
      // A version that has moved never comes back.
      if now.table.versionID != definition.table.versionID { return .moved }
      if !refusal.isDefinite { return .open(.open(problem, refusal.error, "the request may be on its way")) }
    }
    if isMissing { return .absent }
    return refusal.error.kind == .conditionFailed ? .moved : .refused(refusal.catalogError(problem))
  }

  func isClosed(_ definition: GlueTableDefinition) -> Bool {
    definition.table.parameters[Key.identifier] == identifier
  }

  /// Makes a closed entry what it was before. Returns why it is not certain to be.
  func reopen(_ closed: GlueTableDefinition, as definition: GlueTableDefinition) async -> CatalogError? {
    guard let refusal = await update(closed, definition.copy, nil) else { return nil }
    let problem = "Cannot open the entry of Glue table \(table) again"
    if refusal.needsNoCheck { return refusal.catalogError(problem) }
    do throws(CatalogError) {
      if let now = try await catalog.readBack(table, in: database), GlueTableOperations.isIceberg(now.table) { return nil }
    } catch let unreadable {
      return .open(problem, refusal.error, "it cannot be read: \(unreadable.message)")
    }
    return .open(problem, refusal.error, "the request may be on its way")
  }

  /// Returns why the entry is not certain to be as it was sent.
  private func update(
    _ definition: GlueTableDefinition, _ copy: GlueTableCopy, _ parameters: [String: String]?
  ) async -> CommitRefusal? {
    do throws(AWSError) {
      try await catalog.client.updateTable(
        databaseName: database, name: table.name, copying: copy, parameters: parameters,
        skipsArchive: catalog.properties.isGlueArchiveSkipped, versionID: definition.table.versionID ?? "")
      return nil
    } catch {
      return CommitRefusal(error: error)
    }
  }
}
