// SPDX-License-Identifier: Apache-2.0

import Iceberg
import IcebergAWS
import TestSupport
import WireFormats

/// GlueCatalog against the emulator, filled by boto3 once for all tests of the process.
struct GlueCatalogFixture: CatalogFixture {
  let hasNestedNamespaces = false
  let excludedNames = ["", "BadName", "bad-name", "bad.name", "bad name", "ü", String(repeating: "n", count: 256)]
  let catalog: any Catalog
  let deniedCatalog: any Catalog
  private let emulator: Emulator

  static func shared() async throws -> GlueCatalogFixture {
    try await making.value
  }

  private static let making = Task { try await GlueCatalogFixture() }

  private init() async throws {
    emulator = try await Emulator.shared()
    let properties = emulator.properties.merging(["type": "glue"]) { $1 }
    catalog = try EmulatedClients.catalog(properties)
    deniedCatalog = try EmulatedClients.catalog(properties.merging(EmulatedClients.wrongSecret) { $1 })
    try await fill()
  }

  func move(_ table: TableIdentifier, to metadataLocation: String) async throws {
    try await send(["updates": [Self.entry(table, ["table_type": "ICEBERG", "metadata_location": .string(metadataLocation)])]])
  }

  private func fill() async throws {
    let parameters = JSONValue.object(JSONMembers(ConformanceTables.properties.map { ($0.key, .string($0.value)) }))
    let databases = (ConformanceTables.namespaces + ["moving", "BadName"]).map { name -> JSONValue in
      ["Name": .string(name), "LocationUri": .string("s3://lake/\(name)/"), "Parameters": parameters]
    }
    var tables = (ConformanceTables.tables + [ConformanceTables.identifier("moving", "table")]).map { table -> JSONValue in
      // Writers differ in the letters of the mark.
      let mark: JSONValue = table.name == "orders" ? "ICEBERG" : "iceberg"
      return Self.entry(table, ["table_type": mark, "metadata_location": .string(ConformanceTables.pointer(table))])
    }
    let hidden: [(name: String, parameters: JSONValue)] = [
      ("hive_table", ["EXTERNAL": "TRUE"]), ("half_made", ["table_type": "ICEBERG"]),
      ("a_view", ["table_type": "iceberg-view", "metadata_location": "s3://lake/v"]),
      ("BadName", ["table_type": "ICEBERG", "metadata_location": "s3://lake/b"]),
    ]
    tables += hidden.map { Self.entry(ConformanceTables.identifier("sales", $0.name), $0.parameters) }
    try await send(["databases": .array(databases), "tables": .array(tables)])
  }

  private func send(_ order: JSONValue) async throws {
    try await emulator.run("Tests/ConformanceTests/Support/catalogs.py", input: (["glue": order] as JSONValue).serialized())
  }

  private static func entry(_ table: TableIdentifier, _ parameters: JSONValue) -> JSONValue {
    [
      "DatabaseName": .string("\(table.namespace)"),
      "TableInput": ["Name": .string(table.name), "TableType": "EXTERNAL_TABLE", "Parameters": parameters],
    ]
  }
}
