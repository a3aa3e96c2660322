// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import AWSServices
package import HTTP
import Synchronization

/// Sends S3 requests to the region where a bucket is, once S3 has said that it is another one. Source: spec/s3fileio.md §9, cross-region.
///
/// A request is sent again at most once, without a wait: the first answer moved nothing. ARNs name their region themselves.
package final class CrossRegionS3Sender: AWSRequestSender {
  private struct State {
    var regions: [String: String] = [:]
    var senders: [String: any AWSRequestSender]
  }

  private let home: any AWSRequestSender
  private let homeRegion: String
  private let make: @Sendable (String) throws(AWSError) -> any AWSRequestSender
  private let state: Mutex<State>

  /// - Parameters:
  ///   - home: the sender of the configured region.
  ///   - make: makes the sender of another region; called once for each.
  package init(
    home: any AWSRequestSender, region: String, make: @escaping @Sendable (String) throws(AWSError) -> any AWSRequestSender
  ) {
    self.home = home
    homeRegion = region
    self.make = make
    state = Mutex(State(senders: [region: home]))
  }

  package func send(_ request: AWSRequest, sink: (any HTTPBodySink)?) async throws(AWSError) -> AWSResponse {
    guard let bucket = request.bucket, !bucket.hasPrefix("arn:") else { return try await home.send(request, sink: sink) }
    let region = state.withLock { $0.regions[bucket] } ?? homeRegion
    do {
      return try await sender(region).send(request, sink: sink)
    } catch {
      guard Self.isElsewhere(error), request.operation != "S3.HeadBucket",
        let actual = await actualRegion(of: bucket, error), actual != region
      else { throw error }
      state.withLock { $0.regions[bucket] = actual }
      return try await sender(actual).send(request, sink: sink)
    }
  }

  private func sender(_ region: String) throws(AWSError) -> any AWSRequestSender {
    if let sender = state.withLock({ $0.senders[region] }) { return sender }
    let sender = try make(region)
    return state.withLock { state in
      if let earlier = state.senders[region] { return earlier }
      state.senders[region] = sender
      return sender
    }
  }

  private func actualRegion(of bucket: String, _ error: AWSError) async -> String? {
    if let region = Self.region(error) { return region }
    return await S3Client(sender: home).region(ofBucket: bucket)
  }

  private static func isElsewhere(_ error: AWSError) -> Bool {
    switch error.status {
    case 301, 307: true
    // An answer to HEAD has no body, so a bare 400 may be the same refusal.
    case 400: error.code == "IllegalLocationConstraintException" || error.code == "AuthorizationHeaderMalformed" || region(error) != nil
    default: region(error) != nil
    }
  }

  private static func region(_ error: AWSError) -> String? {
    error.headers.first { $0.name.lowercased() == S3Client.bucketRegionHeader }?.value
  }
}
