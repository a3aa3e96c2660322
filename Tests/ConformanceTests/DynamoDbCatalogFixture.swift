// SPDX-License-Identifier: Apache-2.0

import Iceberg
import IcebergAWS
import TestSupport
import WireFormats

/// DynamoDbCatalog against the emulator, filled by boto3 once for all tests of the process.
struct DynamoDbCatalogFixture: CatalogFixture {
  let hasNestedNamespaces = true
  let excludedNames = ["", "no.dots", ".", "..", String(repeating: "n", count: 2049)]
  let catalog: any Catalog
  let deniedCatalog: any Catalog
  private let emulator: Emulator

  static func shared() async throws -> DynamoDbCatalogFixture {
    try await making.value
  }

  static func properties() async throws -> [String: String] {
    try await Emulator.shared().properties.merging(["type": "dynamodb", "warehouse": "s3://lake"]) { $1 }
  }

  private static let making = Task { try await DynamoDbCatalogFixture() }

  private init() async throws {
    emulator = try await Emulator.shared()
    let properties = try await Self.properties()
    catalog = try EmulatedClients.catalog(properties)
    deniedCatalog = try EmulatedClients.catalog(properties.merging(EmulatedClients.wrongSecret) { $1 })
    try await fill()
  }

  func move(_ table: TableIdentifier, to metadataLocation: String) async throws {
    try await put([Self.item(table, ["p.table_type": "ICEBERG", "p.metadata_location": metadataLocation, "v": "moved"])])
  }

  private func fill() async throws {
    var items = (ConformanceTables.namespaces + ["moving"]).map { Self.item(Namespace([$0]), ConformanceTables.properties) }
    items += ConformanceTables.nested.map { Self.item($0, [:]) }
    // A name that nobody can say, and one that only begins like `sales`.
    items.append(Self.item(Namespace(["sales", "", "x"]), [:]))
    items += (ConformanceTables.tables + [ConformanceTables.nestedTable, ConformanceTables.identifier("moving", "table")]).map {
      Self.item($0, ["p.table_type": "ICEBERG", "p.metadata_location": ConformanceTables.pointer($0), "p.previous_metadata_location": ""])
    }
    items.append(Self.item(ConformanceTables.identifier("sales", "half_made"), ["p.table_type": "ICEBERG"]))
    items.append(
      Self.item(ConformanceTables.identifier("sales", "hive_table"), ["p.table_type": "hive", "p.metadata_location": "s3://lake/h"]))
    items.append(
      Self.item(ConformanceTables.identifier("sales", "dotted.name"), ["p.table_type": "ICEBERG", "p.metadata_location": "s3://lake/d"]))
    try await put(items)
  }

  private func put(_ items: [JSONValue]) async throws {
    let order: JSONValue = ["dynamodb": ["table": "iceberg", "items": .array(items)]]
    try await emulator.run("Tests/ConformanceTests/Support/catalogs.py", input: order.serialized())
  }

  private static func item(_ namespace: Namespace, _ properties: [String: String]) -> JSONValue {
    item("NAMESPACE", namespace, properties.map { ("p.\($0.key)", $0.value) })
  }

  private static func item(_ table: TableIdentifier, _ attributes: [String: String]) -> JSONValue {
    item("\(table)", table.namespace, attributes.map { ($0.key, $0.value) })
  }

  private static func item(_ identifier: String, _ namespace: Namespace, _ attributes: [(key: String, value: String)]) -> JSONValue {
    let texts = [("identifier", identifier), ("namespace", "\(namespace)")] + attributes.map { ($0.key, $0.value) }
    var members = JSONMembers(texts.map { ($0.0, ["S": .string($0.1)]) })
    members["v"] = members["v"] ?? ["S": "5e1c1f0e"]
    members["created_at"] = ["N": "1700000000000"]
    members["updated_at"] = ["N": "1700000001000"]
    return .object(members)
  }
}
