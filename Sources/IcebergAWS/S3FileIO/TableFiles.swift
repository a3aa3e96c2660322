// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
package import Iceberg
import Synchronization

/// The file access of each table: one for all, or one with keys of its own for each.
package final class TableFiles: Sendable {
  /// Far more than are in use at a time; beyond it all are made anew.
  private static let most = 4096

  /// For what belongs to no table, and for all where tables have no keys of their own.
  let shared: any FileIO
  /// Whether a table's files can be written only when it has an entry in the catalog.
  let needEntryFirst: Bool
  private let make: @Sendable (TableIdentifier) -> (any FileIO)?
  private let made = Mutex([TableIdentifier: any FileIO]())

  /// Files with the clients of a factory.
  init(shared: S3FileIO, factory: any AwsClientFactory) {
    self.shared = shared
    needEntryFirst = factory.needsEntryBeforeFiles
    make = { table in
      do throws(PropertyError) {
        return try factory.s3(of: table).map { shared.with(client: $0) }
      } catch {
        return shared.with(client: S3Client(sender: RefusingSender(reason: error.message)))
      }
    }
  }

  /// One for all tables.
  package init(shared: any FileIO) {
    self.shared = shared
    needEntryFirst = false
    make = { _ in nil }
  }

  func files(of table: TableIdentifier) -> any FileIO {
    if let known = made.withLock({ $0[table] }) { return known }
    guard let own = make(table) else { return shared }
    return made.withLock { made in
      if let earlier = made[table] { return earlier }
      if made.count >= Self.most { made = [:] }
      made[table] = own
      return own
    }
  }
}

/// Stands for a client that cannot be made; every use says why.
private struct RefusingSender: AWSRequestSender {
  let reason: String

  func send(_ request: AWSRequest, sink: (any HTTPBodySink)?) async throws(AWSError) -> AWSResponse {
    throw .configuration(reason, operation: request.operation)
  }
}
