// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import AWSServices
package import Iceberg
import Synchronization

/// Clients of a role, and for the files of each table that is registered with Lake Formation the keys that Lake Formation gives for that table.
/// Source: spec/clients.md §3.
package struct LakeFormationAwsClientFactory: AwsClientFactory {
  /// The keys of tables, shared by all clients of a table.
  private final class Tables: Sendable {
    /// More than a mount's working set; beyond it all are forgotten, at the price of one request each.
    static let most = 4096
    let providers = Mutex([TableIdentifier: LakeFormationCredentialsProvider]())
  }

  private let role: AssumeRoleAwsClientFactory
  private let accountID: String?
  /// Of the one table that properties name; nil where the catalog names each.
  private let fixedTable: TableIdentifier?
  private let tables = Tables()

  /// - Parameter base: made from the same properties.
  package init(_ properties: [String: String], base: DefaultAwsClientFactory) throws(PropertyError) {
    role = try AssumeRoleAwsClientFactory(properties, base: base)
    guard role.properties.namesAuthorizedCaller else {
      throw PropertyError(
        key: "\(AssumeRoleProperties.tagsPrefix)\(AssumeRoleProperties.authorizedCaller)",
        message:
          "STS assume role session tag \(AssumeRoleProperties.authorizedCaller) must be set using \(AssumeRoleProperties.tagsPrefix) to use "
          + "LakeFormation client factory")
    }
    let map = PropertyMap(properties)
    accountID = map.nonEmpty("glue.account-id")
    guard !map.bool(AwsProperties.lakeFormationKey, default: false) else {
      fixedTable = nil
      return
    }
    let (database, table) = ("lakeformation.db-name", "lakeformation.table-name")
    guard let databaseName = map.nonEmpty(database) else { throw PropertyError(key: database, message: "Database name can not be empty") }
    guard let tableName = map.nonEmpty(table) else { throw PropertyError(key: table, message: "Table name can not be empty") }
    fixedTable = TableIdentifier(namespace: Namespace([databaseName]), name: tableName)
  }

  /// For what belongs to no table: the role's own.
  package func s3() throws(PropertyError) -> S3Client { try role.s3() }
  package func glue() throws(PropertyError) -> GlueClient { try role.glue() }
  package func dynamo() throws(PropertyError) -> DynamoDBClient { try role.dynamo() }
  package func sts(for service: AWSService) throws(PropertyError) -> STSClient { try role.sts(for: service) }
  package func customEndpoint(of service: AWSService) -> (url: String, source: String)? { role.customEndpoint(of: service) }
  package func time(of service: AWSService) async -> Double? { await role.time(of: service) }
  package func objectStore() throws(PropertyError) -> String { try role.objectStore() }
  package var needsEntryBeforeFiles: Bool { fixedTable == nil }

  package func foundRegion(of service: AWSService) throws(PropertyError) -> (name: String, source: String) {
    try role.foundRegion(of: service)
  }

  package func credentials(for service: AWSService) throws(PropertyError) -> any AWSCredentialsProvider {
    try role.credentials(for: service)
  }

  package func forgetCredentials() {
    role.forgetCredentials()
    tables.providers.withLock { $0 = [:] }
  }

  package func s3(of table: TableIdentifier) throws(PropertyError) -> S3Client? {
    let table = fixedTable ?? table
    guard !table.name.isEmpty, let database = table.namespace.levels.first else { return nil }
    let provider = try provider(of: table, in: database)
    return try role.clients.signing(with: provider, in: role.properties.region).s3()
  }

  private func provider(of table: TableIdentifier, in database: String) throws(PropertyError) -> LakeFormationCredentialsProvider {
    if let known = tables.providers.withLock({ $0[table] }) { return known }
    let region = role.properties.region
    guard let accountID else {
      throw PropertyError(key: "glue.account-id", message: "glue.account-id can not be empty: Lake Formation knows tables by their account")
    }
    let arn = "arn:\(Partition.of(region: region).name):glue:\(region):\(accountID):table/\(database)/\(table.name)"
    let made = role.clients.lakeFormationProvider(
      LakeFormationCredentialsProvider.Table(database: database, name: table.name, arn: arn), role: try role.credentials(for: .s3),
      glue: try role.glue(), lakeFormation: try role.clients.lakeFormation())
    return tables.providers.withLock { providers in
      if let earlier = providers[table] { return earlier }
      if providers.count >= Tables.most { providers = [:] }
      providers[table] = made
      return made
    }
  }
}
