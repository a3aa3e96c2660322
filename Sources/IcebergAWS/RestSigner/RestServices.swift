// SPDX-License-Identifier: Apache-2.0

import AWSCore
import HTTP

/// The REST services of a catalog, each of them once for all of its clients.
struct RestServices: Sendable {
  /// Where requests to S3 are signed; nil for here.
  private(set) var signer: RemoteSigner?
  /// Where keys come from: by `client.refresh-credentials-endpoint`, or by the name of its class.
  private(set) var vended: (any AWSCredentialsProvider)?

  /// None.
  init() {}

  /// Those that the properties name; every property of theirs is checked.
  init(_ properties: [String: String], of factory: DefaultAwsClientFactory) throws(PropertyError) {
    let map = PropertyMap(properties)
    if map.bool(S3FileIOProperties.remoteSigningKey, default: false) {
      try Self.refuseLakeFormation(map)
      let signing = try RemoteSigningProperties(map)
      let client = try factory.restClient(map)
      let identity = try RestAuthProperties(map, base: signing.base, scope: "sign")
      signer = RemoteSigner(signing, client: client, identity: try factory.authenticator(identity, client))
    }
    if factory.client.credentialsProvider == .vended || factory.client.refreshCredentialsEndpoint != nil {
      let vending = try VendedCredentialsProperties(properties, endpoint: factory.client.refreshCredentialsEndpoint)
      let client = try factory.restClient(vending.map)
      vended = VendedCredentials(vending, client: client, identity: try factory.authenticator(vending.identity, client)).provider()
    }
  }

  /// Lake Formation's keys are for the holder of a table's grant, and a signer signs with its own. Source: spec/remote-signer.md §1.4.
  private static func refuseLakeFormation(_ map: PropertyMap) throws(PropertyError) {
    let isFactory = map.nonEmpty(AwsProperties.clientFactoryKey) == AwsClientFactoryName.lakeFormation.rawValue
    guard isFactory || map.bool(AwsProperties.lakeFormationKey, default: false) else { return }
    throw PropertyError(
      key: S3FileIOProperties.remoteSigningKey,
      message:
        "\(S3FileIOProperties.remoteSigningKey) cannot be used with Lake Formation, which gives keys of its own: unset one of the two")
  }
}

extension DefaultAwsClientFactory {
  fileprivate func restClient(_ map: PropertyMap) throws(PropertyError) -> RestClient {
    let properties = try RestClientProperties(map, caBundle: environments.shared.caBundle)
    do {
      return RestClient(
        transport: try transport(properties.transport), properties: properties, clock: clock, metrics: metrics, logger: logger)
    } catch {
      throw PropertyError(key: "", message: error.message)
    }
  }

  fileprivate func authenticator(
    _ properties: RestAuthProperties, _ client: RestClient
  ) throws(PropertyError) -> any RestAuthenticator {
    switch properties {
    case .none: return NoAuthenticator()
    case .basic(let user, let password): return BasicAuthenticator(user: user, password: password)
    case .oauth2(let session): return OAuth2Session(session, client: client)
    case .sigV4(let signing, let delegate):
      let keys = signing.staticKeys.map(Self.fixed) ?? chosenCredentials(for: .sts)
      let region: String
      if let named = signing.region { region = named } else { region = try self.region(of: .sts) }
      return SigV4Authenticator(
        delegate: try authenticator(delegate, client), credentials: keys,
        scope: SigV4Signer.Scope(service: signing.service, region: region), clock: clock)
    }
  }
}
