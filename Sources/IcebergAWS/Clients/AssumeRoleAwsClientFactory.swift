// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import AWSServices

/// Clients that all sign with the keys of one role. Source: spec/clients.md §1, §2.
///
/// STS is asked with the standard chain's keys, whatever `client.credentials-provider` and `s3.*` say. Unlike Java's, `glue.endpoint` counts.
package struct AssumeRoleAwsClientFactory: AwsClientFactory {
  /// Makes the clients, with the role's keys and region for all.
  let clients: DefaultAwsClientFactory
  let properties: AssumeRoleProperties

  /// - Parameter base: made from the same properties; its own keys are used for STS only.
  package init(_ properties: [String: String], base: DefaultAwsClientFactory) throws(PropertyError) {
    self.properties = try AssumeRoleProperties(properties)
    clients = base.signing(
      with: try base.assuming(self.properties.role, region: self.properties.region), in: self.properties.region)
  }

  package func s3() throws(PropertyError) -> S3Client { try clients.s3() }
  package func glue() throws(PropertyError) -> GlueClient { try clients.glue() }
  package func dynamo() throws(PropertyError) -> DynamoDBClient { try clients.dynamo() }
  package func sts(for service: AWSService) throws(PropertyError) -> STSClient { try clients.sts(for: service) }
  package func customEndpoint(of service: AWSService) -> (url: String, source: String)? { clients.customEndpoint(of: service) }
  package func time(of service: AWSService) async -> Double? { await clients.time(of: service) }
  package func objectStore() throws(PropertyError) -> String { try clients.objectStore() }
  package func forgetCredentials() { clients.forgetCredentials() }

  package func foundRegion(of service: AWSService) throws(PropertyError) -> (name: String, source: String) {
    try clients.foundRegion(of: service)
  }

  package func credentials(for service: AWSService) throws(PropertyError) -> any AWSCredentialsProvider {
    try clients.credentials(for: service)
  }
}
