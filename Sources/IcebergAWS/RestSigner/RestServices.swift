// SPDX-License-Identifier: Apache-2.0

import AWSCore
import HTTP
import Logging
import Telemetry

/// The REST services of a catalog, each of them once for all of its clients.
struct RestServices: Sendable {
  /// Where requests to S3 are signed; nil for here.
  let signer: RemoteSigner?

  /// What the services are made with.
  struct Parts: Sendable {
    let transport: @Sendable (CurlTransportConfiguration) throws(HTTPError) -> any HTTPTransport
    let clock: any AWSClock
    let metrics: Metrics
    let logger: Logger
    /// PEM file of the authorities to trust; nil for the system's.
    let caBundle: String?
    /// For SigV4 on REST calls.
    let region: @Sendable () throws(PropertyError) -> String
    let credentials: @Sendable () throws(PropertyError) -> any AWSCredentialsProvider
  }

  init(_ properties: [String: String], _ parts: Parts) throws(PropertyError) {
    let map = PropertyMap(properties)
    guard map.bool(S3FileIOProperties.remoteSigningKey, default: false) else {
      signer = nil
      return
    }
    try Self.refuseLakeFormation(map)
    let signing = try RemoteSigningProperties(map)
    if signing.isPathDefault {
      parts.logger.warning(
        "signer.endpoint is not set: requests are signed at the path of older signers", metadata: ["path": "\(signing.endpoint.target)"])
    }
    let client = try parts.client(map)
    let identity = try RestAuthProperties(map, base: signing.base, scope: "sign")
    signer = RemoteSigner(signing, client: client, identity: try parts.authenticator(identity, client))
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

extension RestServices.Parts {
  func client(_ map: PropertyMap) throws(PropertyError) -> RestClient {
    let properties = try RestClientProperties(map, caBundle: caBundle)
    do {
      return RestClient(
        transport: try transport(properties.transport), properties: properties, clock: clock, metrics: metrics, logger: logger)
    } catch {
      throw PropertyError(key: "", message: error.message)
    }
  }

  func authenticator(_ properties: RestAuthProperties, _ client: RestClient) throws(PropertyError) -> any RestAuthenticator {
    switch properties {
    case .none: return NoAuthenticator()
    case .basic(let user, let password): return BasicAuthenticator(user: user, password: password)
    case .oauth2(let session): return OAuth2Session(session, client: client)
    case .sigV4(let signing, let delegate):
      let keys: any AWSCredentialsProvider =
        if let keys = signing.staticKeys {
          StaticCredentialsProvider(
            AWSCredentials(
              accessKeyID: keys.accessKeyID, secretAccessKey: keys.secretAccessKey, sessionToken: keys.sessionToken, source: keys.source))
        } else {
          try credentials()
        }
      return SigV4Authenticator(
        delegate: try authenticator(delegate, client), credentials: keys,
        scope: SigV4Signer.Scope(service: signing.service, region: try region(of: signing)), clock: clock)
    }
  }

  private func region(of signing: RestSigV4Properties) throws(PropertyError) -> String {
    if let region = signing.region { return region }
    return try region()
  }
}
