// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg

/// Changes of the catalog besides commits. Source: spec/glue.md §4, §14.
extension GlueCatalog: WritableCatalog {
  package var tableOperations: any TableOperations {
    GlueTableOperations(client: client, names: names, files: files, skipsArchive: properties.isGlueArchiveSkipped, clock: clock)
  }

  package func createNamespace(_ namespace: Namespace, properties: [String: String]) async throws(CatalogError) {
    let name = try database(namespace)
    let rest = properties.filter { $0.key != "comment" && $0.key != "location" }
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      do throws(AWSError) {
        try await client.createDatabase(
          name: name, description: properties["comment"], locationURI: properties["location"], parameters: rest)
      } catch {
        guard error.code == "AlreadyExistsException" else { throw CatalogError(error, "Cannot create Glue database \(namespace)") }
        // After a second send, the first one may have made it: a database just as asked for is as good as ours.
        var wanted = properties
        wanted["location"] = wanted["location"].map(AwsProperties.withoutTrailingSlashes)
        if error.attempts > 1, try await loadNamespace(namespace)?.properties == wanted { return }
        throw CatalogError(code: .alreadyExists, message: "Namespace already exists: \(namespace)", requestID: error.requestID)
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
        guard error.code == "EntityNotFoundException" else { throw CatalogError(error, "Cannot drop Glue database \(namespace)") }
        if error.attempts <= 1 { throw Self.noNamespace(namespace) }
      }
    }
  }

  package func dropTable(_ entry: TableEntry) async throws(CatalogError) {
    let identifier = entry.identifier
    let database = try database(identifier.namespace)
    _ = try await unchanged(entry, database)
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      do throws(AWSError) {
        try await client.deleteTable(databaseName: database, name: identifier.name)
      } catch {
        guard error.code == "EntityNotFoundException" else { throw CatalogError(error, "Cannot drop Glue table \(identifier)") }
        if error.attempts <= 1 { throw Self.noTable(identifier) }
      }
    }
  }

  package func renameTable(_ entry: TableEntry, to target: TableIdentifier) async throws(CatalogError) {
    let source = entry.identifier
    let (from, to) = (try database(source.namespace), try database(target.namespace))
    guard names.isTable(target.name) else { throw Self.badName("\(target)", "table", 255) }
    guard try await loadNamespace(target.namespace) != nil else { throw Self.noNamespace(target.namespace) }
    let definition = try await unchanged(entry, from)
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in
      try await create(target, in: to, copying: definition, of: entry)
      do throws(CatalogError) {
        // Both entries name one file for a while; a commit to the old one meanwhile would be lost with it.
        let now = try await unchanged(entry, from)
        guard now.table.versionID == definition.table.versionID else { throw Self.moved(source) }
        do throws(AWSError) {
          try await client.deleteTable(databaseName: from, name: source.name)
        } catch {
          guard error.code == "EntityNotFoundException" else { throw CatalogError(error, "Cannot drop Glue table \(source)") }
          if error.attempts <= 1 { throw Self.moved(source) }
        }
      } catch {
        try await undoCreate(target, in: to, pointer: entry.metadataLocation, because: error, source: source)
      }
    }
  }

  // MARK: parts

  private func create(
    _ target: TableIdentifier, in database: String, copying definition: GlueTableDefinition, of entry: TableEntry
  ) async throws(CatalogError) {
    do throws(AWSError) {
      try await client.createTable(databaseName: database, name: target.name, copying: definition.copy)
    } catch {
      switch error.code {
      case "AlreadyExistsException":
        // After a second send, the first one may have made it.
        let isOurs = error.attempts > 1 ? try await loadTable(target)?.metadataLocation == entry.metadataLocation : false
        if !isOurs { throw CatalogError(code: .alreadyExists, message: "Table already exists: \(target)", requestID: error.requestID) }
      case "EntityNotFoundException": throw Self.noNamespace(target.namespace)
      default:
        var failure = CatalogError(error, "Cannot rename \(entry.identifier) to \(target)")
        if !CommitRefusal(error: error).isDefinite { failure.code = .unknown }
        throw failure
      }
    }
  }

  /// Takes the new entry back, if the old one is still there; else the new one is all that names the table's files.
  private func undoCreate(
    _ target: TableIdentifier, in database: String, pointer: String, because error: CatalogError, source: TableIdentifier
  ) async throws(CatalogError) {
    guard try await loadTable(source) != nil else {
      if error.code == .conflict || error.code == .tableNotFound { throw error }
      // The delete was done although its answer says nothing.
      return
    }
    if try await loadTable(target)?.metadataLocation == pointer {
      do throws(AWSError) {
        try await client.deleteTable(databaseName: database, name: target.name)
      } catch {
        throw CatalogError(
          code: .unknown,
          message: "\(source) could not be renamed, and its new entry \(target) could not be taken back: \(error.message)",
          requestID: error.requestID)
      }
    }
    throw error
  }

  /// The entry, if its pointer is still what the caller saw.
  private func unchanged(_ entry: TableEntry, _ database: String) async throws(CatalogError) -> GlueTableDefinition {
    let definition: GlueTableDefinition
    do {
      definition = try await client.getTableDefinition(databaseName: database, name: entry.identifier.name)
    } catch {
      if error.code == "EntityNotFoundException" { throw Self.noTable(entry.identifier) }
      throw CatalogError(error, "Cannot load Glue table \(entry.identifier)")
    }
    guard GlueTableOperations.isIceberg(definition.table),
      GlueTableOperations.pointer(of: definition.table)?.utf8.elementsEqual(entry.metadataLocation.utf8) == true
    else { throw Self.moved(entry.identifier) }
    return definition
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
    guard let name = names.database(of: namespace) else { throw Self.badName("\(namespace)", "database", 252) }
    return name
  }

  private static func badName(_ name: String, _ what: String, _ limit: Int) -> CatalogError {
    CatalogError(
      code: .invalid,
      message: "Cannot use \(name) as Glue \(what) name, because it must be 1-\(limit) chars of lowercase letters, numbers, underscore")
  }

  private static func noNamespace(_ namespace: Namespace) -> CatalogError {
    CatalogError(code: .namespaceNotFound, message: "Cannot find namespace \(namespace)")
  }

  private static func noTable(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .tableNotFound, message: "Cannot find table \(identifier)")
  }

  private static func moved(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .conflict, message: "\(identifier) was committed to or dropped meanwhile")
  }
}
