// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Iceberg
import IcebergAWS
import Logging
import Synchronization
import Telemetry
import Testing
import WireFormats

@Suite("Factories with roles")
struct RoleFactoryTests {
  private static let role = [
    "type": "glue", "client.factory": "org.apache.iceberg.aws.AssumeRoleAwsClientFactory",
    "client.assume-role.arn": "arn:aws:iam::1:role/r",
    "client.assume-role.region": "eu-west-3", "client.assume-role.external-id": "ext", "client.assume-role.timeout-sec": "900",
    "client.assume-role.session-name": "me", "client.assume-role.tags.b": "2", "client.assume-role.tags.A": "1",
    "client.region": "us-east-1", "s3.access-key-id": "UNUSED", "s3.secret-access-key": "x",
  ]
  private static let lakeFormation = [
    "glue.lakeformation-enabled": "true", "client.factory": "", "glue.account-id": "42",
    "client.assume-role.tags.LakeFormationAuthorizedCaller": "emr",
  ]
  /// Lake Formation's factory where the catalog does not say that it is enabled.
  private static let byName = [
    "glue.lakeformation-enabled": "false", "client.factory": "org.apache.iceberg.aws.lakeformation.LakeFormationAwsClientFactory",
  ]

  @Test("All clients sign with the role's keys in the role's region; STS is asked there with the standard chain's keys")
  func assumeRole() async throws {
    let account = FakeAccount()
    let factory = try account.factory(Self.role)
    _ = try? await factory.s3().headObject(bucket: "b", key: "k")
    _ = try? await factory.glue().getDatabases(nextToken: nil)
    _ = try? await factory.dynamo().describeTable("t")
    _ = try? await factory.sts(for: .glue).getCallerIdentity()
    #expect(
      account.signers == [
        "sts.eu-west-3.amazonaws.com AssumeRole AKIAENV/eu-west-3", "s3.eu-west-3.amazonaws.com HEAD ROLE1/eu-west-3",
        "glue.eu-west-3.amazonaws.com GetDatabases ROLE1/eu-west-3", "dynamodb.eu-west-3.amazonaws.com DescribeTable ROLE1/eu-west-3",
        "sts.eu-west-3.amazonaws.com GetCallerIdentity ROLE1/eu-west-3",
      ])
    #expect(
      account.forms[0] == [
        "Action=AssumeRole", "Version=2011-06-15", "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr", "RoleSessionName=me", "DurationSeconds=900",
        "ExternalId=ext", "Tags.member.1.Key=A", "Tags.member.1.Value=1", "Tags.member.2.Key=b", "Tags.member.2.Value=2",
      ])
  }

  @Test("Without a session name each factory draws one; an hour is asked for")
  func defaults() async throws {
    var names: Set<String> = []
    for _ in 0..<2 {
      let account = FakeAccount()
      var properties = Self.role
      for key in ["session-name", "timeout-sec", "external-id"] { properties["client.assume-role.\(key)"] = nil }
      _ = try await account.factory(properties).credentials(for: .s3).credentials()
      let form = account.forms[0]
      #expect(form.contains("DurationSeconds=3600") && !form.contains { $0.hasPrefix("ExternalId") })
      let name = try #require(form.first { $0.hasPrefix("RoleSessionName=iceberg-aws-") })
      #expect(name.count == "RoleSessionName=iceberg-aws-".count + 36)
      names.insert(name)
    }
    #expect(names.count == 2)
  }

  @Test("glue.endpoint counts with a role too")
  func endpoints() async throws {
    let account = FakeAccount()
    let endpoints = ["glue.endpoint": "http://127.0.0.1:1", "dynamodb.endpoint": "http://127.0.0.1:2", "s3.endpoint": "http://127.0.0.1:3"]
    let factory = try account.factory(Self.role.merging(endpoints) { $1 })
    _ = try? await factory.glue().getDatabases(nextToken: nil)
    _ = try? await factory.dynamo().describeTable("t")
    _ = try? await factory.s3().headObject(bucket: "b", key: "k")
    #expect(account.hosts.suffix(3) == ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"])
  }

  @Test(
    "What is missing for a role, or does not fit, is told in Java's words",
    arguments: [
      (["client.assume-role.arn": ""], "Cannot initialize AssumeRoleClientConfigFactory with null role ARN"),
      (["client.assume-role.region": ""], "Cannot initialize AssumeRoleClientConfigFactory with null region"),
      (["client.assume-role.timeout-sec": "soon"], "client.assume-role.timeout-sec: For input string: \"soon\""),
      (
        lakeFormation.filter { !$0.key.hasSuffix("AuthorizedCaller") },
        "STS assume role session tag LakeFormationAuthorizedCaller must be set using client.assume-role.tags. to use LakeFormation client factory"
      ),
      (
        lakeFormation.merging(["client.factory": "org.apache.iceberg.aws.AssumeRoleAwsClientFactory"]) { $1 },
        "Detected LakeFormation enabled for Glue catalog, should use a client factory that extends "
          + "org.apache.iceberg.aws.lakeformation.LakeFormationAwsClientFactory, but found org.apache.iceberg.aws.AssumeRoleAwsClientFactory"
      ),
      (lakeFormation.merging(byName) { $1 }, "Database name can not be empty"),
      (lakeFormation.merging(byName) { $1 }.merging(["lakeformation.db-name": "d"]) { $1 }, "Table name can not be empty"),
    ] as [([String: String], String)])
  func refused(changes: [String: String], message: String) {
    let error = #expect(throws: PropertyError.self) { _ = try FakeAccount().factory(Self.role.merging(changes) { $1 }) }
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
  }

  @Test("PyIceberg's role for S3 is assumed for S3 alone, with S3's own keys")
  func pyIcebergRole() async throws {
    for key in ["client.role-arn", "s3.role-arn"] {
      let account = FakeAccount()
      let factory = try account.factory([
        "type": "glue", "client.region": "eu-west-1", key: "arn:aws:iam::1:role/py", "client.role-session-name": "py",
        "s3.access-key-id": "AKIAS3", "s3.secret-access-key": "s",
      ])
      _ = try? await factory.s3().headObject(bucket: "b", key: "k")
      _ = try? await factory.glue().getDatabases(nextToken: nil)
      #expect(
        account.signers == [
          "sts.ap-south-1.amazonaws.com AssumeRole AKIAS3/ap-south-1", "s3.eu-west-1.amazonaws.com HEAD ROLE1/eu-west-1",
          "glue.eu-west-1.amazonaws.com GetDatabases AKIAENV/eu-west-1",
        ])
      #expect(account.forms[0].contains("RoleSessionName=py"))
    }
  }

  // MARK: Lake Formation

  @Test("Files of a registered table are read with keys that Lake Formation gives for it, asked for once; the catalog with the role's")
  func registered() async throws {
    let account = FakeAccount()
    let factory = try account.factory(Self.role.merging(Self.lakeFormation) { $1 })
    let table = TableIdentifier(namespace: Namespace(["sales"]), name: "orders")
    for _ in 0..<3 { _ = try? await factory.s3(of: table)?.headObject(bucket: "b", key: "k") }
    #expect(
      account.signers == [
        "sts.eu-west-3.amazonaws.com AssumeRole AKIAENV/eu-west-3", "glue.eu-west-3.amazonaws.com GetTable ROLE1/eu-west-3",
        "lakeformation.eu-west-3.amazonaws.com POST ROLE1/eu-west-3",
      ] + Array(repeating: "s3.eu-west-3.amazonaws.com HEAD LF1/eu-west-3", count: 3))
    #expect(
      account.bodies.first { $0.contains("TableArn") }
        == #"{"TableArn":"arn:aws:glue:eu-west-3:42:table/sales/orders","SupportedPermissionTypes":["COLUMN_PERMISSION"]}"#)
    #expect(account.targets.contains("/GetTemporaryGlueTableCredentials"))
  }

  @Test("Each table has keys of its own; one that is not registered is read with the role's")
  func tables() async throws {
    let account = FakeAccount()
    let factory = try account.factory(Self.role.merging(Self.lakeFormation) { $1 })
    for name in ["orders", "plain", "returns"] {
      let table = TableIdentifier(namespace: Namespace(["sales"]), name: name)
      _ = try? await factory.s3(of: table)?.headObject(bucket: "b", key: name)
    }
    let keys = account.signers.filter { $0.contains("HEAD") }.compactMap { $0.split(separator: " ").last }
    #expect(keys == ["LF1/eu-west-3", "ROLE1/eu-west-3", "LF2/eu-west-3"])
    #expect(try factory.s3(of: TableIdentifier(namespace: .root, name: "")) == nil)
  }

  @Test("What Lake Formation refuses is told with what to do")
  func denied() async throws {
    let account = FakeAccount()
    let factory = try account.factory(Self.role.merging(Self.lakeFormation) { $1 })
    for (name, words) in [("secret", "Lake Formation needs a grant on sales.secret"), ("missing", "commit its first metadata file before")]
    {
      let client = try #require(try factory.s3(of: TableIdentifier(namespace: Namespace(["sales"]), name: name)))
      let error = await #expect(throws: AWSError.self) { _ = try await client.headObject(bucket: "b", key: "k") }
      #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
  }

  @Test("The table that properties name is used where the catalog names none")
  func fixedTable() async throws {
    let account = FakeAccount()
    let factory = try account.factory(
      Self.role.merging(Self.lakeFormation) { $1 }.merging(Self.byName) { $1 }.merging([
        "lakeformation.db-name": "sales", "lakeformation.table-name": "orders",
      ]) { $1 })
    _ = try? await factory.s3(of: TableIdentifier(namespace: Namespace(["x"]), name: "y"))?.headObject(bucket: "b", key: "k")
    #expect(account.signers.last?.hasSuffix("LF1/eu-west-3") == true)
  }

  @Test("Keys are asked for anew when they are to be forgotten")
  func forgetting() async throws {
    let account = FakeAccount()
    let factory = try account.factory(Self.role)
    let provider = try factory.credentials(for: .glue)
    #expect(try await provider.credentials()?.accessKeyID == "ROLE1")
    factory.forgetCredentials()
    #expect(try await provider.credentials()?.accessKeyID == "ROLE2")
    #expect(try factory.credentials(for: .s3).latest?.accessKeyID == "ROLE2")
  }
}

