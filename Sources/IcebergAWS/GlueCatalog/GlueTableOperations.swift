// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg

/// Commits to tables of the Glue Data Catalog. Source: spec/glue.md §9–§12, §17.
///
/// `VersionId` is always sent, under a lock too: writers of other kinds know nothing of the lock.
package struct GlueTableOperations: TableOperations {
  private static let descriptionLimit = 2048

  let client: GlueClient
  let names: GlueNames
  let files: TableFiles
  let skipsArchive: Bool
  let clock: any AWSClock
  let catalog: GlueCatalog

  package func reserve(_ identifier: TableIdentifier, location: String) async throws(CatalogError) -> (any TableReservation)? {
    guard files.needEntryFirst else { return nil }
    try names.check(identifier)
    return try await GlueReservation.make(identifier, at: location, in: identifier.namespace.levels[0], of: catalog)
  }

  package func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome {
    let identifier = commit.identifier
    try names.check(identifier)
    let database = identifier.namespace.levels[0]
    let entry = try await entry(database, identifier)
    guard let base = commit.base else {
      if files.needEntryFirst, let entry, GlueReservation.isHalfMade(entry.table) {
        return try await uninterruptedCatalogCall { () throws(CatalogError) in
          try await update(commit, database, entry, base: nil, mayRetry: true)
        }
      }
      guard entry == nil else { throw Self.alreadyExists(identifier) }
      return try await uninterruptedCatalogCall { () throws(CatalogError) in try await create(commit, database) }
    }
    guard let entry, Self.isIceberg(entry.table) else {
      return .conflict("Cannot commit \(identifier): the table was dropped, or is no Iceberg table any more")
    }
    if let outcome = Self.compare(entry.table, commit, base: base) { return outcome }
    return try await uninterruptedCatalogCall { () throws(CatalogError) in
      try await update(commit, database, entry, base: base, mayRetry: true)
    }
  }

  // MARK: persist

  private func update(
    _ commit: TableCommit, _ database: String, _ entry: GlueTableDefinition, base: TableEntry?, mayRetry: Bool
  ) async throws(CatalogError) -> CommitOutcome {
    guard let version = entry.table.versionID, !version.isEmpty else {
      throw CatalogError(
        code: .failed, message: "Cannot commit \(commit.identifier): Glue gave no VersionId, without which no commit is safe")
    }
    let input = Self.input(commit, over: entry)
    try commit.requireLease()
    let error: AWSError
    do {
      try await client.updateTable(databaseName: database, input: input, skipsArchive: skipsArchive, versionID: version)
      return .committed(commit.entry(version: nil))
    } catch let failure {
      error = failure
    }
    let refusal = CommitRefusal(error: error)
    guard refusal.needsNoCheck else { return try await readBack(refusal, commit, database) }
    switch error.kind {
    case .conditionFailed where mayRetry:
      // Crawlers and consoles move the version, too; the pointer decides.
      guard let now = try? await self.entry(database, commit.identifier), Self.isIceberg(now.table) else {
        return Self.lost(commit)
      }
      if let outcome = Self.compare(now.table, commit, base: base) { return outcome }
      return try await update(commit, database, now, base: base, mayRetry: false)
    case .conditionFailed: return Self.lost(commit)
    case .notFound where error.code == "EntityNotFoundException":
      return .conflict("Cannot commit \(commit.identifier): the table was dropped meanwhile")
    default: throw refusal.catalogError("Cannot commit \(commit.identifier)")
    }
  }

  private func create(_ commit: TableCommit, _ database: String) async throws(CatalogError) -> CommitOutcome {
    try commit.requireLease()
    let error: AWSError
    do {
      try await client.createTable(databaseName: database, input: Self.input(commit, over: nil))
      return .committed(commit.entry(version: nil))
    } catch let failure {
      error = failure
    }
    let refusal = CommitRefusal(error: error)
    guard refusal.needsNoCheck else { return try await readBack(refusal, commit, database) }
    throw Self.creating(refusal, commit)
  }

  /// Reads the entry after an answer that leaves the outcome open. Throws only a refusal that is certain.
  private func readBack(
    _ refusal: CommitRefusal, _ commit: TableCommit, _ database: String
  ) async throws(CatalogError) -> CommitOutcome {
    let check = CommitStatusCheck(commit: commit, files: files.files(of: commit.identifier), clock: clock)
    let problem = "Commit of \(commit.identifier): \(refusal.error.message) (\(refusal.error.operation): \(refusal.error.code))"
    var hasMoved = false
    let outcome = await check.settle(problem) { () throws(CatalogError) in
      let entry = try await entry(database, commit.identifier)
      let pointer = entry.flatMap { Self.pointer(of: $0.table) }
      if let pointer, pointer.utf8.elementsEqual(commit.metadataLocation.utf8) {
        return .committed(commit.entry(version: entry?.table.versionID, modified: entry?.table.modified))
      }
      guard let pointer, !pointer.utf8.elementsEqual((commit.base?.metadataLocation ?? "").utf8) else {
        return .unknown("\(problem); the pointer has not moved, but the request may still be on its way")
      }
      switch try await check.log(of: pointer) {
      case .contains: return .committed(commit.entry(version: nil))
      case .excludes: return Self.lost(commit)
      case .doesNotReach:
        hasMoved = true
        return .unknown("\(problem); others have committed since, and their log does not reach back to this commit")
      }
    }
    guard refusal.isDefinite else { return outcome }
    // Every send was refused, and the entry does not show otherwise.
    guard case .unknown = outcome else { return outcome }
    guard commit.base != nil else { throw Self.creating(refusal, commit) }
    if refusal.error.kind == .conditionFailed || refusal.error.code == "EntityNotFoundException" || hasMoved {
      return Self.lost(commit)
    }
    throw refusal.catalogError("Cannot commit \(commit.identifier)")
  }

  // MARK: parts

  /// Nil if there is no entry of any kind.
  private func entry(_ database: String, _ identifier: TableIdentifier) async throws(CatalogError) -> GlueTableDefinition? {
    do {
      return try await client.getTableDefinition(databaseName: database, name: identifier.name)
    } catch {
      if error.code == "EntityNotFoundException" { return nil }
      throw CatalogError(error, "Cannot load Glue table \(identifier)")
    }
  }

  /// Nil if the pointer is still the base; else what that means.
  private static func compare(_ table: GlueTable, _ commit: TableCommit, base: TableEntry?) -> CommitOutcome? {
    let current = pointer(of: table) ?? ""
    let expected = base?.metadataLocation ?? ""
    if current.utf8.elementsEqual(expected.utf8) { return nil }
    if current.utf8.elementsEqual(commit.metadataLocation.utf8) {
      return .committed(commit.entry(version: table.versionID, modified: table.modified))
    }
    return .conflict(
      "Cannot commit \(commit.identifier) because base metadata location '\(expected)' is not same as the current Glue location "
        + "'\(current)'")
  }

  /// What goes in place of the entry: its parameters and three keys; display data anew.
  private static func input(_ commit: TableCommit, over entry: GlueTableDefinition?) -> GlueTableInput {
    let document = commit.document
    var parameters = entry?.table.parameters ?? [:]
    parameters["table_type"] = "ICEBERG"
    parameters["metadata_location"] = commit.metadataLocation
    if let base = commit.base { parameters["previous_metadata_location"] = base.metadataLocation }
    let paths = ["write.data.path", "write.metadata.path", "write.object-storage.path", "write.folder-storage.path"]
    var locations: [String] = []
    for path in paths.compactMap({ document.properties[$0] }) where !locations.contains(path) { locations.append(path) }
    return GlueTableInput(
      name: commit.identifier.name,
      description: (document.properties["comment"] ?? entry?.description).map { GlueColumns.shortened($0, to: descriptionLimit) },
      storage: GlueTableInput.Storage(
        columns: GlueColumns.columns(of: document, comments: entry?.columnComments ?? [:]), location: document.location,
        additionalLocations: locations),
      parameters: parameters)
  }

  private static func creating(_ refusal: CommitRefusal, _ commit: TableCommit) -> CatalogError {
    switch refusal.error.code {
    case "AlreadyExistsException": return alreadyExists(commit.identifier)
    case "EntityNotFoundException":
      return CatalogError(
        code: .namespaceNotFound, message: "Cannot find namespace \(commit.identifier.namespace)", requestID: refusal.error.requestID)
    default: return refusal.catalogError("Cannot create \(commit.identifier)")
    }
  }

  private static func alreadyExists(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .alreadyExists, message: "Table already exists: \(identifier)")
  }

  private static func lost(_ commit: TableCommit) -> CommitOutcome {
    .conflict("Cannot commit \(commit.identifier) because Glue detected concurrent update")
  }

  static func isIceberg(_ table: GlueTable) -> Bool {
    table.parameters["table_type"]?.lowercased() == "iceberg"
  }

  static func pointer(of table: GlueTable) -> String? {
    table.parameters["metadata_location"].flatMap { $0.isEmpty ? nil : $0 }
  }
}
