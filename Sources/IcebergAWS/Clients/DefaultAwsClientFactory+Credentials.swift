// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import AWSServices
import HTTP
import Iceberg
import Synchronization

/// Whose keys sign. Source: spec/properties.md §3, spec/clients.md §1–§3.
extension DefaultAwsClientFactory {
  package func credentials(for service: AWSService) throws(PropertyError) -> any AWSCredentialsProvider {
    if service == .s3, let signer = rest.signer { return StaticCredentialsProvider(.signedElsewhere(by: signer.name)) }
    if service == .s3, files.isAnonymous { return AnonymousCredentialsProvider() }
    if let identity { return identity.provider }
    return try providers.provider(of: service.name) { () throws(PropertyError) in
      let own = chosenCredentials(for: service)
      guard service == .s3, let arn = files.roleARN ?? client.roleARN else { return own }
      let session = files.roleSessionName ?? client.roleSessionName ?? "iceberg-aws-\(RandomUUID.text())"
      return try assuming(RoleRequest(arn: arn, sessionName: session), region: nil, source: own)
    }
  }

  package func forgetCredentials() {
    identity?.provider.invalidate(nil)
    rest.signer?.forget()
    providers.forget()
  }

  /// The same clients with the keys of one provider for all, in one region.
  func signing(with provider: any AWSCredentialsProvider, in region: String) -> DefaultAwsClientFactory {
    var other = self
    other.identity = Identity(provider: provider, region: region)
    return other
  }

  /// The keys of a role.
  ///
  /// - Parameters:
  ///   - region: of STS; nil for the environment's.
  ///   - source: who asks for it; nil for the standard chain, or the keys that properties give for all services.
  func assuming(
    _ role: RoleRequest, region: String?, source: (any AWSCredentialsProvider)? = nil
  ) throws(PropertyError) -> any AWSCredentialsProvider {
    let context = context(of: environments.shared)
    let source = source ?? client.staticKeys.map(Self.fixed) ?? CredentialsChain.standard(context)
    return try Self.converting { () throws(AWSError) in
      try AssumeRoleCredentials.provider(
        role, source: source, region: region, description: "session \(role.sessionName)", context: context)
    }
  }

  /// What sources of keys work with.
  func context(of environment: AWSEnvironment) -> CredentialsContext {
    let transport = transport
    let settings = http.transport
    return CredentialsContext(
      environment: environment, transport: { () throws(HTTPError) in try transport(settings) },
      linkTransport: { () throws(HTTPError) in try transport(HttpClientProperties.link) }, metrics: metrics, logger: logger, clock: clock,
      readFile: readFile)
  }

  /// The region of this EC2 instance, if nothing else gives one; nil too where there is no instance. Waits a second or two.
  package func askInstanceRegion() async -> String? {
    let environment = environments.shared
    guard client.region == nil, environment.foundRegion == nil, let metadata = try? InstanceMetadata(context(of: environment)) else {
      return nil
    }
    return await metadata.region()
  }

  func lakeFormation() throws(PropertyError) -> LakeFormationClient {
    let environment = environments.environment(of: .lakeFormation)
    return LakeFormationClient(
      sender: try sender(
        .lakeFormation, settings: environment.endpointSettings(for: .lakeFormation), retry: try retryPolicy(environment, mode: "standard")))
  }

  func lakeFormationProvider(
    _ table: LakeFormationCredentialsProvider.Table, role: any AWSCredentialsProvider, glue: GlueClient, lakeFormation: LakeFormationClient
  ) -> LakeFormationCredentialsProvider {
    LakeFormationCredentialsProvider(table, role: role, glue: glue, lakeFormation: lakeFormation, clock: clock, logger: logger)
  }

  func chosenCredentials(for service: AWSService) -> any AWSCredentialsProvider {
    let context = context(of: environments.environment(of: service))
    if let provider = client.credentialsProvider {
      switch provider {
      case .defaultChain: return CredentialsChain.standard(context)
      case .environment: return CredentialsChain([EnvironmentCredentialsProvider(context.environment)])
      case .profile: return CredentialsChain([ProfileCredentialsProvider(context)])
      case .webIdentity: return CredentialsChain([CredentialsChain.webIdentity(context)])
      case .container: return CredentialsChain([CredentialsChain.container(context)])
      case .instance: return CredentialsChain([CredentialsChain.instance(context)])
      case .anonymous: return AnonymousCredentialsProvider()
      case .vended: if let vended = rest.vended { return vended }
      }
    } else if service == .s3, let vended = rest.vended {
      return vended
    }
    let own: StaticKeys? =
      switch service {
      case .s3: files.staticKeys
      case .glue: client.glue.staticKeys
      case .dynamodb: client.dynamoDB.staticKeys
      default: nil
      }
    return (own ?? client.staticKeys).map(Self.fixed) ?? CredentialsChain.standard(context)
  }

  static func fixed(_ keys: StaticKeys) -> any AWSCredentialsProvider {
    StaticCredentialsProvider(
      AWSCredentials(
        accessKeyID: keys.accessKeyID, secretAccessKey: keys.secretAccessKey, sessionToken: keys.sessionToken, source: keys.source))
  }
}

/// Providers by the name of their service, each made at first use.
final class ProviderCache: Sendable {
  private let made = Mutex([String: any AWSCredentialsProvider]())

  func provider(
    of name: String, _ make: () throws(PropertyError) -> any AWSCredentialsProvider
  ) throws(PropertyError) -> any AWSCredentialsProvider {
    if let known = made.withLock({ $0[name] }) { return known }
    let fresh = try make()
    return made.withLock { made in
      if let earlier = made[name] { return earlier }
      made[name] = fresh
      return fresh
    }
  }

  /// Makes all of them fetch anew.
  func forget() {
    for provider in made.withLock({ Array($0.values) }) { provider.invalidate(nil) }
  }
}
