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
  /// The header of the session token: sessions of directory buckets have one of their own.
  package var tokenHeader = "X-Amz-Security-Token"

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
  /// Forgets what is cached: the service does not take these keys any more. Where other keys have come meanwhile, nothing happens.
  ///
  /// - Parameter refused: what the service refused; nil forgets whatever is held, and shared files are read again.
  func invalidate(_ refused: AWSCredentials?)
  /// Why ``credentials()`` gave nil, for a person: "AWS_ACCESS_KEY_ID is not set".
  var absence: String { get }
  /// The keys that were last given, without asking for new ones; nil where none were, or they never change.
  var latest: AWSCredentials? { get }
  /// Asks as ``credentials()`` does, and tells what became of each source on the way.
  func links() async -> [CredentialsLink]
}

/// What became of one source of credentials.
package struct CredentialsLink: Sendable {
  package enum Outcome: Sendable {
    /// It has these keys, and is the one in use.
    case used(AWSCredentials)
    /// Why it was passed over.
    case absent(String)
    /// It is configured and gives no keys: nothing after it is asked.
    case failed(AWSError)
    /// One before it decided.
    case notTried
  }

  package var name: String
  package var outcome: Outcome
}

extension AWSCredentialsProvider {
  /// As ``links()`` of a source that stands alone.
  package func ownLink() async -> CredentialsLink {
    do throws(AWSError) {
      return CredentialsLink(name: name, outcome: try await credentials().map { .used($0) } ?? .absent(absence))
    } catch {
      return CredentialsLink(name: name, outcome: .failed(error))
    }
  }

  package func links() async -> [CredentialsLink] { [await ownLink()] }
  package var latest: AWSCredentials? { nil }
  package var absence: String { "not configured" }
}

extension AWSCredentials {
  /// Whether both are one set of keys, wherever they came from.
  func hasSameKeys(as other: AWSCredentials?) -> Bool {
    accessKeyID == other?.accessKeyID && secretAccessKey == other?.secretAccessKey && sessionToken == other?.sessionToken
  }
}
