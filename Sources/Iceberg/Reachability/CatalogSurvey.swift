// SPDX-License-Identifier: Apache-2.0

/// All tables in the namespaces that a catalog lists, page by page, namespace by namespace, some namespaces at once.
package struct CatalogSurvey: Sendable {
  private struct Finding: Sendable {
    var tables: [TableEntry] = []
    var children: [Namespace] = []
  }

  /// Namespaces listed at once: catalogs throttle at some ten requests a second.
  private static let namespacesInFlight = 8

  private let catalog: any Catalog

  /// Of all namespaces, from the root down.
  package init(catalog: any Catalog) {
    self.catalog = catalog
  }

  /// Every table with its pointer as it is now. Each page is asked for after the call.
  package func tables() async throws(CatalogError) -> [TableIdentifier: TableEntry] {
    var tables: [TableIdentifier: TableEntry] = [:]
    var waiting: [Namespace] = [.root]
    while !waiting.isEmpty {
      let level = waiting
      waiting = []
      let result = await withTaskGroup(of: Result<Finding, CatalogError>.self) { group -> Result<[Finding], CatalogError> in
        var next = level.makeIterator()
        func startNext() {
          guard let namespace = next.next() else { return }
          group.addTask {
            do throws(CatalogError) {
              return .success(try await look(into: namespace))
            } catch {
              return .failure(error)
            }
          }
        }
        for _ in 0..<Self.namespacesInFlight { startNext() }
        var findings: [Finding] = []
        while let found = await group.next() {
          switch found {
          case .success(let finding): findings.append(finding)
          case .failure(let error):
            group.cancelAll()
            return .failure(error)
          }
          startNext()
        }
        return .success(findings)
      }
      for finding in try result.get() {
        for entry in finding.tables { tables[entry.identifier] = entry }
        waiting += finding.children
      }
    }
    return tables
  }

  private func look(into namespace: Namespace) async throws(CatalogError) -> Finding {
    var finding = Finding()
    var token: String?
    if namespace.levels.isEmpty || catalog.nestsNamespaces {
      repeat {
        let page = try await catalog.listNamespaces(under: namespace, after: token)
        finding.children += page.entries.map(\.namespace)
        token = page.next
      } while token != nil
    }
    guard !namespace.levels.isEmpty else { return finding }
    do {
      repeat {
        let page = try await catalog.listTables(in: namespace, after: token)
        finding.tables += page.entries
        token = page.next
      } while token != nil
    } catch {
      // Dropped meanwhile; one whose tables moved elsewhere is noticed by their absence.
      guard error.code == .namespaceNotFound else { throw error }
    }
    return finding
  }
}
