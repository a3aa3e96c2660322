// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A set of AWS keys.
package struct AWSCredentials: Sendable, Hashable {
  package var accessKeyID: String
  package var secretAccessKey: Secret
  package var sessionToken: Secret?
  /// Seconds since 1970; nil for keys that do not expire.
  package var expiration: Double?
  /// Where they came from, for `status.json` and `check`: "property s3.access-key-id", "environment", "profile prod".
  package var source: String

  package init(accessKeyID: String, secretAccessKey: Secret, sessionToken: Secret? = nil, expiration: Double? = nil, source: String) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.expiration = expiration
    self.source = source
  }
}

/// One source of credentials; a chain is a provider too.
package protocol AWSCredentialsProvider: Sendable {
  /// Name for messages: "environment", "shared files (profile prod)".
  var name: String { get }
  /// The keys; nil where this source is not configured (the chain goes on). A configured source that fails throws: no fall-through.
  /// Refreshes by itself; concurrent callers share one refresh.
  func credentials() async throws(AWSError) -> AWSCredentials?
  /// Forgets what is cached: the service said the keys have expired.
  func invalidate()
}
