// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// Region and credentials of all clients. Source: spec/properties.md §3, §7.2.
package struct AwsClientProperties: Sendable {
  package static let credentialsProviderKey = "client.credentials-provider"

  package var region: String?
  package var credentialsProvider: CredentialsProviderName?
  package var refreshCredentialsEndpoint: String?
  /// PyIceberg's keys for all services.
  package var staticKeys: StaticKeys?
  package var profileName: String?
  /// PyIceberg's role for S3, and the name of its session.
  package var roleARN: String?
  package var roleSessionName: String?
  /// PyIceberg's keys for one service; they win over those for all.
  package var glue: ServiceOverrides
  package var dynamoDB: ServiceOverrides

  /// What PyIceberg lets one say of a single service.
  package struct ServiceOverrides: Sendable {
    package var region: String?
    package var staticKeys: StaticKeys?
    package var profileName: String?

    init(_ map: PropertyMap, prefix: String) {
      region = map.nonEmpty("\(prefix).region")
      staticKeys = StaticKeys(map, prefix: prefix)
      profileName = map.nonEmpty("\(prefix).profile-name")
    }
  }

  package init(_ properties: [String: String]) throws(PropertyError) {
    let map = PropertyMap(properties)
    region = map.nonEmpty("client.region")
    if let name = map.nonEmpty(Self.credentialsProviderKey) {
      credentialsProvider = try CredentialsProviderName(className: name)
    }
    let isRefreshEnabled = map.bool("client.refresh-credentials-enabled", default: true)
    refreshCredentialsEndpoint = isRefreshEnabled ? map.nonEmpty("client.refresh-credentials-endpoint") : nil
    staticKeys = StaticKeys(map, prefix: "client")
    profileName = map.nonEmpty("client.profile-name")
    roleARN = map.nonEmpty("client.role-arn")
    roleSessionName = map.nonEmpty("client.role-session-name")
    glue = ServiceOverrides(map, prefix: "glue")
    dynamoDB = ServiceOverrides(map, prefix: "dynamodb")
  }
}

/// The provider classes that `client.credentials-provider` may name here. Source: spec/properties.md §3.1.
package enum CredentialsProviderName: Sendable, Hashable, CaseIterable {
  case defaultChain, environment, profile, webIdentity, container, instance, anonymous, vended

  /// - Throws: Java's sentence for a class that does not exist.
  package init(className: String) throws(PropertyError) {
    switch className {
    case AwsClientKeys.defaultProvider: self = .defaultChain
    // There are no system properties here; what Java would look for there stands in variables of the same meaning.
    case AwsClientKeys.environmentProvider, AwsClientKeys.systemPropertyProvider: self = .environment
    case AwsClientKeys.profileProvider: self = .profile
    case AwsClientKeys.webIdentityProvider, AwsClientKeys.stsWebIdentityProvider: self = .webIdentity
    case AwsClientKeys.containerProvider: self = .container
    case AwsClientKeys.instanceProfileProvider: self = .instance
    case AwsClientKeys.anonymousProvider: self = .anonymous
    case AwsClientKeys.vendedProvider: self = .vended
    default:
      throw PropertyError(
        key: AwsClientProperties.credentialsProviderKey,
        message: "Cannot load class \(className), it does not exist in the classpath")
    }
  }
}
