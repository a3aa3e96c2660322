// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// An implementation of ``Catalog`` filled with ``ConformanceTables``, and with a way to move a pointer.
protocol CatalogFixture: Sendable {
  var catalog: any Catalog { get }
  /// The same catalog, reached with a wrong secret.
  var deniedCatalog: any Catalog { get }
  var hasNestedNamespaces: Bool { get }
  /// Names that the catalog's rules exclude.
  var excludedNames: [String] { get }
  /// Moves the pointer of an existing table.
  func move(_ table: TableIdentifier, to metadataLocation: String) async throws
}

/// What a conforming catalog holds, besides entries that must not show: tables of other formats, tables without a pointer, namespaces and
/// tables whose names no call could take.
enum ConformanceTables {
  static let namespaces = ["sales", "sales_2024", "empty_one"]
  static let properties = ["owner": "ops", "team": "blue & green"]
  static let tables = ["orders", "customers", "t_0"].map { identifier("sales", $0) } + [identifier("sales_2024", "orders")]
  /// Nested namespaces, for catalogs that have them; `lone` and `lone.middle` have no entry of their own.
  static let nested = [["sales", "eu"], ["sales", "eu", "north"], ["lone", "middle", "leaf"], ["sales_2024", "x"]].map { Namespace($0) }
  static let nestedTable = TableIdentifier(namespace: Namespace(["sales", "eu"]), name: "orders")

  static func identifier(_ namespace: String, _ name: String) -> TableIdentifier {
    TableIdentifier(namespace: Namespace([namespace]), name: name)
  }

  static func pointer(_ table: TableIdentifier) -> String {
    "s3://lake/\(table.namespace)/\(table.name)/metadata/00000-0b5a2f4e.metadata.json"
  }
}
