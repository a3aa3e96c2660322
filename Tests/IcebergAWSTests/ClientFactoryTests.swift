// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import HTTP
import Iceberg
import IcebergAWS
import Logging
import Synchronization
import Telemetry
import Testing

@Suite("Client factory and catalog loader")
struct ClientFactoryTests {
  private let glue = ["type": "glue", "client.region": "eu-west-1", "client.access-key-id": "AK", "client.secret-access-key": "SK"]

  @Test("S3's own keys are never used for Glue or DynamoDB; keys for all are")
  func credentialsOrder() async throws {
    let factory = try factory([
      "s3.access-key-id": "S3", "s3.secret-access-key": "x", "glue.access-key-id": "GLUE", "glue.secret-access-key": "x",
      "client.access-key-id": "ALL", "client.secret-access-key": "x",
    ])
    #expect(try await key(factory, .s3) == "S3")
    #expect(try await key(factory, .glue) == "GLUE")
    #expect(try await key(factory, .dynamodb) == "ALL")
    #expect(try await key(factory, .sts) == "ALL")
    let environment = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "x"]
    let onlyS3 = try self.factory(["s3.access-key-id": "S3", "s3.secret-access-key": "x"], variables: environment)
    #expect(try await key(onlyS3, .s3) == "S3")
    #expect(try await key(onlyS3, .glue) == "ENV")
  }

  @Test("A provider named by its class goes before static keys")
  func providerFirst() async throws {
    let factory = try factory([
      "client.credentials-provider": "software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider",
      "s3.access-key-id": "S3", "s3.secret-access-key": "x",
    ])
    #expect(try factory.credentials(for: .s3) is AnonymousCredentialsProvider)
    #expect(try self.factory(["s3.anonymous": "true"]).credentials(for: .s3) is AnonymousCredentialsProvider)
  }

  @Test("Profiles: one for all, one for S3, and none of them for DynamoDB")
  func profiles() async throws {
    let file = """
      [all]
      aws_access_key_id = ALL
      aws_secret_access_key = x
      region = eu-north-1
      [lake]
      aws_access_key_id = LAKE
      aws_secret_access_key = x
      [default]
      aws_access_key_id = DEFAULT
      aws_secret_access_key = x
      """
    let factory = try factory(
      ["client.profile-name": "all", "s3.profile-name": "lake", "client.region": ""], variables: ["HOME": "/h", "AWS_REGION": ""],
      credentialsFile: file)
    #expect(try await key(factory, .s3) == "LAKE")
    #expect(try await key(factory, .glue) == "ALL")
    #expect(try await key(factory, .dynamodb) == "DEFAULT")
    #expect(try factory.region(of: .glue) == "eu-north-1")
  }

  @Test("Regions: the service's own key, client.region, the environment; an S3 endpoint needs none")
  func regions() throws {
    let factory = try factory(["client.region": "eu-west-1", "glue.region": "eu-west-2", "s3.region": "eu-west-3"])
    #expect(try factory.region(of: .glue) == "eu-west-2")
    #expect(try factory.region(of: .s3) == "eu-west-3")
    #expect(try factory.region(of: .dynamodb) == "eu-west-1")
    #expect(try self.factory([:], variables: ["AWS_REGION": "us-west-2"]).region(of: .s3) == "us-west-2")
    #expect(try self.factory(["s3.endpoint": "http://localhost:9000"]).region(of: .s3) == "us-east-1")
    let error = #expect(throws: PropertyError.self) { _ = try self.factory([:]).glue() }
    #expect(error?.message.hasPrefix("Unable to load region from any of the providers in the chain") == true)
  }

  @Test("Checksums that S3 does not demand are sent unless the environment says otherwise")
  func checksums() throws {
    let base = ["s3.region": "eu-west-1"]
    let variable = "AWS_REQUEST_CHECKSUM_CALCULATION"
    #expect(try factory(base).s3().checksums == S3Checksums())
    #expect(try !factory(base, variables: [variable: "WHEN_REQUIRED"]).s3().checksums.isSentWhenSupported)
    #expect(try factory(base.merging(["client.legacy-md5-plugin-enabled": "true"]) { $1 }).s3().checksums.isLegacyMD5)
    let file = "[default]\nrequest_checksum_calculation = when_required\n"
    let profile = try factory(base, variables: ["HOME": "/h"], credentialsFile: file)
    #expect(try !profile.s3().checksums.isSentWhenSupported)
    #expect(
      try factory(base, variables: ["HOME": "/h", variable: "when_supported"], credentialsFile: file).s3().checksums.isSentWhenSupported)
    let crossRegion = base.merging(["s3.cross-region-access-enabled": "true"]) { $1 }
    #expect(try !factory(crossRegion, variables: [variable: "when_required"]).s3().checksums.isSentWhenSupported)
    let error = #expect(throws: PropertyError.self) { _ = try factory(base, variables: [variable: "never"]).s3() }
    #expect(error?.message.contains("must be when_supported or when_required") == true)
  }

  @Test("Endpoints, base paths, regions and keys arrive in the requests of their service only")
  func requests() async throws {
    let transport = RecordingTransport()
    let factory = try factory(
      glue.merging([
        "s3.endpoint": "http://127.0.0.1:9000/base", "s3.path-style-access": "true", "glue.endpoint": "http://127.0.0.1:9001",
        "s3.region": "eu-west-3",
      ]) { $1 }, transport: transport)
    _ = try? await factory.s3().headObject(bucket: "b", key: "a b")
    _ = try? await factory.glue().getDatabases(nextToken: nil)
    _ = try? await factory.dynamo().describeTable("t")
    let requests = transport.requests
    #expect(requests.map(\.endpoint.authority) == ["127.0.0.1:9000", "127.0.0.1:9001", "dynamodb.eu-west-1.amazonaws.com"])
    #expect(requests.first?.target == "/base/b/a%20b")
    let scopes = requests.map { request in
      request.headers.first { $0.name.lowercased() == "authorization" }?.value.split(separator: "/").dropFirst(2).prefix(2).joined(
        separator: "/")
    }
    #expect(scopes == ["eu-west-3/s3", "eu-west-1/glue", "eu-west-1/dynamodb"])
  }

  @Test(
    "A bucket stands in the path of an endpoint on this machine, unless the property says otherwise",
    arguments: [
      ("http://localhost:9000", nil, "localhost:9000"), ("http://localhost:9000", "false", "bucket.localhost:9000"),
      ("http://s3.example.com", nil, "bucket.s3.example.com"), ("http://s3.example.com", "true", "s3.example.com"),
      ("http://[::1]:9000", "false", "[::1]:9000"),
    ] as [(String, String?, String)])
  func addressing(endpoint: String, pathStyle: String?, host: String) async throws {
    let transport = RecordingTransport()
    var properties = glue.merging(["s3.endpoint": endpoint]) { $1 }
    properties["s3.path-style-access"] = pathStyle
    _ = try? await factory(properties, transport: transport).s3().headObject(bucket: "bucket", key: "k")
    #expect(transport.requests.map(\.endpoint.authority) == [host])
    let fromEnvironment = RecordingTransport()
    properties["s3.endpoint"] = nil
    properties["client.region"] = nil
    _ = try? await factory(properties, variables: ["AWS_ENDPOINT_URL_S3": endpoint], transport: fromEnvironment).s3().headObject(
      bucket: "bucket", key: "k")
    #expect(fromEnvironment.requests.map(\.endpoint.authority) == [host])
  }

  @Test("What is set to nothing or to false is not used")
  func off() throws {
    _ = try clientFactory(
      glue.merging([
        "client.assume-role.arn": "", "glue.lakeformation-enabled": "false", "s3.remote-signing-enabled": "false",
        "client.refresh-credentials-endpoint": "v1/c", "client.refresh-credentials-enabled": "false",
        "client.factory": "org.apache.iceberg.aws.AwsClientFactories$DefaultAwsClientFactory",
        "s3.client-factory-impl": "org.apache.iceberg.aws.s3.DefaultS3FileIOAwsClientFactory",
      ]) { $1 })
  }

  @Test(
    "Catalogs and classes that are not known here are refused",
    arguments: [
      ([:], "Catalog lake has no type: set type=glue or type=dynamodb"),
      (["type": "hive"], "Unknown catalog type: hive (known here are glue and dynamodb)"),
      (
        ["type": "glue", "catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog"],
        "Cannot create catalog lake, both type and catalog-impl are set: type=glue, catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog"
      ),
      (
        ["catalog-impl": "com.example.C"],
        "Cannot initialize Catalog implementation com.example.C: known here are org.apache.iceberg.aws.glue.GlueCatalog and "
          + "org.apache.iceberg.aws.dynamodb.DynamoDbCatalog"
      ),
      (
        ["type": "glue", "io-impl": "com.example.IO"],
        "Cannot initialize FileIO implementation com.example.IO: known here is org.apache.iceberg.aws.s3.S3FileIO"
      ),
      (
        ["type": "dynamodb"],
        "Cannot initialize DynamoDbCatalog because warehousePath must not be null or empty: set warehouse=s3://bucket/path"
      ),
      (
        ["type": "dynamodb", "warehouse": ""],
        "Cannot initialize DynamoDbCatalog because warehousePath must not be null or empty: set warehouse=s3://bucket/path"
      ),
    ])
  func refusedCatalogs(properties: [String: String], message: String) throws {
    let factory = try clientFactory(glue)
    let error = #expect(throws: PropertyError.self) {
      _ = try CatalogLoader.load(name: "lake", properties: properties, factory: factory, logger: Logger(label: "test"))
    }
    #expect(error?.message == message)
  }

  @Test("Both ways of naming a catalog lead to it, in any letters of the type")
  func knownCatalogs() throws {
    let factory = try clientFactory(glue)
    let cases: [([String: String], String)] = [
      (["type": "GLUE"], "glue"), (["catalog-type": "glue"], "glue"),
      (["catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog", "io-impl": "org.apache.iceberg.io.ResolvingFileIO"], "glue"),
      (["catalog-impl": "org.apache.iceberg.aws.dynamodb.DynamoDbCatalog", "warehouse": "s3://b/w"], "dynamodb"),
    ]
    for (properties, kind) in cases {
      #expect(
        try CatalogLoader.load(name: "lake", properties: properties, factory: factory, logger: Logger(label: "test")).kind == kind)
    }
  }

  @Test("A factory of another class is refused with Java's sentence")
  func unknownFactory() {
    let error = #expect(throws: PropertyError.self) { _ = try clientFactory(["client.factory": "com.example.F"]) }
    #expect(error?.message.hasPrefix("Cannot initialize AwsClientFactory, missing no-arg constructor: com.example.F") == true)
    let s3 = #expect(throws: PropertyError.self) { _ = try clientFactory(["s3.client-factory-impl": "com.example.F"]) }
    #expect(s3?.message.hasPrefix("Cannot initialize S3FileIOAwsClientFactory, missing no-arg constructor: com.example.F") == true)
  }

  @Test("The object store is the custom endpoint, else the partition; access points that stand in for buckets make it another")
  func objectStore() throws {
    #expect(try factory(["client.region": "eu-west-1"]).objectStore() == "aws")
    #expect(try factory(["client.region": "us-east-1", "s3.access-key-id": "A", "s3.secret-access-key": "B"]).objectStore() == "aws")
    #expect(try factory(["client.region": "cn-north-1"]).objectStore() == "aws-cn")
    #expect(try factory(["s3.endpoint": "http://h:9000"]).objectStore() == "http://h:9000")
    #expect(try factory(["client.region": "eu-west-1"], variables: ["AWS_ENDPOINT_URL_S3": "http://v"]).objectStore() == "http://v")
    let points = ["client.region": "eu-west-1", "s3.access-points.b": "arn:two", "s3.access-points.a": "arn:one"]
    #expect(try factory(points).objectStore() == "aws a=arn:one b=arn:two")
  }

  private func clientFactory(_ properties: [String: String]) throws(PropertyError) -> any AwsClientFactory {
    let transport = RecordingTransport()
    return try CatalogLoader.clientFactory(
      properties: properties, variables: [:], transport: { _ throws(HTTPError) in transport }, metrics: Metrics(),
      logger: Logger(label: "test"))
  }

  private func factory(
    _ properties: [String: String], variables: [String: String] = [:], credentialsFile: String? = nil,
    transport: RecordingTransport = RecordingTransport()
  ) throws(PropertyError) -> DefaultAwsClientFactory {
    try DefaultAwsClientFactory(
      properties: properties, variables: variables, transport: { _ throws(HTTPError) in transport }, metrics: Metrics(),
      logger: Logger(label: "test"),
      readFile: { path throws(AWSError) in path.hasSuffix("/credentials") ? credentialsFile.map { Array($0.utf8) } : nil })
  }

  private func key(_ factory: DefaultAwsClientFactory, _ service: AWSService) async throws -> String? {
    try await factory.credentials(for: service).credentials()?.accessKeyID
  }
}

