// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import AWSServices
package import Iceberg
package import Logging

/// The Glue Data Catalog as an Iceberg catalog; changes stand in `GlueCatalog+Operations.swift`. Source: spec/glue.md §3–§6.
package final class GlueCatalog: Catalog {
  package let kind = "glue"
  package var nestsNamespaces: Bool { false }
  let client: GlueClient
  let names: GlueNames
  let files: TableFiles
  let properties: AwsProperties
  let clock: any AWSClock
  private let log: OnceLog

  /// - Parameter clock: for the waits of a commit whose answer was lost.
  package init(
    client: GlueClient, properties: AwsProperties, files: TableFiles, logger: Logger, clock: any AWSClock = SystemAWSClock()
  ) {
    self.client = client
    self.clock = clock
    self.properties = properties
    names = GlueNames(isValidationSkipped: properties.isGlueNameValidationSkipped)
    self.files = files
    log = OnceLog(logger)
  }

  package func listNamespaces(
    under parent: Namespace, after token: String?
  ) async throws(CatalogError) -> CatalogPage<NamespaceEntry> {
    // Glue databases hold no databases.
    guard parent.levels.isEmpty else { return CatalogPage(entries: [], next: nil) }
    let page: GluePage<GlueDatabase>
    do {
      page = try await client.getDatabases(nextToken: token)
    } catch {
      throw CatalogError(error, "Cannot list the databases of the Glue catalog")
    }
    let entries = page.elements.compactMap { database -> NamespaceEntry? in
      guard names.isDatabase(database.name) else {
        log.hidden(
          database.name,
          "Glue database is not shown: its name must be 1-252 chars of lowercase letters, numbers, underscore (glue.skip-name-validation)")
        return nil
      }
      return Self.entry(of: database)
    }
    return CatalogPage(entries: entries, next: page.nextToken)
  }

  package func listTables(in namespace: Namespace, after token: String?) async throws(CatalogError) -> CatalogPage<TableEntry> {
    guard let database = names.database(of: namespace) else {
      throw CatalogError(code: .namespaceNotFound, message: "Cannot find namespace \(namespace)")
    }
    let page: GluePage<GlueTable>
    do {
      page = try await client.getTables(databaseName: database, nextToken: token)
    } catch {
      guard !Self.isNotFound(error) else {
        throw CatalogError(code: .namespaceNotFound, message: "Cannot find namespace \(namespace)", requestID: error.requestID)
      }
      throw CatalogError(error, "Cannot list the tables of Glue database \(namespace)")
    }
    let entries = page.elements.compactMap { table -> TableEntry? in
      guard let entry = Self.entry(of: table, in: namespace) else { return nil }
      guard names.isTable(table.name) else {
        log.hidden(
          "\(namespace).\(table.name)",
          "Glue table is not shown: its name must be 1-255 chars of lowercase letters, numbers, underscore (glue.skip-name-validation)")
        return nil
      }
      return entry
    }
    return CatalogPage(entries: entries, next: page.nextToken)
  }

  package func loadNamespace(_ namespace: Namespace) async throws(CatalogError) -> NamespaceEntry? {
    guard let name = names.database(of: namespace) else { return nil }
    do {
      return Self.entry(of: try await client.getDatabase(name: name))
    } catch {
      if Self.isNotFound(error) || error.code == "InvalidInputException" { return nil }
      throw CatalogError(error, "Cannot load Glue database \(namespace)")
    }
  }

  package func loadTable(_ identifier: TableIdentifier) async throws(CatalogError) -> TableEntry? {
    guard let database = names.database(of: identifier.namespace), names.isTable(identifier.name) else { return nil }
    do {
      return Self.entry(of: try await client.getTable(databaseName: database, name: identifier.name), in: identifier.namespace)
    } catch {
      if Self.isNotFound(error) { return nil }
      throw CatalogError(error, "Cannot load Glue table \(identifier)")
    }
  }

  package func fileIO(for identifier: TableIdentifier) -> any FileIO { files.files(of: identifier) }

  private static func isNotFound(_ error: AWSError) -> Bool {
    error.code == "EntityNotFoundException"
  }

  private static func entry(of database: GlueDatabase) -> NamespaceEntry {
    var properties = database.parameters
    properties["location"] = database.locationURI.map(AwsProperties.withoutTrailingSlashes)
    properties["comment"] = database.description
    return NamespaceEntry(namespace: Namespace([database.name]), modified: database.createTime, properties: properties)
  }

  /// Nil if it is no Iceberg table, or has no pointer yet: an entry half made.
  private static func entry(of table: GlueTable, in namespace: Namespace) -> TableEntry? {
    guard table.parameters["table_type"]?.lowercased() == "iceberg", let location = table.parameters["metadata_location"],
      !location.isEmpty
    else { return nil }
    return TableEntry(
      identifier: TableIdentifier(namespace: namespace, name: table.name), metadataLocation: location, version: table.versionID,
      modified: table.modified)
  }
}

extension GlueTable {
  /// Nanoseconds since 1970: the time of the last change; services that keep none for a new entry give that of its creation.
  var modified: Int64? { updateTime ?? createTime }
}
