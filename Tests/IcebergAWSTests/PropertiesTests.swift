// SPDX-License-Identifier: Apache-2.0

import HTTP
import IcebergAWS
import Testing

@Suite("Typed properties")
struct PropertiesTests {
  @Test("Booleans are true for the letters of true only")
  func booleans() {
    for (text, value) in [("true", true), ("TRUE", true), ("True", true), ("1", false), ("yes", false), ("", false), (" true", false)] {
      #expect(PropertyMap(["k": text]).bool("k", default: !value) == value)
    }
    #expect(PropertyMap([:]).bool("k", default: true))
  }

  @Test("Numbers have no spaces and no suffixes", arguments: ["", " 5", "5 ", "5s", "0x5", "5.0", "99999999999999999999"])
  func badNumbers(text: String) {
    let error = #expect(throws: PropertyError.self) { try PropertyMap(["k": text]).integer("k", default: 1, in: 0...10) }
    #expect(error?.message == "k: For input string: \"\(text)\"")
  }

  @Test("Prefixed keys keep the rest of their names verbatim")
  func prefixed() {
    let map = PropertyMap(["s3.access-points.My.Bucket": "arn", "s3.access-points": "x", "other": "y"])
    #expect(map.prefixed("s3.access-points.") == ["My.Bucket": "arn"])
  }

  @Test(
    "Bad values are refused with Iceberg's sentence",
    arguments: [
      (["s3.access-key-id": "a"], "S3 client access key ID and secret access key must be set at the same time"),
      (["s3.secret-access-key": "a"], "S3 client access key ID and secret access key must be set at the same time"),
      (["s3.sse.type": "custom"], "Cannot initialize SSE-C S3FileIO with null encryption key"),
      (["s3.sse.type": "custom", "s3.sse.key": "k"], "Cannot initialize SSE-C S3FileIO with null encryption key MD5"),
      (["s3.sse.type": "rot13"], "Cannot support given S3 encryption type: rot13"),
      (["s3.retry.num-retries": "many"], "s3.retry.num-retries: For input string: \"many\""),
      (["s3.connect-timeout": "soon"], "s3.connect-timeout: For input string: \"soon\""),
    ])
  func badS3(properties: [String: String], message: String) {
    let error = #expect(throws: PropertyError.self) { try S3FileIOProperties(properties) }
    #expect(error?.message == message)
  }

  @Test("Defaults are Iceberg's")
  func defaults() throws {
    let files = try S3FileIOProperties([:])
    #expect(files.retries == 5)
    #expect(files.retryMinWait == .seconds(2))
    #expect(files.retryMaxWait == .seconds(20))
    #expect(files.isPathStyleAccess == nil)
    #expect(!files.isCrossRegionAccessEnabled && files.isUseArnRegionEnabled == nil)
    #expect(files.encryptionHeaders.isEmpty)
    let aws = try AwsProperties([:])
    #expect(aws.dynamoDBTableName == "iceberg")
    #expect(aws.warehouse == nil && aws.glueCatalogID == nil)
    #expect(try HttpClientProperties([:]).transport == CurlTransportConfiguration())
  }

  @Test(
    "A warehouse loses its trailing slashes but never those of its scheme",
    arguments: [("s3://b/w", "s3://b/w"), ("s3://b/w///", "s3://b/w"), ("s3://", "s3://"), ("s3:///", "s3://"), ("/", "")])
  func warehouse(text: String, expected: String) {
    #expect(AwsProperties.withoutTrailingSlashes(text) == expected)
  }

  @Test("Timeouts count only for the type of client that they name")
  func httpClient() throws {
    let both = ["http-client.apache.socket-timeout-ms": "1000", "http-client.urlconnection.socket-timeout-ms": "2000"]
    #expect(try HttpClientProperties(both).transport.socketTimeout == .seconds(1))
    #expect(try HttpClientProperties(both.merging(["http-client.type": "urlconnection"]) { $1 }).transport.socketTimeout == .seconds(2))
    let error = #expect(throws: PropertyError.self) { try HttpClientProperties(["http-client.type": "netty"]) }
    #expect(error?.message == "Unrecognized HTTP client type netty")
  }

  @Test("A proxy of the properties wins, and the environment's can be switched off")
  func proxy() throws {
    let off = "http-client.proxy-use-environment-variable-values"
    #expect(try HttpClientProperties([:]).transport.proxy == .environment)
    #expect(try HttpClientProperties([off: "false"]).transport.proxy == .none)
    #expect(
      try HttpClientProperties([off: "false", "http-client.proxy-endpoint": "http://p:1"]).transport.proxy == .endpoint("http://p:1"))
    let files = try S3FileIOProperties(["s3.proxy-uri": "http://q:2", "s3.connect-timeout": "1.5"])
    let s3 = try HttpClientProperties([:]).transport(forS3: files)
    #expect(s3.proxy == .endpoint("http://q:2"))
    #expect(s3.connectTimeout == .milliseconds(1500))
  }

  @Test("A class of credentials that does not exist is refused with Java's sentence")
  func credentialsProvider() {
    let key = "client.credentials-provider"
    let unknown = #expect(throws: PropertyError.self) { try AwsClientProperties([key: "com.example.Keys"]) }
    #expect(unknown?.message == "Cannot load class com.example.Keys, it does not exist in the classpath")
  }

  @Test("Secrets of properties never print")
  func secrets() throws {
    let properties = try S3FileIOProperties(["s3.access-key-id": "AKID", "s3.secret-access-key": "hush", "s3.session-token": "quiet"])
    let text = "\(properties) \(String(reflecting: properties))"
    #expect(!text.contains("hush") && !text.contains("quiet"))
  }
}
