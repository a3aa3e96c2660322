// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// Names and places of new tables. Source: spec/dynamodb.md §4, §7.
extension DynamoDbCatalog {
  package func checkTableName(_ identifier: TableIdentifier) throws(CatalogError) { try DynamoDbNames.check(identifier) }

  package func checkNamespaceName(_ namespace: Namespace) throws(CatalogError) { try DynamoDbNames.check(namespace) }

  /// `default_location` (Java's) or `location` (PyIceberg's) of the namespace, else `<warehouse>/<namespace>.db`.
  ///
  /// A namespace that has children and no item of its own will do, since it is shown; Java refuses it. Slashes at the end of the namespace's
  /// location go, as PyIceberg has it: Java keeps them, and the empty name between two slashes is no directory that can be shown.
  package func defaultLocation(of identifier: TableIdentifier) async throws(CatalogError) -> String {
    try checkTableName(identifier)
    guard let namespace = try await loadNamespace(identifier.namespace) else {
      throw CatalogError(
        code: .namespaceNotFound,
        message: "Cannot find default warehouse location: namespace \(identifier.namespace) does not exist")
    }
    let locations = ["default_location", "location"].compactMap { namespace.properties[$0] }
    if let location = locations.first(where: { !$0.isEmpty }) {
      return properties.location(of: identifier.name, in: AwsProperties.withoutTrailingSlashes(location))
    }
    guard let warehouse = properties.warehouse else {
      throw CatalogError(
        code: .invalid,
        message: "Cannot derive a location for \(identifier): the namespace has no default_location, and no warehouse is set: set "
          + "warehouse=s3://bucket/path")
    }
    return properties.location(of: identifier.name, in: "\(warehouse)/\(identifier.namespace).db")
  }
}
