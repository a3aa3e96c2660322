// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing
import WireFormats

@Suite("Writing catalog conformance", .timeLimit(.minutes(10)))
struct WritableCatalogConformanceTests {
  @Test("Namespaces are made once and dropped only when empty", arguments: CatalogImplementation.allCases)
  func namespaces(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).makesAndDropsNamespaces()
  }

  @Test("Names are checked, and new tables have a place", arguments: CatalogImplementation.allCases)
  func namesAndPlaces(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).checksNamesAndPlacesTables()
  }

  @Test("The first namespace of a DynamoDB catalog makes the catalog's table, and two that do so at once both get it")
  func firstNamespace() async throws {
    let name = "made_\(RandomUUID.text().prefix(8))"
    let properties = try await EmulatedWriting.properties().merging(["type": "dynamodb", "dynamodb.table-name": name]) { $1 }
    let catalog = try #require(try EmulatedClients.catalog(properties) as? any WritableCatalog)
    let missing = await #expect(throws: CatalogError.self) { _ = try await catalog.listNamespaces(under: .root, after: nil) }
    #expect(missing?.code == .catalogNotFound)
    async let first: Void = catalog.createNamespace(Namespace(["a"]), properties: [:])
    async let second: Void = catalog.createNamespace(Namespace(["b"]), properties: [:])
    _ = try await (first, second)
    let page = try await catalog.listNamespaces(under: .root, after: nil)
    #expect(Set(page.entries.map(\.namespace)) == [Namespace(["a"]), Namespace(["b"])])
    // The index is there, too.
    #expect(try await catalog.listTables(in: Namespace(["a"]), after: nil).entries.isEmpty)
  }

  @Test("A commit moves the pointer from its base and from nothing else", arguments: CatalogImplementation.allCases)
  func commits(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).commitsAndRefuses()
  }

  @Test("Only the entry that was seen is renamed, and whatever has the name is dropped", arguments: CatalogImplementation.allCases)
  func dropAndRename(_ implementation: CatalogImplementation) async throws {
    try await conformance(implementation).renamesWhatTheCallerSawAndDropsWhatIsThere()
  }

  @Test("Eight writers lose no update", arguments: CatalogImplementation.allCases)
  func race(_ implementation: CatalogImplementation) async throws {
    let (attempted, accepted, found) = try await conformance(implementation).losesNoUpdate(writers: 8, commitsEach: 5)
    #expect(accepted == 40 && found == accepted && attempted >= accepted)
    print("race on \(implementation.rawValue): attempted \(attempted), accepted \(accepted), found \(found), lost \(accepted - found)")
  }

  @Test(
    "PyIceberg loads what was committed, and continues it on Glue; the next commit continues PyIceberg's", arguments: ["glue", "dynamodb"])
  func pyIceberg(kind: String) async throws {
    let suite = try await conformance(kind == "glue" ? .glue : .dynamoDB)
    try await suite.catalog.createNamespace(suite.namespace, properties: [:])
    let first = try await suite.create("shared")
    let table = first.identifier
    let second = try await ConformanceMetadata.write(table, after: first.metadataLocation, log: [first.metadataLocation], suite.files)
    #expect(await suite.outcome(table, first, second) == .committed)
    let emulator = try await Emulator.shared()
    let output = try await emulator.run(
      "Tests/ConformanceTests/Support/pyiceberg_reader.py", arguments: [kind, "\(suite.namespace)", table.name])
    let seen = try JSONDocument(parsing: output).root
    #expect(seen["metadata-location"]?.string == second)
    #expect(seen["owner"]?.string == "ops")
    #expect(seen["columns"]?.elements.compactMap(\.string) == ["id", "tags"])
    guard kind == "glue" else { return }
    let continued = try #require(seen["continued"]?.string)
    let entry = try #require(try await suite.catalog.loadTable(table))
    #expect(entry.metadataLocation == continued)
    #expect(
      await suite.outcome(
        table, TableEntry(identifier: table, metadataLocation: second, version: nil, modified: nil), first.metadataLocation) == .conflict)
    let log = try await ConformanceMetadata.log(of: continued, suite.files) + [continued]
    let next = try await ConformanceMetadata.write(table, after: continued, log: log, suite.files)
    #expect(await suite.outcome(table, entry, next) == .committed)
  }

  private func conformance(_ implementation: CatalogImplementation) async throws -> WritableCatalogConformance {
    switch implementation {
    case .inMemory:
      let files = InMemoryFileIO(buckets: [EmulatedWriting.bucket])
      return WritableCatalogConformance(catalog: InMemoryCatalog(files: files), files: files)
    case .glue: return try await emulated("glue")
    case .dynamoDB: return try await emulated("dynamodb")
    }
  }

  private func emulated(_ type: String) async throws -> WritableCatalogConformance {
    let properties = try await EmulatedWriting.properties().merging(["type": type]) { $1 }
    let catalog = try #require(try EmulatedClients.catalog(properties) as? any WritableCatalog)
    return WritableCatalogConformance(catalog: catalog, files: try await EmulatedWriting.files())
  }
}
