// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP

/// S3's keys where they depend on the request: sessions of directory buckets, S3 Access Grants. Source: spec/s3fileio.md §10, §14.
extension DefaultAwsClientFactory {
  /// What the senders of all regions have in common.
  struct S3Sending: Sendable {
    var settings: EndpointSettings
    var retry: RetryPolicy
    var transport: CurlTransportConfiguration
  }

  /// The sender of one region.
  func s3Sender(region: String, _ sending: S3Sending) throws(PropertyError) -> any AWSRequestSender {
    let own = try credentials(for: .s3)
    func sender(_ choices: [any RequestCredentials]) throws(PropertyError) -> any AWSRequestSender {
      try self.sender(
        .s3, region: region, settings: sending.settings, retry: sending.retry, transport: sending.transport, credentials: own,
        requestCredentials: choices)
    }
    // Which keys a request takes is then the service's affair.
    if rest.signer != nil { return try sender([]) }
    let sessions = ExpressSessions(
      own: own, client: S3Client(sender: try sender([])), encryption: files.write.sessionEncryptionHeaders, clock: clock, logger: logger)
    guard let grants = try accessGrants(region: region, own: own, sending) else { return try sender([sessions]) }
    return try sender([sessions, grants])
  }

  /// Nil where grants are off, or where keys are not the caller's own: of a remote signer, of nobody, of Lake Formation.
  private func accessGrants(
    region: String, own: any AWSCredentialsProvider, _ sending: S3Sending
  ) throws(PropertyError) -> AccessGrants? {
    guard files.isAccessGrantsEnabled, !files.isRemoteSigningEnabled, !files.isAnonymous,
      !(identity?.provider is LakeFormationCredentialsProvider)
    else { return nil }
    let environment = environments.environment(of: .s3)
    var settings = environment.endpointSettings(for: .s3Control)
    if settings.customEndpoint == nil { settings.usesDualStack = sending.settings.usesDualStack }
    let control = try sender(
      .s3Control, region: region, settings: settings, retry: sending.retry, transport: sending.transport, credentials: own)
    let identity = try sts(for: .s3)
    return AccessGrants(
      control: S3ControlClient(sender: control), fallsBack: files.isAccessGrantsFallbackToIAM, clock: clock, logger: logger
    ) { () throws(AWSError) in try await identity.getCallerIdentity().account }
  }
}
