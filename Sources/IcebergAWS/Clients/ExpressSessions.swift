// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import AWSServices
package import Logging
import Synchronization

/// The keys of directory buckets: a session of each bucket, renewed ahead of its end. Source: spec/s3fileio.md §10.
package final class ExpressSessions: RequestCredentials {
  /// A session is of the keys that made it.
  private struct Name: Hashable {
    let bucket: String
    let accessKeyID: String
  }

  /// More than any mount has in use; keys that were replaced leave theirs behind.
  private static let limit = 64
  /// Of a life of five minutes.
  private static let window = RefreshingCredentialsProvider.Window(prefetch: 60, mandatory: 10)

  private let own: any AWSCredentialsProvider
  private let client: S3Client
  private let encryption: [(name: String, value: String)]
  private let clock: any AWSClock
  private let logger: Logger
  private let sessions = Mutex([Name: RefreshingCredentialsProvider]())

  /// - Parameters:
  ///   - own: the keys that sessions are made with.
  ///   - client: signs with `own`; its requests ask for no session.
  ///   - encryption: headers of the encryption of what is written.
  package init(
    own: any AWSCredentialsProvider, client: S3Client, encryption: [(name: String, value: String)], clock: any AWSClock, logger: Logger
  ) {
    self.own = own
    self.client = client
    self.encryption = encryption
    self.clock = clock
    self.logger = logger
  }

  package func provider(for request: AWSRequest, at resolved: ResolvedEndpoint) async throws(AWSError) -> (any AWSCredentialsProvider)? {
    guard resolved.signingAlgorithm == .sigV4Session, let bucket = request.bucket,
      !S3Client.sessionlessOperations.contains(request.operation), let keys = try await own.credentials(), !keys.isAnonymous
    else { return nil }
    let (client, encryption) = (client, encryption)
    return sessions.withLock { sessions in
      let name = Name(bucket: bucket, accessKeyID: keys.accessKeyID)
      if let session = sessions[name] { return session }
      if sessions.count >= Self.limit { sessions.removeAll() }
      let session = RefreshingCredentialsProvider(
        name: "session of bucket \(bucket)", window: Self.window, clock: clock, logger: logger
      ) { () throws(AWSError) in try await client.createSession(bucket: bucket, headers: encryption) }
      sessions[name] = session
      return session
    }
  }
}
