// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import AWSServices
package import HTTP
package import Logging
package import Telemetry

/// Clients with keys from properties, environment and shared files. Source: spec/clients.md §1, spec/properties.md §3.
package struct DefaultAwsClientFactory: AwsClientFactory {
  private let aws: AwsProperties
  private let client: AwsClientProperties
  private let files: S3FileIOProperties
  private let http: HttpClientProperties
  private let environments: Environments
  private let rest: RestServices
  private let transport: @Sendable (CurlTransportConfiguration) throws(HTTPError) -> any HTTPTransport
  private let metrics: Metrics
  private let logger: Logger
  private let clock: any AWSClock

  /// Reads the shared files of AWS; every property that clients use is checked here.
  ///
  /// - Parameters:
  ///   - properties: of the catalog, normalised to Iceberg's keys.
  ///   - variables: the environment.
  ///   - transport: gives the transport with some settings, the same one for equal settings.
  ///   - readFile: gives a file's bytes, nil if it does not exist.
  package init(
    properties: [String: String], variables: [String: String],
    transport: @escaping @Sendable (CurlTransportConfiguration) throws(HTTPError) -> any HTTPTransport, metrics: Metrics, logger: Logger,
    clock: any AWSClock = SystemAWSClock(), readFile: @escaping @Sendable (String) throws(AWSError) -> [UInt8]? = SharedFileReader.read
  ) throws(PropertyError) {
    try UnsupportedProperties.check(properties)
    aws = try AwsProperties(properties)
    client = try AwsClientProperties(properties)
    files = try S3FileIOProperties(properties)
    environments = try Environments(variables: variables, client: client, files: files, readFile: readFile)
    http = try HttpClientProperties(properties, caBundle: environments.shared.caBundle)
    rest = try Self.restServices(
      properties, environments, client, transport: transport, metrics: metrics, logger: logger, clock: clock)
    self.transport = transport
    self.metrics = metrics
    self.logger = logger
    self.clock = clock
  }

  private static func restServices(
    _ properties: [String: String], _ environments: Environments, _ client: AwsClientProperties,
    transport: @escaping @Sendable (CurlTransportConfiguration) throws(HTTPError) -> any HTTPTransport, metrics: Metrics, logger: Logger,
    clock: any AWSClock
  ) throws(PropertyError) -> RestServices {
    let shared = environments.shared
    return try RestServices(
      properties,
      RestServices.Parts(
        transport: transport, clock: clock, metrics: metrics, logger: logger, caBundle: shared.caBundle,
        region: { () throws(PropertyError) in
          if let region = shared.regionIfKnown(property: client.region) { return region }
          return try converting { () throws(AWSError) in try shared.region() }
        },
        credentials: { () throws(PropertyError) in CredentialsChain.standard(shared) }))
  }

  package func s3() throws(PropertyError) -> S3Client {
    let environment = environments.environment(of: .s3)
    var settings = environment.endpointSettings(for: .s3, property: (S3FileIOProperties.endpointKey, files.endpoint))
    settings.usesPathStyle = files.isPathStyleAccess ?? Self.isLocal(settings.customEndpoint)
    settings.usesDualStack = settings.usesDualStack || files.isDualStackEnabled
    settings.usesAcceleration = files.isAccelerationEnabled
    settings.usesARNRegion = files.isUseArnRegionEnabled
    let retry = RetryPolicy.s3(retries: files.retries, minWait: files.retryMinWait, maxWait: files.retryMaxWait)
    let region = try region(of: .s3)
    let transport = http.transport(forS3: files)
    let home = try sender(.s3, region: region, settings: settings, retry: retry, transport: transport)
    let checksums = S3Checksums(isSentWhenSupported: try isChecksumSentWhenSupported(environment), isLegacyMD5: files.write.isLegacyMD5)
    guard files.isCrossRegionAccessEnabled else { return S3Client(sender: home, checksums: checksums) }
    return S3Client(
      sender: CrossRegionS3Sender(home: home, region: region) { [settings] region throws(AWSError) in
        do throws(PropertyError) {
          return try self.sender(.s3, region: region, settings: settings, retry: retry, transport: transport)
        } catch {
          throw .configuration(error.message)
        }
      }, checksums: checksums)
  }

  /// Whether bodies carry a checksum that S3 does not demand. Source: spec/s3fileio.md §13.
  private func isChecksumSentWhenSupported(_ environment: AWSEnvironment) throws(PropertyError) -> Bool {
    let variable = "AWS_REQUEST_CHECKSUM_CALCULATION"
    let text = environment.variable(variable) ?? environment.profileValue("request_checksum_calculation") ?? "when_supported"
    switch text.lowercased() {
    case "when_supported": return true
    case "when_required": return false
    default:
      throw PropertyError(
        key: variable,
        message: "\(variable) or request_checksum_calculation of profile `\(environment.profileName)` is `\(text)`: it must be "
          + "when_supported or when_required")
    }
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

  package func sts() throws(PropertyError) -> STSClient {
    let environment = environments.environment(of: .sts)
    return STSClient(
      sender: try sender(.sts, settings: environment.endpointSettings(for: .sts), retry: try retryPolicy(environment)))
  }

  package func region(of service: AWSService) throws(PropertyError) -> String {
    let environment = environments.environment(of: service)
    let override: String? =
      switch service {
      case .s3: files.region
      case .glue: client.glue.region
      case .dynamodb: client.dynamoDB.region
      default: nil
      }
    if let region = environment.regionIfKnown(property: override ?? client.region) { return region }
    // Servers that are not AWS have no regions, and take this one.
    if service == .s3, environment.endpointURL(for: .s3, property: (S3FileIOProperties.endpointKey, files.endpoint)) != nil {
      return "us-east-1"
    }
    return try Self.converting { () throws(AWSError) in try environment.region() }
  }

  /// AWS has each bucket name once in a partition; elsewhere the endpoint decides. Buckets that access points stand in for may be others.
  package func objectStore() throws(PropertyError) -> String {
    let custom = environments.environment(of: .s3).endpointURL(for: .s3, property: (S3FileIOProperties.endpointKey, files.endpoint))
    let place = if let custom { custom.url } else { Partition.of(region: try region(of: .s3)).name }
    return ([place] + files.accessPoints.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
  }

  package func credentials(for service: AWSService) throws(PropertyError) -> any AWSCredentialsProvider {
    let environment = environments.environment(of: service)
    if service == .s3, let signer = rest.signer { return StaticCredentialsProvider(.signedElsewhere(by: signer.name)) }
    if service == .s3, files.isAnonymous { return AnonymousCredentialsProvider() }
    if let provider = client.credentialsProvider {
      switch provider {
      case .defaultChain: return CredentialsChain.standard(environment)
      case .environment: return CredentialsChain([EnvironmentCredentialsProvider(environment)])
      case .profile: return CredentialsChain([ProfileCredentialsProvider(environment)])
      case .anonymous: return AnonymousCredentialsProvider()
      }
    }
    let own: StaticKeys? =
      switch service {
      case .s3: files.staticKeys
      case .glue: client.glue.staticKeys
      case .dynamodb: client.dynamoDB.staticKeys
      default: nil
      }
    guard let keys = own ?? client.staticKeys else { return CredentialsChain.standard(environment) }
    return StaticCredentialsProvider(
      AWSCredentials(
        accessKeyID: keys.accessKeyID, secretAccessKey: keys.secretAccessKey, sessionToken: keys.sessionToken, source: keys.source))
  }

  private func sender(
    _ service: AWSService, region known: String? = nil, settings: EndpointSettings, retry: RetryPolicy,
    transport configuration: CurlTransportConfiguration? = nil
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
    return AWSClient(
      service: service, region: region, endpoint: resolver, credentials: try credentials(for: service), signer: signer(of: service),
      retry: retry, transport: http, metrics: metrics, logger: logger, clock: clock)
  }

  private func signer(of service: AWSService) -> any RequestSigner {
    if service == .s3, let signer = rest.signer { return signer }
    return LocalSigner()
  }

  /// Whether an endpoint is this machine: buckets then stand in the path, as `bucket.localhost` is no host. Source: spec/properties.md §7.2.
  private static func isLocal(_ endpoint: String?) -> Bool {
    guard let endpoint, let url = try? EndpointURL(endpoint, source: S3FileIOProperties.endpointKey) else { return false }
    return url.endpoint.host == "localhost" || url.hasAddressHost
  }

  /// Iceberg 1.11 makes its clients adaptive; what the environment says goes before that, properties before both.
  private func retryPolicy(
    _ environment: AWSEnvironment, mode: String? = nil, maxAttempts: Int? = nil
  ) throws(PropertyError) -> RetryPolicy {
    let mode = mode ?? environment.variable("AWS_RETRY_MODE") ?? environment.profileValue("retry_mode") ?? "adaptive"
    return try Self.converting { () throws(AWSError) in try environment.retryPolicy(mode: mode, maxAttempts: maxAttempts) }
  }

  private static func converting<Value>(_ body: () throws(AWSError) -> Value) throws(PropertyError) -> Value {
    do throws(AWSError) {
      return try body()
    } catch {
      throw PropertyError(key: "", message: error.message)
    }
  }
}

/// What the variables and shared files say, for each profile that configuration names.
private struct Environments: Sendable {
  let shared: AWSEnvironment
  private let s3: AWSEnvironment
  private let glue: AWSEnvironment
  private let dynamoDB: AWSEnvironment

  init(
    variables: [String: String], client: AwsClientProperties, files: S3FileIOProperties,
    readFile: (String) throws(AWSError) -> [UInt8]?
  ) throws(PropertyError) {
    func environment(_ candidates: [(name: String?, source: String)]) throws(PropertyError) -> AWSEnvironment {
      var profile: (name: String, source: String)?
      for candidate in candidates {
        if profile == nil, let name = candidate.name { profile = (name, candidate.source) }
      }
      do throws(AWSError) {
        return try AWSEnvironment(variables: variables, profile: profile, readFile: readFile)
      } catch {
        throw PropertyError(key: profile?.source ?? "", message: error.message)
      }
    }
    let common = (name: client.profileName, source: "client.profile-name")
    shared = try environment([common])
    s3 = try environment([(files.profileName, "s3.profile-name"), common])
    glue = try environment([(client.glue.profileName, "glue.profile-name"), common])
    // PyIceberg has no fall-back here. Source: spec/properties.md §7.2.
    dynamoDB = try environment([(client.dynamoDB.profileName, "dynamodb.profile-name")])
  }

  func environment(of service: AWSService) -> AWSEnvironment {
    switch service {
    case .s3: s3
    case .glue: glue
    case .dynamodb: dynamoDB
    default: shared
    }
  }
}
