// SPDX-License-Identifier: Apache-2.0

/// The reading half of Glue over a fixed catalog, paged as the service pages: at most 100 entries an answer.
package struct GlueAnswers: Sendable {
  private static let pageSize = 100
  private let fixture: CatalogFixture

  package init(fixture: CatalogFixture) {
    self.fixture = fixture
  }

  /// The status and document for an operation named without its `AWSGlue.` prefix.
  package func answer(_ operation: String, _ request: JSONValue) -> (status: Int, document: JSONValue) {
    switch operation {
    case "GetDatabase": getDatabase(request)
    case "GetDatabases": page("DatabaseList", fixture.namespaces.map(database), request)
    case "GetTable": getTable(request)
    case "GetTables": getTables(request)
    default: GlueAnswers.error("InvalidInputException", "Operation \(operation) is not recorded")
    }
  }

  private func getDatabase(_ request: JSONValue) -> (Int, JSONValue) {
    let name = request["Name"]?.string ?? ""
    guard fixture.tables[name] != nil else { return GlueAnswers.notFound("Database \(name)") }
    return (200, .object(["Database": database(name)]))
  }

  private func getTable(_ request: JSONValue) -> (Int, JSONValue) {
    let name = request["Name"]?.string ?? ""
    guard let found = fixture.table(request["DatabaseName"]?.string ?? "", name) else { return GlueAnswers.notFound("Table \(name)") }
    return (200, .object(["Table": table(found)]))
  }

  private func getTables(_ request: JSONValue) -> (Int, JSONValue) {
    let name = request["DatabaseName"]?.string ?? ""
    guard let tables = fixture.tables[name] else { return GlueAnswers.notFound("Database \(name)") }
    return page("TableList", tables.map(table), request)
  }

  private func page(_ member: String, _ entries: [JSONValue], _ request: JSONValue) -> (Int, JSONValue) {
    var start = 0
    if let token = request["NextToken"]?.string {
      guard token.hasPrefix("from-"), let number = Int(token.dropFirst(5)), (0...entries.count).contains(number) else {
        return GlueAnswers.error("InvalidInputException", "Invalid NextToken")
      }
      start = number
    }
    let size = max(1, min(request["MaxResults"]?.integer ?? GlueAnswers.pageSize, GlueAnswers.pageSize))
    let end = min(start + size, entries.count)
    var document: [String: JSONValue] = [member: .array(Array(entries[start..<end]))]
    if end < entries.count { document["NextToken"] = .string("from-\(end)") }
    return (200, .object(document))
  }

  private func database(_ name: String) -> JSONValue {
    .object(["Name": .string(name), "CreateTime": .integer(fixture.born), "CatalogId": .string("123456789012"), "Parameters": .object([:])])
  }

  private func table(_ table: CatalogTable) -> JSONValue {
    let column: JSONValue = .object([
      "Name": .string("id"), "Type": .string("bigint"),
      "Parameters": .object([
        "iceberg.field.id": .string("1"), "iceberg.field.optional": .string("true"), "iceberg.field.current": .string("true"),
      ]),
    ])
    return .object([
      "Name": .string(table.name), "DatabaseName": .string(table.namespace), "TableType": .string("EXTERNAL_TABLE"),
      "CreateTime": .integer(fixture.born), "UpdateTime": .integer(fixture.born), "CatalogId": .string("123456789012"),
      "VersionId": .string("0"), "IsRegisteredWithLakeFormation": .bool(false),
      "Parameters": .object(["table_type": .string("ICEBERG"), "metadata_location": .string(table.metadataLocation)]),
      "StorageDescriptor": .object([
        "Columns": .array([column]), "Location": .string(table.location), "AdditionalLocations": .array([]),
      ]),
    ])
  }

  private static func notFound(_ what: String) -> (Int, JSONValue) {
    error("EntityNotFoundException", "\(what) not found.")
  }

  private static func error(_ code: String, _ message: String) -> (Int, JSONValue) {
    (400, .object(["__type": .string(code), "Message": .string(message)]))
  }
}
