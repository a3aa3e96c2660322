// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Configuration
import Iceberg
import IcebergAWS

/// What `bergfs check` says of the metastore: whether it can be listed, and whether a table that it names can be read.
struct MetastoreCheck: Sendable {
  private static let subject = "catalog"
  /// Namespaces in which a table is looked for.
  private static let mostNamespaces = 20

  let assembly: CatalogAssembly
  let probe: CatalogProbe

  /// - Returns: what was found, and the namespaces of the first page; none if it could not be had.
  func findings() async -> (findings: [CheckFinding], namespaces: [NamespaceEntry]) {
    do throws(CatalogError) {
      let page = try await probe.firstPage()
      let listing = CheckFinding.good(
        Self.subject, "\(assembly.catalog.kind): \(page.entries.count)\(page.next == nil ? "" : " or more") namespaces can be listed")
      return ([listing, await table(in: page.entries)], page.entries)
    } catch {
      return ([.bad(Self.subject, CheckFinding.Fault(error), (error.cause as? AWSError).map(Self.sentence) ?? error.message)], [])
    }
  }

  private static func sentence(_ error: AWSError) -> String {
    guard error.code == "ResourceNotFoundException" else { return error.message }
    return "the DynamoDB table of the catalog does not exist: set dynamodb.table-name, or let an Iceberg client make it (\(error.message))"
  }

  /// Reads the entry and the metadata file of the first table that is found.
  private func table(in namespaces: [NamespaceEntry]) async -> CheckFinding {
    let entry: TableEntry?
    do throws(CatalogError) {
      entry = try await firstTable(in: namespaces)
    } catch {
      return .bad("table", CheckFinding.Fault(error), error.message)
    }
    guard let entry else { return .good("table", "no table in the namespaces looked at, so none was read") }
    do throws(FileIOError) {
      let files = assembly.catalog.fileIO(for: entry.identifier)
      let head = try await files.head(files.location(entry.metadataLocation))
      return .good("table", "\(entry.identifier): its metadata file of \(head.size) bytes can be read")
    } catch {
      return .bad("table", CheckFinding.Fault(error), "\(entry.identifier): \(error.message)")
    }
  }

  private func firstTable(in namespaces: [NamespaceEntry]) async throws(CatalogError) -> TableEntry? {
    for entry in namespaces.prefix(Self.mostNamespaces) {
      if let table = try await assembly.catalog.listTables(in: entry.namespace, after: nil).entries.first { return table }
    }
    return nil
  }
}
