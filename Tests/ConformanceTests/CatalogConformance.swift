// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Testing

/// What every ``Catalog`` has to do when read, whatever is behind it.
struct CatalogConformance {
  let fixture: any CatalogFixture

  private var catalog: any Catalog { fixture.catalog }

  func listsNamespaces() async throws {
    var expected = Set(ConformanceTables.namespaces.map { Namespace([$0]) })
    if fixture.hasNestedNamespaces { expected.insert(Namespace(["lone"])) }
    let listed = try await namespaces(under: .root)
    #expect(Set(listed.map(\.namespace)) == expected)
    #expect(listed.count == expected.count)
    for entry in listed {
      #expect(try await catalog.loadNamespace(entry.namespace) == entry)
    }
  }

  func listsDirectChildrenOnly() async throws {
    let sales = try await namespaces(under: Namespace(["sales"])).map(\.namespace)
    let lone = try await namespaces(under: Namespace(["lone"])).map(\.namespace)
    if fixture.hasNestedNamespaces {
      #expect(sales == [Namespace(["sales", "eu"])])
      #expect(lone == [Namespace(["lone", "middle"])])
      #expect(try await namespaces(under: Namespace(["sales", "eu"])).map(\.namespace) == [Namespace(["sales", "eu", "north"])])
      #expect(try await catalog.loadNamespace(Namespace(["lone", "middle"])) != nil)
      #expect(try await catalog.loadNamespace(Namespace(["lone", "middle", "leaf"])) != nil)
      #expect(
        try await catalog.loadTable(ConformanceTables.nestedTable)?.metadataLocation
          == ConformanceTables.pointer(ConformanceTables.nestedTable))
    } else {
      #expect(sales.isEmpty && lone.isEmpty)
      #expect(try await catalog.loadNamespace(Namespace(["sales", "eu"])) == nil)
      #expect(try await catalog.loadTable(ConformanceTables.nestedTable) == nil)
    }
    #expect(try await namespaces(under: Namespace(["absent"])).isEmpty)
  }

  func givesNamespaceProperties() async throws {
    let entry = try #require(try await catalog.loadNamespace(Namespace(["sales"])))
    for (key, value) in ConformanceTables.properties {
      #expect(entry.properties[key] == value)
    }
  }

  func listsTablesWithTheirPointers() async throws {
    for name in ConformanceTables.namespaces {
      let expected = ConformanceTables.tables.filter { $0.namespace == Namespace([name]) }
      let listed = try await tables(in: Namespace([name]))
      #expect(Set(listed.map(\.identifier)) == Set(expected), "\(name)")
      #expect(listed.count == expected.count)
      for entry in listed {
        #expect(entry.metadataLocation == ConformanceTables.pointer(entry.identifier))
        #expect(entry.version?.isEmpty == false)
        #expect((entry.modified ?? 0) > 0)
        #expect(try await catalog.loadTable(entry.identifier) == entry)
      }
    }
  }

  func hidesWhatIsNoIcebergTable() async throws {
    for name in ["hive_table", "half_made", "absent"] {
      #expect(try await catalog.loadTable(ConformanceTables.identifier("sales", name)) == nil, "\(name)")
    }
    #expect(try await catalog.loadTable(ConformanceTables.identifier("absent", "orders")) == nil)
    #expect(try await catalog.loadNamespace(Namespace(["absent"])) == nil)
  }

  func findsNothingUnderExcludedNames() async throws {
    for name in fixture.excludedNames {
      #expect(try await catalog.loadNamespace(Namespace([name])) == nil, "\(name.debugDescription)")
      #expect(try await catalog.loadTable(ConformanceTables.identifier("sales", name)) == nil, "\(name.debugDescription)")
      #expect(try await catalog.loadTable(ConformanceTables.identifier(name, "orders")) == nil, "\(name.debugDescription)")
    }
    #expect(try await catalog.loadNamespace(.root) == nil)
    #expect(try await catalog.loadTable(TableIdentifier(namespace: .root, name: "orders")) == nil)
  }

  func listsNothingInAnAbsentNamespace() async throws {
    do {
      #expect(try await tables(in: Namespace(["absent"])).isEmpty)
    } catch {
      #expect((error as? CatalogError)?.code == .namespaceNotFound)
    }
  }

  func seesAPointerMove() async throws {
    let table = ConformanceTables.identifier("moving", "table")
    let before = try #require(try await catalog.loadTable(table))
    let target = "s3://lake/moving/table/metadata/00001-7c1f.metadata.json"
    try await fixture.move(table, to: target)
    let after = try #require(try await catalog.loadTable(table))
    #expect(after.metadataLocation == target)
    #expect(after.version != before.version)
    #expect(try await tables(in: table.namespace) == [after])
  }

  func givesFileAccess() throws {
    let table = ConformanceTables.identifier("sales", "orders")
    let place = try catalog.fileIO(for: table).location(ConformanceTables.pointer(table))
    #expect(place.bucket == "lake")
    #expect(place.description == ConformanceTables.pointer(table))
  }

  func wrongSecretsAreDenied() async {
    let denied = fixture.deniedCatalog
    await expectDenied { _ = try await denied.listNamespaces(under: .root, after: nil) }
    await expectDenied { _ = try await denied.listTables(in: Namespace(["sales"]), after: nil) }
    await expectDenied { _ = try await denied.loadNamespace(Namespace(["sales"])) }
    await expectDenied { _ = try await denied.loadTable(ConformanceTables.identifier("sales", "orders")) }
  }

  /// The namespaces that other tests move tables in or write to are left out.
  private func namespaces(under parent: Namespace) async throws -> [NamespaceEntry] {
    var all: [NamespaceEntry] = []
    var token: String?
    repeat {
      let page = try await catalog.listNamespaces(under: parent, after: token)
      all += page.entries
      token = page.next
    } while token != nil
    return all.filter { $0.namespace != Namespace(["moving"]) && $0.namespace.levels.first?.hasPrefix("writing_") != true }
  }

  private func tables(in namespace: Namespace) async throws -> [TableEntry] {
    var all: [TableEntry] = []
    var token: String?
    repeat {
      let page = try await catalog.listTables(in: namespace, after: token)
      all += page.entries
      token = page.next
    } while token != nil
    return all
  }

  private func expectDenied(sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void) async {
    let error = await #expect(throws: CatalogError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.code == .denied, "\(String(describing: error))", sourceLocation: sourceLocation)
  }
}