/// STS, Glue and Lake Formation as far as keys go: who signed what is kept. Tables `orders` and `returns` are registered, `plain` is not,
/// `secret` is without a grant, and `missing` is not there.
private final class FakeAccount: HTTPTransport {
  private struct State {
    var requests: [HTTPRequest] = []
    var roles = 0
    var tables = 0
  }

  private let state = Mutex(State())

  var requests: [HTTPRequest] { state.withLock { $0.requests } }
  var hosts: [String] { requests.map(\.endpoint.authority) }
  var targets: [String] { requests.map(\.target) }
  var bodies: [String] { requests.map { String(decoding: $0.body, as: UTF8.self) } }
  var forms: [[String]] { bodies.filter { $0.hasPrefix("Action=") }.map { $0.split(separator: "&").map(String.init) } }

  /// Host, what was asked, key and region.
  var signers: [String] {
    requests.map { request in
      let authorization = request.headers.first { $0.name == "Authorization" }?.value ?? "-"
      let scope = authorization.split(separator: "Credential=").last?.split(separator: "/").prefix(3).map(String.init) ?? []
      return "\(request.endpoint.host) \(Self.action(request)) \(scope.first ?? "-")/\(scope.last ?? "-")"
    }
  }

  func factory(_ properties: [String: String]) throws(PropertyError) -> any AwsClientFactory {
    try CatalogLoader.clientFactory(
      properties: properties, variables: ["AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "ap-south-1"],
      transport: { _ throws(HTTPError) in self }, metrics: Metrics(), logger: Logger(label: "test"))
  }

  func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse {
    let body = String(decoding: request.body, as: UTF8.self)
    let (role, table) = state.withLock { state in
      state.requests.append(request)
      if body.contains("Action=AssumeRole") { state.roles += 1 }
      if body.contains("TableArn"), !body.contains("secret") { state.tables += 1 }
      return (state.roles, state.tables)
    }
    switch Self.action(request) {
    case "AssumeRole":
      return answer(
        200,
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE\(role)</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
          + "<SessionToken>t</SessionToken><Expiration>2200-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
      )
    case "GetTable":
      if body.contains("missing") { return answer(400, #"{"__type":"EntityNotFoundException"}"#) }
      return answer(200, #"{"Table":{"Name":"t","IsRegisteredWithLakeFormation":\#(!body.contains("plain"))}}"#)
    case "POST":
      if body.contains("secret") { return answer(403, #"{"__type":"AccessDeniedException","Message":"no"}"#) }
      return answer(200, #"{"AccessKeyId":"LF\#(table)","SecretAccessKey":"s","SessionToken":"t","Expiration":7258118400.5}"#)
    default: return answer(403, "")
    }
  }

  private func answer(_ status: Int, _ body: String) -> HTTPResponse { HTTPResponse(status: status, headers: [], body: Array(body.utf8)) }

  private static func action(_ request: HTTPRequest) -> String {
    if let target = request.headers.first(where: { $0.name == "X-Amz-Target" }) {
      return String(target.value.split(separator: ".").last ?? "")
    }
    let body = String(decoding: request.body, as: UTF8.self)
    if body.hasPrefix("Action=") { return String(body.dropFirst(7).prefix { $0 != "&" }) }
    return request.method
  }
}
