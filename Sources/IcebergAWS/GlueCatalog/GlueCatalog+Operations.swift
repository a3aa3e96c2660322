// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg

/// Changes of the catalog besides commits. Source: spec/glue.md §4, §14.
extension GlueCatalog: WritableCatalog {
  package var tableOperations: any TableOperations {
    GlueTableOperations(
      client: client, names: names, files: files, skipsArchive: properties.isGlueArchiveSkipped, clock: clock, catalog: self)
  }

  package func createNamespace(_ namespace: Namespace, properties: [String: String]) async throws(CatalogError) {
    let name = try database(namespace)
    let rest = properties.filter { $0.key != "comment" && $0.key != "location" }
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      do throws(AWSError) {
        try await client.createDatabase(
          name: name, description: properties["comment"], locationURI: properties["location"], parameters: rest)
      } catch {
        try await settleCreation(of: namespace, properties, CommitRefusal(error: error))
      }
    }
  }

  package func dropNamespace(_ namespace: Namespace) async throws(CatalogError) {
    let name = try database(namespace)
    // DeleteDatabase drops every table with it, so the second look comes right before.
    for _ in 0..<2 { try await requireEmpty(namespace) }
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      do throws(AWSError) {
        try await client.deleteDatabase(name: name)
      } catch {
        try await settleDrop(of: namespace, CommitRefusal(error: error))
      }
    }
  }

  package func dropTable(_ identifier: TableIdentifier) async throws(CatalogError) {
    let database = try database(identifier.namespace)
    guard let table = try await definition(of: identifier, in: database)?.table, GlueTableOperations.isIceberg(table),
      GlueTableOperations.pointer(of: table) != nil
    else { throw Self.noTable(identifier) }
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      switch await removeTable(identifier, in: database) {
      case .done: return
      case .wasAbsent: throw Self.noTable(identifier)
      case .refused(let error), .open(let error): throw error
      }
    }
  }

  package func renameTable(_ entry: TableEntry, to target: TableIdentifier) async throws(CatalogError) {
    let source = entry.identifier
    try checkTableName(target)
    let (from, to) = (try database(source.namespace), try database(target.namespace))
    // Two spellings of one entry: what is taken for the new one would be dropped as the old one.
    guard !GlueNames.areSame(source, target) else { throw Self.alreadyExists(target) }
    guard try await loadNamespace(target.namespace) != nil else { throw Self.noNamespace(target.namespace) }
    let definition = try await unchanged(entry, in: from)
    guard definition.table.versionID?.isEmpty == false else {
      throw CatalogError(
        code: .failed, message: "Cannot rename \(source): Glue gave no VersionId, without which a commit meanwhile could be lost")
    }
    guard try await self.definition(of: target, in: to) == nil else { throw Self.alreadyExists(target) }
    let rename = GlueRename(catalog: self, entry: entry, from: from, target: target, to: to, definition: definition)
    try await uninterruptedCatalogCall { () throws(CatalogError) in try await rename.run() }
  }

  // MARK: parts

  /// The entry under a name, of any kind; nil if there is none.
  func definition(of identifier: TableIdentifier, in database: String) async throws(CatalogError) -> GlueTableDefinition? {
    do {
      return try await client.getTableDefinition(databaseName: database, name: identifier.name)
    } catch {
      if error.code == "EntityNotFoundException" { return nil }
      throw CatalogError(error, "Cannot load Glue table \(identifier)")
    }
  }

  /// The entry under a name after an answer was lost.
  func readBack(_ identifier: TableIdentifier, in database: String) async throws(CatalogError) -> GlueTableDefinition? {
    try await ReadBack(clock: clock)({ () throws(CatalogError) in try await definition(of: identifier, in: database) })
  }

  /// The entry, if its pointer is still what the caller saw.
  func unchanged(_ entry: TableEntry, in database: String) async throws(CatalogError) -> GlueTableDefinition {
    guard let definition = try await definition(of: entry.identifier, in: database) else { throw Self.noTable(entry.identifier) }
    guard GlueTableOperations.isIceberg(definition.table),
      GlueTableOperations.pointer(of: definition.table)?.utf8.elementsEqual(entry.metadataLocation.utf8) == true
    else { throw Self.moved(entry.identifier) }
    return definition
  }

  /// Deletes an entry, whatever it is by now.
  func removeTable(_ identifier: TableIdentifier, in database: String) async -> Removal {
    let error: AWSError
    do {
      try await client.deleteTable(databaseName: database, name: identifier.name)
      return .done
    } catch let failure {
      error = failure
    }
    let isMissing = error.code == "EntityNotFoundException"
    if CommitRefusal(error: error).isDefinite {
      return isMissing ? .wasAbsent : .refused(CatalogError(error, "Cannot drop Glue table \(identifier)"))
    }
    // An earlier send may have deleted it.
    if isMissing { return .done }
    do throws(CatalogError) {
      guard try await readBack(identifier, in: database) != nil else { return .done }
      return .open(
        .open(
          "Drop of Glue table \(identifier)", error,
          "it is still there, but the request may be on its way: look at it again in a minute, and leave the name alone until then"))
    } catch let unreadable {
      return .open(
        .open("Drop of Glue table \(identifier)", error, "look whether it is still there, since it cannot be read: \(unreadable.message)"))
    }
  }

  private func settleCreation(
    of namespace: Namespace, _ properties: [String: String], _ refusal: CommitRefusal
  ) async throws(CatalogError) {
    let error = refusal.error
    let refused = refusal.catalogError("Cannot create Glue database \(namespace)")
    let exists = CatalogError(code: .alreadyExists, message: "Namespace already exists: \(namespace)", requestID: error.requestID)
    if refusal.needsNoCheck { throw error.code == "AlreadyExistsException" ? exists : refused }
    let found: NamespaceEntry?
    do throws(CatalogError) {
      found = try await ReadBack(clock: clock)({ () throws(CatalogError) in try await loadNamespace(namespace) })
    } catch let unreadable {
      throw .open(
        "Creation of Glue database \(namespace)", error, "look whether it is there, since it cannot be read: \(unreadable.message)")
    }
    guard let found else {
      if refusal.isDefinite { throw refused }
      throw .open(
        "Creation of Glue database \(namespace)", error,
        "it is not there, but the request may be on its way: look whether it has appeared in a minute")
    }
    // A database just as asked for is as good as ours.
    var wanted = properties
    wanted["location"] = wanted["location"].map(AwsProperties.withoutTrailingSlashes)
    if refusal.isDefinite || found.properties != wanted { throw exists }
  }

  private func settleDrop(of namespace: Namespace, _ refusal: CommitRefusal) async throws(CatalogError) {
    let error = refusal.error
    let isMissing = error.code == "EntityNotFoundException"
    if refusal.isDefinite { throw isMissing ? Self.noNamespace(namespace) : CatalogError(error, "Cannot drop Glue database \(namespace)") }
    // An earlier send may have dropped it.
    if isMissing { return }
    let found: NamespaceEntry?
    do throws(CatalogError) {
      found = try await ReadBack(clock: clock)({ () throws(CatalogError) in try await loadNamespace(namespace) })
    } catch let unreadable {
      throw .open(
        "Drop of Glue database \(namespace)", error, "look whether it is still there, since it cannot be read: \(unreadable.message)")
    }
    guard found == nil else {
      throw .open(
        "Drop of Glue database \(namespace)", error,
        "it is still there, but the request may be on its way: look at it again in a minute, and make no table in it until then")
    }
  }

  private func requireEmpty(_ namespace: Namespace) async throws(CatalogError) {
    let name = try database(namespace)
    var token: String?
    repeat {
      let page: GluePage<GlueTable>
      do {
        page = try await client.getTables(databaseName: name, nextToken: token)
      } catch {
        if error.code == "EntityNotFoundException" { throw Self.noNamespace(namespace) }
        throw CatalogError(error, "Cannot list the tables of Glue database \(namespace)")
      }
      if let first = page.elements.first {
        let kind = GlueTableOperations.isIceberg(first) ? "Iceberg" : "non-Iceberg"
        throw CatalogError(
          code: .notEmpty, message: "Cannot drop namespace \(namespace) because it still contains \(kind) tables: \(first.name)")
      }
      token = page.nextToken
    } while token != nil
  }

  private func database(_ namespace: Namespace) throws(CatalogError) -> String {
    try names.check(namespace)
    return namespace.levels[0]
  }

  static func alreadyExists(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .alreadyExists, message: "Table already exists: \(identifier)")
  }

  static func noNamespace(_ namespace: Namespace) -> CatalogError {
    CatalogError(code: .namespaceNotFound, message: "Cannot find namespace \(namespace)")
  }

  static func noTable(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .tableNotFound, message: "Cannot find table \(identifier)")
  }

  static func moved(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .conflict, message: "\(identifier) was committed to or dropped meanwhile")
  }
}
