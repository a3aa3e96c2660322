// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import AWSServices
package import HTTP
import Iceberg
package import Logging
package import Telemetry

/// Clients with keys from properties, or from the standard chain. Source: spec/clients.md §1, spec/properties.md §3.
package struct DefaultAwsClientFactory: AwsClientFactory {
  /// Whose keys are used instead of what properties and environment say, and in which region.
  struct Identity: Sendable {
    var provider: any AWSCredentialsProvider
    var region: String
  }

  let aws: AwsProperties
  let client: AwsClientProperties
  let files: S3FileIOProperties
  let http: HttpClientProperties
  let environments: ClientEnvironments
  let transport: @Sendable (CurlTransportConfiguration) throws(HTTPError) -> any HTTPTransport
  let metrics: Metrics
  let logger: Logger
  let clock: any AWSClock
  let readFile: @Sendable (String) throws(AWSError) -> [UInt8]?
  /// The providers that were made, so that clients share keys and their renewal.
  let providers = ProviderCache()
  var identity: Identity?
  /// Signer and vendor of keys that properties name.
  private(set) var rest = RestServices()

  /// Reads the shared files of AWS; every property that clients use is checked here.
  ///
  /// - Parameters:
  ///   - properties: of the catalog, normalised to Iceberg's keys.
  ///   - variables: the environment.
  ///   - transport: gives the transport with some settings, the same one for equal settings.
  ///   - instanceRegion: of the EC2 instance, for services that nothing else gives a region.
  ///   - readFile: gives a file's bytes, nil if it does not exist.
  package init(
    properties: [String: String], variables: [String: String],
    transport: @escaping @Sendable (CurlTransportConfiguration) throws(HTTPError) -> any HTTPTransport, metrics: Metrics, logger: Logger,
    instanceRegion: String? = nil, clock: any AWSClock = SystemAWSClock(),
    readFile: @escaping @Sendable (String) throws(AWSError) -> [UInt8]? = SharedFileReader.read
  ) throws(PropertyError) {
    aws = try AwsProperties(properties)
    client = try AwsClientProperties(properties)
    files = try S3FileIOProperties(properties)
    environments = try ClientEnvironments(
      variables: variables, client: client, files: files, instanceRegion: instanceRegion, readFile: readFile)
    self.readFile = readFile
    http = try HttpClientProperties(properties, caBundle: environments.shared.caBundle)
    self.transport = transport
    self.metrics = metrics
    self.logger = logger
    self.clock = clock
    rest = try RestServices(properties, of: self)
  }

  package func s3() throws(PropertyError) -> S3Client {
    let addressing = S3Addressing(files, environments.environment(of: .s3))
    let settings = try addressing.settings()
    let retry = RetryPolicy.s3(retries: files.retries, minWait: files.retryMinWait, maxWait: files.retryMaxWait)
    let region = try region(of: .s3)
    let sending = S3Sending(settings: settings, retry: retry, transport: http.transport(forS3: files))
    let home = try s3Sender(region: region, sending)
    let checksums = try addressing.checksums()
    func client(_ sender: any AWSRequestSender) -> S3Client {
      S3Client(
        sender: sender, checksums: checksums, isRequesterPaying: files.isRequesterPaying, expectsContinue: http.expectsContinue)
    }
    guard files.isCrossRegionAccessEnabled else { return client(home) }
    return client(
      CrossRegionS3Sender(home: home, region: region) { region throws(AWSError) in
        do throws(PropertyError) {
          return try self.s3Sender(region: region, sending)
        } catch {
          throw .configuration(error.message)
        }
      })
  }

  package func glue() throws(PropertyError) -> GlueClient {
    let environment = environments.environment(of: .glue)
    let settings = environment.endpointSettings(for: .glue, property: ("glue.endpoint", aws.glueEndpoint))
    let retry = try retryPolicy(environment, mode: aws.glueRetryMode, maxAttempts: aws.glueMaxAttempts)
    return GlueClient(sender: try sender(.glue, settings: settings, retry: retry), catalogID: aws.glueCatalogID)
  }

  package func dynamo() throws(PropertyError) -> DynamoDBClient {
    let environment = environments.environment(of: .dynamodb)
    let settings = environment.endpointSettings(for: .dynamodb, property: ("dynamodb.endpoint", aws.dynamoDBEndpoint))
    var backoff = BatchBackoff()
    let clock = clock
    backoff.sleep = { try await clock.sleep(for: $0) }
    backoff.random = { clock.random() }
    return DynamoDBClient(
      sender: try sender(.dynamodb, settings: settings, retry: try retryPolicy(environment)), backoff: backoff)
  }

  package func sts(for service: AWSService) throws(PropertyError) -> STSClient {
    let environment = environments.environment(of: .sts)
    return STSClient(
      sender: try sender(
        .sts, settings: environment.endpointSettings(for: .sts), retry: try retryPolicy(environment),
        credentials: try credentials(for: service)))
  }

  package func foundRegion(of service: AWSService) throws(PropertyError) -> (name: String, source: String) {
    if let identity { return (identity.region, AssumeRoleProperties.regionKey) }
    let environment = environments.environment(of: service)
    let (key, override): (String, String?) =
      switch service {
      case .s3: ("s3.region", files.region)
      case .glue: ("glue.region", client.glue.region)
      case .dynamodb: ("dynamodb.region", client.dynamoDB.region)
      default: ("", nil)
      }
    if let override { return (override, key) }
    if let region = client.region { return (region, AwsClientKeys.clientRegion) }
    if let found = environment.foundRegion { return found }
    // Servers that are not AWS have no regions, and take this one.
    if service == .s3, let custom = customEndpoint(of: .s3) { return ("us-east-1", "\(custom.source) is set, and nothing gives a region") }
    throw PropertyError(key: AwsClientKeys.clientRegion, message: environment.noRegion)
  }

  package func customEndpoint(of service: AWSService) -> (url: String, source: String)? {
    let property: (name: String, value: String?)? =
      switch service {
      case .s3: (S3FileIOProperties.endpointKey, files.endpoint)
      case .glue: ("glue.endpoint", aws.glueEndpoint)
      case .dynamodb: ("dynamodb.endpoint", aws.dynamoDBEndpoint)
      default: nil
      }
    return environments.environment(of: service).endpointURL(for: service, property: property)
  }

  package func time(of service: AWSService) async -> Double? {
    guard let region = try? region(of: service),
      let resolver = try? EndpointResolver(
        service: service, region: region,
        settings: EndpointSettings(customEndpoint: customEndpoint(of: service)?.url)),
      let endpoint = try? resolver.resolve().endpoint, let transport = try? transport(http.transport)
    else { return nil }
    let request = HTTPRequest(method: "HEAD", endpoint: endpoint, target: "/", deadline: .seconds(5))
    return (try? await transport.send(request, sink: nil))?.header("date").flatMap { Timestamp.seconds(httpDate: $0) }
  }

  /// AWS has each bucket name once in a partition; elsewhere the endpoint decides. Buckets that access points stand in for may be others.
  package func objectStore() throws(PropertyError) -> String {
    let place = if let custom = customEndpoint(of: .s3) { custom.url } else { Partition.of(region: try region(of: .s3)).name }
    return ([place] + files.accessPoints.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
  }

  func sender(
    _ service: AWSService, region known: String? = nil, settings: EndpointSettings, retry: RetryPolicy,
    transport configuration: CurlTransportConfiguration? = nil, credentials: (any AWSCredentialsProvider)? = nil,
    requestCredentials: [any RequestCredentials] = []
  ) throws(PropertyError) -> any AWSRequestSender {
    let region = if let known { known } else { try region(of: service) }
    let resolver = try Self.converting { () throws(AWSError) in
      try EndpointResolver(service: service, region: region, settings: settings)
    }
    let http: any HTTPTransport
    do {
      http = try transport(configuration ?? self.http.transport)
    } catch {
      throw PropertyError(key: "", message: error.message)
    }
    let keys = if let credentials { credentials } else { try self.credentials(for: service) }
    return AWSClient(
      service: service, region: region, endpoint: resolver, credentials: keys, requestCredentials: requestCredentials,
      signer: signer(of: service), retry: retry, transport: http, metrics: metrics, logger: logger, clock: clock,
      userAgent: service == .s3 ? files.userAgent : "bergfs")
  }

  private func signer(of service: AWSService) -> any RequestSigner {
    if service == .s3, let signer = rest.signer { return signer }
    return LocalSigner()
  }

  /// Iceberg 1.11 makes its clients adaptive; what the environment says goes before that, properties before both.
  func retryPolicy(
    _ environment: AWSEnvironment, mode: String? = nil, maxAttempts: Int? = nil
  ) throws(PropertyError) -> RetryPolicy {
    let mode = mode ?? environment.variable("AWS_RETRY_MODE") ?? environment.profileValue("retry_mode") ?? "adaptive"
    return try Self.converting { () throws(AWSError) in try environment.retryPolicy(mode: mode, maxAttempts: maxAttempts) }
  }

  static func converting<Value>(_ body: () throws(AWSError) -> Value) throws(PropertyError) -> Value {
    do throws(AWSError) {
      return try body()
    } catch {
      throw PropertyError(key: "", message: error.message)
    }
  }
}
