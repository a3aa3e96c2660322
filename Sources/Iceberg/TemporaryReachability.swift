// SPDX-License-Identifier: Apache-2.0

// Stands in until the real ones are merged.
extension WritableCatalog {
  package func checkTableName(_ identifier: TableIdentifier) throws(CatalogError) {}
  package func checkNamespaceName(_ identifier: Namespace) throws(CatalogError) {}
  package func defaultLocation(of identifier: TableIdentifier) async throws(CatalogError) -> String { "s3://x/y" }
}