@Suite("Cross-region access")
struct CrossRegionTests {
  @Test("The region that a refusal names is used at once, and for the bucket's next requests")
  func redirected() async throws {
    let (senders, sender) = regions(
      .failure(.badRequest, code: "PermanentRedirect", status: 301, headers: [("x-amz-bucket-region", "eu-west-3")]))
    for _ in 0..<2 { _ = try await S3Client(sender: sender).headObject(bucket: "b", key: "k") }
    #expect(senders.home.requests.count == 1)
    #expect(senders.other.requests.count == 2)
  }

  @Test("A refusal that names no region is settled by HeadBucket")
  func asked() async throws {
    let senders = Senders(
      home: ScriptedSender { request, _ in
        request.operation == "S3.HeadBucket"
          ? .failure(.badRequest, code: "301", status: 301, headers: [("x-amz-bucket-region", "eu-west-3")])
          : .failure(.badRequest, code: "301", status: 301)
      }, other: ScriptedSender([.init(headers: [("Content-Length", "1")])]))
    _ = try await S3Client(sender: senders.sender).headObject(bucket: "b", key: "k")
    #expect(senders.home.requests.map(\.operation) == ["S3.HeadObject", "S3.HeadBucket"])
    #expect(senders.other.requests.count == 1)
  }

