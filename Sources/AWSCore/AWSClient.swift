// SPDX-License-Identifier: Apache-2.0

package import HTTP
package import Logging
import Synchronization
package import Telemetry

/// One service in one region: resolves, signs, sends, classifies and retries.
///
/// Holds what outlives a call: the signer, the retry tokens, the clock's offset, the rate limiter. Safe from any task.
package final class AWSClient: AWSRequestSender {
  package let service: AWSService
  package let region: String
  let endpoint: EndpointResolver
  let credentials: any AWSCredentialsProvider
  let requestCredentials: [any RequestCredentials]
  let retry: RetryPolicy
  let transport: any HTTPTransport
  let metrics: Metrics
  let logger: Logger
  let clock: any AWSClock
  let userAgent: String
  let signer: any RequestSigner
  let bucket = RetryTokenBucket()
  /// Seconds that the service's clock is ahead of this machine's; used for signatures only.
  private let clockOffset = Mutex(0.0)
  private let limiter: Mutex<AdaptiveRateLimiter>

  /// - Parameters:
  ///   - endpoint: made for the same service and region.
  ///   - credentials: asked before every send, so it caches.
  ///   - requestCredentials: asked in order whether a request takes other keys.
  ///   - signer: asked before every send.
  ///   - userAgent: sent as it is.
  package init(
    service: AWSService, region: String, endpoint: EndpointResolver, credentials: any AWSCredentialsProvider,
    requestCredentials: [any RequestCredentials] = [], signer: any RequestSigner = LocalSigner(), retry: RetryPolicy = .standard(),
    transport: any HTTPTransport, metrics: Metrics,
    logger: Logger,
    clock: any AWSClock = SystemAWSClock(), userAgent: String = "bergfs"
  ) {
    self.service = service
    self.region = region
    self.endpoint = endpoint
    self.credentials = credentials
    self.requestCredentials = requestCredentials
    self.signer = signer
    self.retry = retry
    self.transport = transport
    self.metrics = metrics
    self.logger = logger
    self.clock = clock
    self.userAgent = userAgent
    limiter = Mutex(AdaptiveRateLimiter(now: clock.elapsed().inSeconds))
  }

  package func send(_ request: AWSRequest, sink: (any HTTPBodySink)?) async throws(AWSError) -> AWSResponse {
    var call = AWSCall(client: self, request: request, sink: sink, resolved: try endpoint.resolve(bucket: request.bucket))
    return try await call.run()
  }

  /// The time to sign with, in seconds since 1970.
  var signingSeconds: Double { clock.wallSeconds() + clockOffset.withLock { $0 } }

  /// Sets the offset so that signing follows a service's clock.
  func follow(serviceSeconds: Double) {
    let offset = serviceSeconds - clock.wallSeconds()
    clockOffset.withLock { $0 = offset }
  }

  /// Seconds to wait before a send that the rate limiter holds back; 0 to go ahead.
  func acquireRate() -> Double {
    let now = clock.elapsed().inSeconds
    return limiter.withLock { $0.acquire(now: now) }
  }

  func recordRate(isThrottling: Bool) {
    let now = clock.elapsed().inSeconds
    limiter.withLock { $0.record(isThrottling: isThrottling, now: now) }
  }
}

extension Duration {
  package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
