// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Iceberg

/// A rename on Glue, which has none: a new entry is made, the old one closed and dropped. Source: spec/glue.md §14.
///
/// Glue's DeleteTable takes no condition, so a commit to the old name right before it would be lost with the entry. Therefore the entry is
/// closed first (``GlueTableFence``), by an UpdateTable on the version that was copied: a commit before it makes it fail, and one after it fails.
///
/// No step is taken that could leave the table without an entry: the old one is closed only when the new one was seen or answered for, and
/// the new one is taken back only while the old one is open and no closing of it may be on its way.
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
    let fence = GlueTableFence(catalog: catalog, table: source, database: from, successor: target)
    switch await fence.close(definition) {
    case .closed: break
    case .absent: throw sourceIsGone()
    case .moved: throw await undone(because: GlueCatalog.moved(source), fence, isCreationOpen: isCreationOpen)
    case .refused(let error): throw await undone(because: error, fence, isCreationOpen: isCreationOpen)
    case .open(let error): throw unknown("both names may stand for the table now: if both do in a minute, drop one. \(error.message)")
    }
    switch await catalog.removeTable(source, in: from) {
    case .done, .wasAbsent: return
    case .refused(let error): throw await undone(because: error, fence, isCreationOpen: isCreationOpen)
    case .open(let error): throw unknown("\(target) stands for the table, \(source) does not any more. \(error.message)")
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
    // Every send was refused: whatever is there is somebody else's.
    if refusal.isDefinite { throw refused(refusal) }
    let found: GlueTableDefinition?
    do throws(CatalogError) {
      found = try await catalog.readBack(target, in: to)
    } catch let unreadable {
      throw .open(
        problem, error,
        "\(source) stays as it is; look whether \(target) has appeared beside it, and drop it if so. It cannot be read: \(unreadable.message)"
      )
    }
    guard let found else {
      throw .open(
        problem, error,
        "\(source) stays as it is and \(target) is not there, but the request may be on its way: look whether it has appeared in a minute, "
          + "and drop it if so")
    }
    if pointsToOurs(found) { return true }
    if isOurs(found.table.parameters["previous_metadata_location"]) {
      throw unknown("both names stand for the table, and \(target) was committed to already: drop \(source) if that is what was wanted")
    }
    throw GlueCatalog.alreadyExists(target)
  }

  /// Opens the old entry again if it was closed, takes the new one back, and gives the error to be thrown.
  private func undone(because error: CatalogError, _ fence: GlueTableFence, isCreationOpen: Bool) async -> CatalogError {
    let old: GlueTableDefinition?
    let new: GlueTableDefinition?
    do throws(CatalogError) {
      old = try await catalog.readBack(source, in: from)
      new = try await catalog.readBack(target, in: to)
    } catch let unreadable {
      return unknown(
        "it failed (\(error.message)), and the new entry is not taken back, since the entries cannot be read (\(unreadable.message)): if both "
          + "names stand for the table, drop \(target)")
    }
    // One that somebody else has closed is about to go: the new name is all that the table has.
    guard let old, GlueTableOperations.isIceberg(old.table) || fence.isClosed(old) else { return sourceIsGone() }
    if let new, !pointsToOurs(new) {
      return unknown("it failed (\(error.message)), and \(target) was committed to already: decide which of the two names is to stay")
    }
    if fence.isClosed(old), let refusal = await fence.reopen(old, as: definition) {
      return unknown(
        "it failed (\(error.message)) after \(source) was closed, and that could not be undone (\(refusal.message)): \(target) stands for the "
          + "table; if both names do in a minute, drop one")
    }
    if let new, let refusal = await remove(new) {
      return unknown(
        "it failed (\(error.message)), and the new entry could not be taken back (\(refusal.message)): if both names stand for the table, "
          + "drop \(target)")
    }
    guard isCreationOpen else { return error }
    return unknown(
      "it failed (\(error.message)) and the new entry was taken back, but a request to make it may still be on its way: look whether "
        + "\(target) has appeared in a minute, and drop it if so")
  }

  /// Removes the new entry, unless somebody commits to it first. Returns why it is not certain to be gone.
  private func remove(_ new: GlueTableDefinition) async -> CatalogError? {
    switch await GlueTableFence(catalog: catalog, table: target, database: to, successor: source).close(new) {
    case .absent: return nil
    case .closed: break
    case .moved: return GlueCatalog.moved(target)
    case .refused(let error), .open(let error): return error
    }
    switch await catalog.removeTable(target, in: to) {
    case .done, .wasAbsent: return nil
    case .refused(let error), .open(let error): return error
    }
  }

  private func pointsToOurs(_ definition: GlueTableDefinition) -> Bool {
    GlueTableOperations.isIceberg(definition.table) && isOurs(GlueTableOperations.pointer(of: definition.table))
  }

  private func isOurs(_ location: String?) -> Bool {
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