  @Test("Other errors, and a redirect to the region it came from, surface")
  func surfacing() async {
    for answer: ScriptedSender.Answer in [
      .failure(.accessDenied, code: "AccessDenied", status: 403),
      .failure(.accessDenied, code: "AccessDenied", status: 403, headers: [("x-amz-bucket-region", "eu-west-1")]),
    ] {
      let (senders, sender) = regions(answer)
      await #expect(throws: AWSError.self) { _ = try await S3Client(sender: sender).headObject(bucket: "b", key: "k") }
      #expect(senders.other.requests.isEmpty)
    }
  }

  private struct Senders {
    let home: ScriptedSender
    let other: ScriptedSender

    var sender: CrossRegionS3Sender {
      let other = other
      return CrossRegionS3Sender(home: home, region: "eu-west-1") { region throws(AWSError) in
        guard region == "eu-west-3" else { throw .configuration("no such region in this test") }
        return other
      }
    }
  }

  private func regions(_ answer: ScriptedSender.Answer) -> (Senders, CrossRegionS3Sender) {
    let senders = Senders(home: ScriptedSender([answer]), other: ScriptedSender([.init(headers: [("Content-Length", "1")])]))
    return (senders, senders.sender)
  }
}

/// Keeps requests and answers each with a 403.
final class RecordingTransport: HTTPTransport {
  private let recorded = Mutex([HTTPRequest]())

  var requests: [HTTPRequest] { recorded.withLock { $0 } }

  func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse {
    recorded.withLock { $0.append(request) }
    return HTTPResponse(status: 403, headers: [], body: [])
  }
}
