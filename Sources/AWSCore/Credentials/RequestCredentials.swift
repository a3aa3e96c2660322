// SPDX-License-Identifier: Apache-2.0

/// Says whose keys sign a request, where one client uses several: sessions of directory buckets, S3 Access Grants.
package protocol RequestCredentials: Sendable {
  /// Where the keys of a request come from; nil: from the client's own provider.
  ///
  /// Asked once a call. The provider is asked for keys before every send and told when the service refuses them, like the client's own.
  /// - Throws: the error of the whole call. `operation`, `attempts` and `isDefinite` are the caller's to fill in.
  func provider(for request: AWSRequest, at resolved: ResolvedEndpoint) async throws(AWSError) -> (any AWSCredentialsProvider)?
}
