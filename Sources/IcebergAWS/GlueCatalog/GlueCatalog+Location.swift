// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// Names and places of new tables. Source: spec/glue.md §3, §7.
extension GlueCatalog {
  package func checkTableName(_ identifier: TableIdentifier) throws(CatalogError) { try names.check(identifier) }

  package func checkNamespaceName(_ namespace: Namespace) throws(CatalogError) { try names.check(namespace) }

  /// `LocationUri` of the database, else `<warehouse>/<database>.db`.
  package func defaultLocation(of identifier: TableIdentifier) async throws(CatalogError) -> String {
    try checkTableName(identifier)
    guard let namespace = try await loadNamespace(identifier.namespace) else {
      throw CatalogError(code: .namespaceNotFound, message: "Cannot find namespace \(identifier.namespace)")
    }
    if let location = namespace.properties["location"], !location.isEmpty {
      return properties.location(of: identifier.name, in: location)
    }
    guard let warehouse = properties.warehouse else {
      throw CatalogError(
        code: .invalid,
        message: "Cannot derive default warehouse location, warehouse path must not be null or empty: set warehouse=s3://bucket/path, or a "
          + "location for the Glue database \(identifier.namespace)")
    }
    return properties.location(of: identifier.name, in: "\(warehouse)/\(identifier.namespace).db")
  }
}
