// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import WireFormats

/// The calls of the Glue Data Catalog that reading needs; those that write stand in `GlueClient+Writing.swift`. Source: spec/glue.md §1.
///
/// `MaxResults` is never sent: Iceberg leaves the page size to the service.
package struct GlueClient: Sendable {
  private let sender: any AWSRequestSender
  private let catalogID: String?

  /// - Parameter catalogID: `CatalogId` of every call; nil leaves it to the service: the caller's account.
  package init(sender: any AWSRequestSender, catalogID: String?) {
    self.sender = sender
    self.catalogID = catalogID
  }

  /// GetDatabase. Throws code `EntityNotFoundException` if there is none.
  package func getDatabase(name: String) async throws(AWSError) -> GlueDatabase {
    let call = try await call("GetDatabase", [("Name", .string(name))])
    guard let database = call.document.root["Database"].flatMap(GlueDatabase.init) else { throw call.malformed("Database") }
    return database
  }

  /// One page of GetDatabases.
  package func getDatabases(nextToken: String?) async throws(AWSError) -> GluePage<GlueDatabase> {
    let call = try await call("GetDatabases", Self.paging(nextToken))
    return try call.page(of: "DatabaseList", after: nextToken, GlueDatabase.init)
  }

  /// GetTable. Throws code `EntityNotFoundException` if there is none, or no such database.
  package func getTable(databaseName: String, name: String) async throws(AWSError) -> GlueTable {
    let call = try await call("GetTable", [("DatabaseName", .string(databaseName)), ("Name", .string(name))])
    guard let table = call.document.root["Table"].flatMap(GlueTable.init) else { throw call.malformed("Table") }
    return table
  }

  /// One page of GetTables, tables of every kind. Throws code `EntityNotFoundException` if there is no such database.
  package func getTables(databaseName: String, nextToken: String?) async throws(AWSError) -> GluePage<GlueTable> {
    let call = try await call("GetTables", [("DatabaseName", .string(databaseName))] + Self.paging(nextToken))
    return try call.page(of: "TableList", after: nextToken, GlueTable.init)
  }

  func call(_ operation: String, _ members: [(key: String, value: JSONValue)]) async throws(AWSError) -> JSONAnswer {
    var all = members
    if let catalogID {
      all.insert(("CatalogId", .string(catalogID)), at: 0)
    }
    return try await sender.call(target: "AWSGlue.\(operation)", version: "1.1", operation: "Glue.\(operation)", members: all)
  }

  private static func paging(_ token: String?) -> [(key: String, value: JSONValue)] {
    token.map { [("NextToken", .string($0))] } ?? []
  }
}

extension JSONAnswer {
  /// The elements of a list member, which a page may lack, and the next token.
  fileprivate func page<Element: Sendable>(
    of member: String, after token: String?, _ element: (JSONNode) -> Element?
  ) throws(AWSError) -> GluePage<Element> {
    var page = GluePage<Element>(elements: [], nextToken: document.root["NextToken"]?.string)
    // A token that repeats would page for ever.
    if page.nextToken != nil, page.nextToken == token { throw malformed("NextToken") }
    guard let list = document.root[member], !list.isNull else { return page }
    guard list.kind == .array else { throw malformed(member) }
    for node in list.elements {
      guard let element = element(node) else { throw malformed(member) }
      page.elements.append(element)
    }
    return page
  }
}
