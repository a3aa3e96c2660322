// SPDX-License-Identifier: Apache-2.0

package import HTTP

/// What decides the address of a service besides its region (spec: clients.md §7, s3fileio.md §9).
package struct EndpointSettings: Sendable, Hashable {
  /// `scheme://host[:port][/base/path]`, already chosen among property, environment and profile.
  package var customEndpoint: String?
  /// The name of the key it came from, for messages: `s3.endpoint`, `AWS_ENDPOINT_URL_GLUE`.
  package var customEndpointSource: String
  package var usesFIPS: Bool
  package var usesDualStack: Bool
  /// S3 only: `s3.path-style-access`.
  package var usesPathStyle: Bool
  /// S3 only: `s3.acceleration-enabled`.
  package var usesAcceleration: Bool
  /// S3 only: `s3.use-arn-region-enabled`.
  package var usesARNRegion: Bool
  /// S3 only: requests to directory buckets are signed with the client's own keys, not with those of a session.
  package var disablesExpressSessions = false
  /// S3 only: ARNs of multi-region access points are refused.
  package var disablesMultiRegionAccessPoints = false

  package init(
    customEndpoint: String? = nil, customEndpointSource: String = "endpoint", usesFIPS: Bool = false, usesDualStack: Bool = false,
    usesPathStyle: Bool = false, usesAcceleration: Bool = false, usesARNRegion: Bool = false
  ) {
    self.customEndpoint = customEndpoint
    self.customEndpointSource = customEndpointSource
    self.usesFIPS = usesFIPS
    self.usesDualStack = usesDualStack
    self.usesPathStyle = usesPathStyle
    self.usesAcceleration = usesAcceleration
    self.usesARNRegion = usesARNRegion
  }
}

/// How a request is signed.
package enum SigningAlgorithm: Sendable, Hashable {
  case sigV4
  /// The same with the keys of a session of a directory bucket, where the operation takes one.
  case sigV4Session
  /// For a set of regions.
  case sigV4A
}

/// Where a request goes and whom it is signed for.
package struct ResolvedEndpoint: Sendable, Hashable {
  package var endpoint: HTTPEndpoint
  /// Base path of a custom endpoint and, path style, the bucket; empty or `/…` without a trailing slash. Already percent-encoded.
  package var pathPrefix: String
  package var signingName: String
  /// For SigV4A the set of regions.
  package var signingRegion: String
  package var signingAlgorithm: SigningAlgorithm

  package init(
    endpoint: HTTPEndpoint, pathPrefix: String, signingName: String, signingRegion: String, signingAlgorithm: SigningAlgorithm = .sigV4
  ) {
    self.endpoint = endpoint
    self.pathPrefix = pathPrefix
    self.signingName = signingName
    self.signingRegion = signingRegion
    self.signingAlgorithm = signingAlgorithm
  }
}
