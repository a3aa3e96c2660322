// SPDX-License-Identifier: Apache-2.0

package import HTTP
package import Logging
package import Telemetry

/// What sources of credentials work with: settings, files, transports and time.
package struct CredentialsContext: Sendable {
  /// The longest that one fetch of keys waits for a service with all its retries.
  static let patience = Duration.seconds(45)

  package var environment: AWSEnvironment
  /// Of STS and IAM Identity Center.
  package var transport: @Sendable () throws(HTTPError) -> any HTTPTransport
  /// Of endpoints on this machine or its link: never through a proxy.
  package var linkTransport: @Sendable () throws(HTTPError) -> any HTTPTransport
  package var metrics: Metrics
  package var logger: Logger
  package var clock: any AWSClock
  /// Gives a file's bytes, nil if it does not exist.
  package var readFile: @Sendable (String) throws(AWSError) -> [UInt8]?
  /// Runs a program; replaced in tests.
  package var runProcess: @Sendable (CredentialProcess) async throws(AWSError) -> [UInt8] = { (process) throws(AWSError) in
    try await process.run()
  }

  package init(
    environment: AWSEnvironment, transport: @escaping @Sendable () throws(HTTPError) -> any HTTPTransport,
    linkTransport: @escaping @Sendable () throws(HTTPError) -> any HTTPTransport, metrics: Metrics, logger: Logger, clock: any AWSClock,
    readFile: @escaping @Sendable (String) throws(AWSError) -> [UInt8]?
  ) {
    self.environment = environment
    self.transport = transport
    self.linkTransport = linkTransport
    self.metrics = metrics
    self.logger = logger
    self.clock = clock
    self.readFile = readFile
  }

  /// A client of STS or IAM Identity Center.
  ///
  /// - Parameter region: nil for the environment's, and STS's global endpoint where that has none.
  func client(_ service: AWSService, region: String? = nil, credentials: any AWSCredentialsProvider) throws(AWSError) -> AWSClient {
    let region = region ?? environment.foundRegion?.name ?? "aws-global"
    return AWSClient(
      service: service, region: region,
      endpoint: try EndpointResolver(service: service, region: region, settings: environment.endpointSettings(for: service)),
      credentials: credentials, retry: try environment.retryPolicy(), transport: try Self.made(transport), metrics: metrics, logger: logger,
      clock: clock)
  }

  /// The context with the shared files read again.
  func rereadingFiles() throws(AWSError) -> CredentialsContext {
    var fresh = self
    fresh.environment = try environment.reread(readFile)
    return fresh
  }

  /// Keeps what `fetch` gives until it is to be renewed.
  func refreshing(
    _ name: String, _ window: RefreshingCredentialsProvider.Window, origin: (any AWSCredentialsProvider)? = nil,
    _ fetch: @escaping @Sendable () async throws(AWSError) -> AWSCredentials?
  ) -> RefreshingCredentialsProvider {
    RefreshingCredentialsProvider(name: name, window: window, origin: origin, clock: clock, logger: logger, fetch: fetch)
  }

  static func made(_ transport: () throws(HTTPError) -> any HTTPTransport) throws(AWSError) -> any HTTPTransport {
    do throws(HTTPError) {
      return try transport()
    } catch {
      throw .configuration(error.message, operation: "Credentials")
    }
  }
}
