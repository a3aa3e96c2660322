// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import AWSServices
package import Iceberg

/// Makes the clients of a catalog: regions, endpoints, credentials and retries are decided here, once. Source: spec/clients.md §1.
///
/// Every call makes a client with its own retry budget; connections and keys are shared.
package protocol AwsClientFactory: Sendable {
  func s3() throws(PropertyError) -> S3Client
  func glue() throws(PropertyError) -> GlueClient
  func dynamo() throws(PropertyError) -> DynamoDBClient
  /// STS with the keys of a service's client: tells whose they are.
  func sts(for service: AWSService) throws(PropertyError) -> STSClient

  /// The S3 client of one table, where tables have keys of their own; nil where all share ``s3()``.
  func s3(of table: TableIdentifier) throws(PropertyError) -> S3Client?
  /// Whether a table's keys hang on its entry in the catalog, which must be there before its first file.
  var needsEntryBeforeFiles: Bool { get }

  /// The region of a service's client, and what gives it, for a person.
  func foundRegion(of service: AWSService) throws(PropertyError) -> (name: String, source: String)
  /// The custom endpoint of a service and the key it came from; nil for the service's own host.
  func customEndpoint(of service: AWSService) -> (url: String, source: String)?
  /// What a service's clock says, in seconds since 1970, by an unsigned request; nil where it does not answer.
  func time(of service: AWSService) async -> Double?
  /// Which object store the S3 client talks to: catalogs with the same text find the same objects by the same bucket and key.
  func objectStore() throws(PropertyError) -> String
  /// Where the keys of a service's client come from; the same provider each time.
  func credentials(for service: AWSService) throws(PropertyError) -> any AWSCredentialsProvider
  /// Forgets all keys, so that the next request reads files and asks services anew.
  func forgetCredentials()
}

extension AwsClientFactory {
  /// The region of a service's client.
  package func region(of service: AWSService) throws(PropertyError) -> String { try foundRegion(of: service).name }
  package func s3(of table: TableIdentifier) throws(PropertyError) -> S3Client? { nil }
  package var needsEntryBeforeFiles: Bool { false }
}

/// The factory classes that `client.factory` may name. Source: spec/properties.md §2.1.
package enum AwsClientFactoryName: String, CaseIterable, Sendable {
  case standard = "org.apache.iceberg.aws.AwsClientFactories$DefaultAwsClientFactory"
  case assumeRole = "org.apache.iceberg.aws.AssumeRoleAwsClientFactory"
  case lakeFormation = "org.apache.iceberg.aws.lakeformation.LakeFormationAwsClientFactory"

  static let s3Standard = "org.apache.iceberg.aws.s3.DefaultS3FileIOAwsClientFactory"
}
