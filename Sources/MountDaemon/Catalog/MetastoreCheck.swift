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

  func findings() async -> [CheckFinding] {
    do {
      switch assembly.configuration.catalogType {
      case .glue: _ = try await assembly.factory.glue().getDatabases(nextToken: nil)
      case .dynamodb:
        let name = try AwsProperties(assembly.configuration.properties.values).dynamoDBTableName
        let table = try await assembly.factory.dynamo().describeTable(name)
        guard table.status == "ACTIVE" || table.status == "UPDATING" else {
          return [.bad(Self.subject, .missing, "the DynamoDB table '\(name)' is \(table.status)")]
        }
      }
    } catch let error as AWSError {
      return [.bad(Self.subject, CheckFinding.Fault(error), Self.sentence(error))]
    } catch {
      return [.bad(Self.subject, .configuration, "\(error)")]
    }
    do throws(MountError) {
      let page = try await probe.firstPage()
      return [
        .good(Self.subject, "\(assembly.catalog.kind): \(page.count)\(page.hasMore ? " or more" : "") namespaces can be listed"),
        await table(),
      ]
    } catch {
      return [.bad(Self.subject, .service, error.message)]
    }
  }

  private static func sentence(_ error: AWSError) -> String {
    guard error.code == "ResourceNotFoundException" else { return error.message }
    return "the DynamoDB table of the catalog does not exist: set dynamodb.table-name, or let an Iceberg client make it (\(error.message))"
  }

  /// Reads the entry and the metadata file of the first table that is found.
  private func table() async -> CheckFinding {
    let entry: TableEntry?
    do throws(CatalogError) {
      entry = try await firstTable()
    } catch {
      return .bad("table", error.code == .denied ? .permission : error.code == .timedOut ? .network : .service, error.message)
    }
    guard let entry else { return .good("table", "no table in the namespaces looked at, so none was read") }
    do throws(FileIOError) {
      let files = assembly.catalog.fileIO(for: entry.identifier)
      let head = try await files.head(files.location(entry.metadataLocation))
      return .good("table", "\(entry.identifier): its metadata file of \(head.size) bytes can be read")
    } catch {
      return .bad("table", Self.fault(error), "\(entry.identifier): \(error.message)")
    }
  }

  private static func fault(_ error: FileIOError) -> CheckFinding.Fault {
    switch error.code {
    case .denied: .permission
    case .timedOut, .cancelled: .network
    case .notFound, .changed: .missing
    default: .service
    }
  }

  private func firstTable() async throws(CatalogError) -> TableEntry? {
    let page = try await assembly.catalog.listNamespaces(under: .root, after: nil)
    for entry in page.entries.prefix(Self.mostNamespaces) {
      if let table = try await assembly.catalog.listTables(in: entry.namespace, after: nil).entries.first { return table }
    }
    return nil
  }
}
