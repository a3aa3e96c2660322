// SPDX-License-Identifier: Apache-2.0

/// Keys that all AWS clients share: region and credentials. Source: spec/properties.md §3.
package enum AwsClientKeys {
  package static let clientRegion = "client.region"
  package static let clientCredentialsProvider = "client.credentials-provider"
  package static let clientCredentialsProviderPrefix = "client.credentials-provider."
  package static let refreshCredentialsEndpoint = "client.refresh-credentials-endpoint"
  package static let refreshCredentialsEnabled = "client.refresh-credentials-enabled"

  /// Package of the AWS SDK's own provider classes.
  package static let providerPackage = "software.amazon.awssdk.auth.credentials."
  package static let defaultProvider = providerPackage + "DefaultCredentialsProvider"
  package static let environmentProvider = providerPackage + "EnvironmentVariableCredentialsProvider"
  package static let systemPropertyProvider = providerPackage + "SystemPropertyCredentialsProvider"
  package static let profileProvider = providerPackage + "ProfileCredentialsProvider"
  package static let webIdentityProvider = providerPackage + "WebIdentityTokenFileCredentialsProvider"
  package static let stsWebIdentityProvider = "software.amazon.awssdk.services.sts.auth.StsWebIdentityTokenFileCredentialsProvider"
  package static let containerProvider = providerPackage + "ContainerCredentialsProvider"
  package static let instanceProfileProvider = providerPackage + "InstanceProfileCredentialsProvider"
  package static let anonymousProvider = providerPackage + "AnonymousCredentialsProvider"
  package static let vendedProvider = "org.apache.iceberg.aws.s3.VendedCredentialsProvider"

  package static let definitions: [PropertyDefinition] = [
    PropertyDefinition(
      clientRegion, default: .described("`AWS_REGION`, then the profile, then the EC2 instance"), user: .credentials,
      "Region of S3, Glue and DynamoDB."),
    PropertyDefinition(
      clientCredentialsProvider,
      type: .className([
        defaultProvider, environmentProvider, systemPropertyProvider, profileProvider, webIdentityProvider, stsWebIdentityProvider,
        containerProvider, instanceProfileProvider, anonymousProvider, vendedProvider,
      ]), user: .credentials, status: .mapped("the SDK's class names; environment instead of JVM properties; others are refused"),
      "Java class that provides credentials.", refusal: "Cannot load class %s, it does not exist in the classpath"),
    PropertyDefinition(
      clientCredentialsProviderPrefix, prefixOf: "<key>", secret: true, user: .credentials,
      status: .mapped("settings of `VendedCredentialsProvider`, before the catalog's own"), "Setting of the credentials provider."),
    PropertyDefinition(
      refreshCredentialsEndpoint, user: .credentials, "Address that vends credentials for S3; relative to `uri`."),
    PropertyDefinition(
      refreshCredentialsEnabled, type: .boolean, default: "true", user: .credentials,
      "Whether the address that vends credentials is used."),
    PropertyDefinition(
      "client.legacy-md5-plugin-enabled", type: .boolean, default: "false", user: .s3,
      "`Content-MD5` for old S3-compatible servers."),
  ]
}
