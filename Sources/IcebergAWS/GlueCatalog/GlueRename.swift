// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Iceberg

/// A rename on Glue, which has none: a new entry is made and the old one dropped. Source: spec/glue.md §14.
///
/// No step is taken that could leave the table without an entry: the old one is dropped only when the new one was seen or answered for, and
/// the new one is taken back only while the old one is there and no drop of it may be on its way.
struct GlueRename: Sendable {
  let catalog: GlueCatalog
  /// As the caller saw it.
  let entry: TableEntry
  /// Database of the old entry.
  let from: String
  let target: TableIdentifier
  /// Database of the new entry.
  let to: String
  /// What the new entry is made of.
  let definition: GlueTableDefinition

  private var source: TableIdentifier { entry.identifier }
  private var problem: String { "Rename of Glue table \(source) to \(target)" }

  func run() async throws(CatalogError) {
    let isCreationOpen = try await create()
    let now: GlueTableDefinition?
    do throws(CatalogError) {
      now = try await catalog.definition(of: source, in: from)
    } catch {
      throw await undone(because: error, isCreationOpen: isCreationOpen)
    }
    guard let now else { throw sourceIsGone() }
    // Both entries name one file for a while; a commit to the old one meanwhile would be lost with it.
    guard isUnchanged(now) else { throw await undone(because: GlueCatalog.moved(source), isCreationOpen: isCreationOpen) }
    switch await catalog.removeTable(source, in: from) {
    case .done: return
    case .wasAbsent: throw sourceIsGone()
    case .refused(let error): throw await undone(because: error, isCreationOpen: isCreationOpen)
    case .open(let error): throw unknown("both names may stand for the table now: if both do in a minute, drop one. \(error.message)")
    }
  }

  /// Returns whether a send of the creation is left of which nobody knows what became: it may still arrive.
  private func create() async throws(CatalogError) -> Bool {
    let error: AWSError
    do {
      return try await catalog.client.createTable(databaseName: to, name: target.name, copying: definition.copy) > 1
    } catch let failure {
      error = failure
    }
    let refusal = CommitRefusal(error: error)
    if refusal.needsNoCheck { throw refused(refusal) }
    let found: GlueTableDefinition?
    do throws(CatalogError) {
      found = try await ReadBack(clock: catalog.clock)({ () throws(CatalogError) in try await catalog.definition(of: target, in: to) })
    } catch let unreadable {
      throw .open(
        problem, error,
        "\(source) stays as it is; look whether \(target) has appeared beside it, and drop it if so. It cannot be read: \(unreadable.message)"
      )
    }
    guard let found else {
      if refusal.isDefinite { throw refused(refusal) }
      throw .open(
        problem, error,
        "\(source) stays as it is and \(target) is not there, but the request may be on its way: look whether it has appeared in a minute, "
          + "and drop it if so")
    }
    if pointsToOurs(found.table.parameters["metadata_location"]) { return !refusal.isDefinite }
    if pointsToOurs(found.table.parameters["previous_metadata_location"]) {
      throw unknown("both names stand for the table, and \(target) was committed to already: drop \(source) if that is what was wanted")
    }
    throw GlueCatalog.alreadyExists(target)
  }

  /// Takes the new entry back, and gives the error to be thrown.
  private func undone(because error: CatalogError, isCreationOpen: Bool) async -> CatalogError {
    let old: GlueTableDefinition?
    let new: GlueTableDefinition?
    do throws(CatalogError) {
      let read = ReadBack(clock: catalog.clock)
      old = try await read({ () throws(CatalogError) in try await catalog.definition(of: source, in: from) })
      new = try await read({ () throws(CatalogError) in try await catalog.definition(of: target, in: to) })
    } catch let unreadable {
      return unknown(
        "it failed (\(error.message)), and the new entry is not taken back, since the entries cannot be read (\(unreadable.message)): if both "
          + "names stand for the table, drop \(target)")
    }
    guard old != nil else { return sourceIsGone() }
    if let new {
      guard pointsToOurs(new.table.parameters["metadata_location"]) else {
        return unknown("it failed (\(error.message)), and \(target) was committed to already: decide which of the two names is to stay")
      }
      switch await catalog.removeTable(target, in: to) {
      case .done, .wasAbsent: break
      case .refused(let refusal), .open(let refusal):
        return unknown(
          "it failed (\(error.message)), and the new entry could not be taken back (\(refusal.message)): if both names stand for the table, "
            + "drop \(target)")
      }
    }
    guard isCreationOpen else { return error }
    return unknown(
      "it failed (\(error.message)) and the new entry was taken back, but a request to make it may still be on its way: look whether "
        + "\(target) has appeared in a minute, and drop it if so")
  }

  private func isUnchanged(_ now: GlueTableDefinition) -> Bool {
    GlueTableOperations.isIceberg(now.table) && pointsToOurs(now.table.parameters["metadata_location"])
      && now.table.versionID == definition.table.versionID
  }

  private func pointsToOurs(_ location: String?) -> Bool {
    location?.utf8.elementsEqual(entry.metadataLocation.utf8) == true
  }

  private func refused(_ refusal: CommitRefusal) -> CatalogError {
    switch refusal.error.code {
    case "AlreadyExistsException": GlueCatalog.alreadyExists(target)
    case "EntityNotFoundException": GlueCatalog.noNamespace(target.namespace)
    default: refusal.catalogError("Cannot rename \(source) to \(target)")
    }
  }

  private func sourceIsGone() -> CatalogError {
    unknown("somebody else has dropped or renamed \(source) meanwhile; \(target) stands for its files now: drop it if the table was to go")
  }

  private func unknown(_ advice: String) -> CatalogError {
    CatalogError(code: .unknown, message: "\(problem) has an unknown outcome: \(advice)")
  }
}
