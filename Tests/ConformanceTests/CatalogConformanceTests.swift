// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

/// Which implementation a conformance test runs on.
enum CatalogImplementation: String, CaseIterable, CustomTestStringConvertible, Sendable {
  case inMemory = "in memory"
  case glue = "Glue of the emulator"
  case dynamoDB = "DynamoDB of the emulator"

  var testDescription: String { rawValue }

  func fixture() async throws -> any CatalogFixture {
    switch self {
    case .inMemory: InMemoryCatalogFixture()
    case .glue: try await GlueCatalogFixture.shared()
    case .dynamoDB: try await DynamoDbCatalogFixture.shared()
    }
  }
}

@Suite("Catalog conformance", .timeLimit(.minutes(5)))
struct CatalogConformanceTests {
  @Test("The root lists every namespace that can be named, once", arguments: CatalogImplementation.allCases)
  func root(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).listsNamespaces()
  }

  @Test("A namespace lists its direct children, no sibling with the same beginning", arguments: CatalogImplementation.allCases)
  func children(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).listsDirectChildrenOnly()
  }

  @Test("A namespace's properties are read", arguments: CatalogImplementation.allCases)
  func properties(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).givesNamespaceProperties()
  }

  @Test("A listing gives each Iceberg table with what loading it gives", arguments: CatalogImplementation.allCases)
  func tables(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).listsTablesWithTheirPointers()
  }

  @Test("What is no Iceberg table, or has no pointer yet, is not there", arguments: CatalogImplementation.allCases)
  func otherEntries(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).hidesWhatIsNoIcebergTable()
  }

  @Test("Names that the rules exclude are not found", arguments: CatalogImplementation.allCases)
  func excludedNames(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).findsNothingUnderExcludedNames()
  }

  @Test("An absent namespace lists nothing, or says that it is absent", arguments: CatalogImplementation.allCases)
  func absentNamespace(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).listsNothingInAnAbsentNamespace()
  }

  @Test("A pointer that moves is seen at the next load, with another version", arguments: CatalogImplementation.allCases)
  func move(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).seesAPointerMove()
  }

  @Test("A table's file access reads its pointer's location", arguments: CatalogImplementation.allCases)
  func fileAccess(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).givesFileAccess()
  }

  @Test("A wrong secret is denied", arguments: CatalogImplementation.allCases)
  func wrongSecret(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).wrongSecretsAreDenied()
  }

  @Test("A DynamoDB catalog whose table is missing says so and makes none")
  func missingCatalogTable() async throws {
    let properties = try await DynamoDbCatalogFixture.properties().merging(["dynamodb.table-name": "no-such-table"]) { $1 }
    let catalog = try EmulatedClients.catalog(properties)
    for _ in 0..<2 {
      let error = await #expect(throws: CatalogError.self) { _ = try await catalog.listNamespaces(under: .root, after: nil) }
      #expect(error?.code == .catalogNotFound)
      #expect(error?.message.contains("'no-such-table'") == true)
    }
    let error = await #expect(throws: CatalogError.self) { _ = try await catalog.listTables(in: Namespace(["sales"]), after: nil) }
    #expect(error?.code == .catalogNotFound)
  }

  private func conformance(_ implementation: CatalogImplementation) async throws -> CatalogConformance {
    CatalogConformance(fixture: try await implementation.fixture())
  }
}

/// The in-memory implementation, filled.
struct InMemoryCatalogFixture: CatalogFixture {
  let hasNestedNamespaces = true
  let excludedNames = ["", "no.dots"]
  private let memory = InMemoryCatalog(pageSize: 2, excludes: { $0.contains(".") })
  private let refusing = InMemoryCatalog()

  init() {
    refusing.faults.fail(next: .max, with: CatalogError(code: .denied, message: "The keys are refused."))
    for name in ConformanceTables.namespaces { memory.putNamespace(Namespace([name]), properties: ConformanceTables.properties) }
    for namespace in ConformanceTables.nested { memory.putNamespace(namespace) }
    for table in ConformanceTables.tables + [ConformanceTables.nestedTable, ConformanceTables.identifier("moving", "table")] {
      memory.putTable(table, metadataLocation: ConformanceTables.pointer(table))
    }
  }

  var catalog: any Catalog { memory }
  var deniedCatalog: any Catalog { refusing }

  func move(_ table: TableIdentifier, to metadataLocation: String) async throws {
    memory.putTable(table, metadataLocation: metadataLocation)
  }
}
