// SPDX-License-Identifier: Apache-2.0

package import Logging

// Stands in until the real ones are merged.
package final class Reachability: Sendable {
  package enum Verdict: Sendable { case unreferenced, referenced(by: String), undecided(String) }
  package init(catalog: any Catalog, logger: Logger) {}
  package func judge(_ location: ObjectLocation, owner: TableIdentifier) async -> Verdict { .undecided("not here yet") }
}
extension WritableCatalog {
  package func checkTableName(_ identifier: TableIdentifier) throws(CatalogError) {}
  package func checkNamespaceName(_ identifier: Namespace) throws(CatalogError) {}
  package func defaultLocation(of identifier: TableIdentifier) async throws(CatalogError) -> String { "s3://x/y" }
}
