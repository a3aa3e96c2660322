// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import AWSServices
package import Iceberg
package import Logging

/// A DynamoDB table as an Iceberg catalog; changes stand in `DynamoDbCatalog+Operations.swift`. Source: spec/dynamodb.md.
package final class DynamoDbCatalog: Catalog {
  package let kind = "dynamodb"
  package var nestsNamespaces: Bool { true }
  let client: DynamoDBClient
  let properties: AwsProperties
  let log: OnceLog
  let files: TableFiles
  let clock: any AWSClock

  /// - Parameter clock: for time stamps and for the waits of a commit whose answer was lost.
  package init(
    client: DynamoDBClient, properties: AwsProperties, files: TableFiles, logger: Logger, clock: any AWSClock = SystemAWSClock()
  ) {
    self.client = client
    self.clock = clock
    self.properties = properties
    self.files = files
    log = OnceLog(logger)
  }

  /// Name of the catalog's table.
  var table: String { properties.dynamoDBTableName }

  package func loadNamespace(_ namespace: Namespace) async throws(CatalogError) -> NamespaceEntry? {
    guard let key = DynamoDbNames.key(of: namespace), let text = DynamoDbNames.text(of: namespace) else { return nil }
    do {
      if let item = try await client.getItem(table: table, key: key, consistentRead: true) {
        return Self.entry(of: item, namespace)
      }
      // Java makes children without asking for their parents: such a parent is shown, so it must be found by name too.
      let children = try await client.query(
        table: table, condition: Self.childrenCondition,
        values: [(":identifier", DynamoDbNames.namespaceIdentifier), (":ns", "\(text).")], consistentRead: true, limit: 1, after: nil)
      return children.items.isEmpty ? nil : NamespaceEntry(namespace: namespace, modified: nil, properties: [:])
    } catch {
      throw failure(error, "Cannot load namespace \(namespace)")
    }
  }

  package func loadTable(_ identifier: TableIdentifier) async throws(CatalogError) -> TableEntry? {
    guard let key = DynamoDbNames.key(of: identifier) else { return nil }
    return try await item(key, identifier).flatMap { Self.entry(of: $0, identifier) }
  }

  package func fileIO(for identifier: TableIdentifier) -> any FileIO { files.files(of: identifier) }

  /// The table of the catalog is missing, or the call failed.
  func failure(_ error: AWSError, _ place: String) -> CatalogError {
    Self.failure(error, place, table: table)
  }

  static func failure(_ error: AWSError, _ place: String, table: String) -> CatalogError {
    guard error.code == "ResourceNotFoundException" else { return CatalogError(error, place) }
    return CatalogError(
      code: .catalogNotFound,
      message: "The DynamoDB table '\(table)' of the catalog does not exist; reading does not create it: check "
        + "dynamodb.table-name and the region, or create the catalog with Iceberg first.",
      requestID: error.requestID, cause: error)
  }

  static let childrenCondition = "identifier = :identifier AND begins_with(namespace, :ns)"

  static func entry(of item: DynamoDBItem, _ namespace: Namespace) -> NamespaceEntry {
    var properties: [String: String] = [:]
    for (name, value) in item where name.utf8.starts(with: "p.".utf8) {
      properties[String(Substring(name.utf8.dropFirst(2)))] = value.string
    }
    return NamespaceEntry(namespace: namespace, modified: modified(item), properties: properties)
  }

  /// Nil if it has no pointer yet, or says it is something else than an Iceberg table. Java never reads the mark, so one may be missing.
  static func entry(of item: DynamoDBItem, _ identifier: TableIdentifier) -> TableEntry? {
    if let type = item["p.table_type"]?.string, type.lowercased() != "iceberg" { return nil }
    guard let location = item["p.metadata_location"]?.string, !location.isEmpty else { return nil }
    return TableEntry(
      identifier: identifier, metadataLocation: location, version: item["v"]?.string, modified: modified(item))
  }

  private static func modified(_ item: DynamoDBItem) -> Int64? {
    guard let milliseconds = item["updated_at"]?.integer else { return nil }
    let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? nil : nanoseconds
  }
}
