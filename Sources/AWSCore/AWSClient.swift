// SPDX-License-Identifier: Apache-2.0

package import HTTP
package import Logging
package import Telemetry

/// One service in one region: resolves, signs, sends, classifies and retries.
package final class AWSClient: AWSRequestSender {
  package init(
    service: AWSService, region: String, endpoint: EndpointResolver, credentials: any AWSCredentialsProvider,
    retry: RetryPolicy = .standard(), transport: any HTTPTransport, metrics: Metrics, logger: Logger,
    clock: any AWSClock = SystemAWSClock()
  ) {
  }

  package func send(_ request: AWSRequest, sink: (any HTTPBodySink)?) async throws(AWSError) -> AWSResponse {
    throw .configuration("")
  }
}
