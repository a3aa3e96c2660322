// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import WireFormats

/// `bergfs check` of set-ups that are broken, each in one way: what it names, and the exit status of its kind.
@Suite("What check says of a broken set-up")
struct CheckTests {
  /// A way to break a set-up.
  struct Break: Sendable, CustomTestStringConvertible {
    let name: String
    let status: Int32
    /// The finding that fails, and words of it.
    let subject: String
    let words: [String]
    var metastore = Metastore.glue
    /// Whose keys are in the environment; nil for none.
    var user: String? = "user"
    var properties: [String: String?] = [:]
    var variables: [String: String] = [:]
    var config = ""

    var testDescription: String { name }
  }

  private static let breaks: [Break] = [
    Break(
      name: "no keys anywhere", status: 2, subject: "credentials",
      words: ["environment: none, AWS_ACCESS_KEY_ID is not set", "web identity: none"],
      user: nil),
    Break(
      name: "a secret that is not the key's", status: 2, subject: "identity", words: ["the secret key does not match access key"],
      variables: ["AWS_SECRET_ACCESS_KEY": "wrong"]),
    Break(
      name: "a key that nobody knows", status: 2, subject: "identity", words: ["does not know access key AKIA…NONE"],
      variables: ["AWS_ACCESS_KEY_ID": "AKIA00000000NONE"]),
    Break(
      name: "nobody logged in to IAM Identity Center", status: 2, subject: "credentials", words: ["run aws sso login --profile p"],
      user: nil,
      variables: ["AWS_PROFILE": "p"],
      config: "[profile p]\nsso_session=c\nsso_account_id=1\nsso_role_name=r\n[sso-session c]\nsso_start_url=u\nsso_region=eu-west-1\n"),
    Break(
      name: "profiles that lend their keys to each other", status: 2, subject: "credentials", words: ["`p` → `q` → `p` is a circle"],
      user: nil,
      variables: ["AWS_PROFILE": "p"],
      config: "[profile p]\nrole_arn=a\nsource_profile=q\n[profile q]\nrole_arn=b\nsource_profile=p\n"),
    Break(
      name: "no region", status: 1, subject: "properties", words: ["Unable to load region from any of the providers in the chain"],
      properties: ["client.region": nil as String?]),
    Break(
      name: "a role that does not trust the user", status: 4, subject: "credentials", words: ["not authorized to perform: sts:AssumeRole"],
      properties: [
        "client.factory": "org.apache.iceberg.aws.AssumeRoleAwsClientFactory", "client.assume-role.region": EmulatorWithSeed.region,
        "client.assume-role.arn": "arn:aws:iam::000000000000:role/no-such-role",
      ]),
    Break(
      name: "no right to list the catalog", status: 4, subject: "catalog", words: ["denied access", "glue:GetDatabases"], user: "nobody"),
    Break(name: "no right to list tables, nor the bucket", status: 4, subject: "table", words: ["glue:GetTables"], user: "lister"),
    Break(
      name: "a bucket that does not exist", status: 5, subject: "warehouse", words: ["the bucket 'no-such-bucket' does not exist"],
      properties: ["warehouse": "s3://no-such-bucket/w"]),
    Break(
      name: "a DynamoDB table that does not exist", status: 5, subject: "catalog", words: ["set dynamodb.table-name"], metastore: .dynamodb,
      properties: ["dynamodb.table-name": "no_such_table"]),
    Break(
      name: "a lock table that is none", status: 5, subject: "lock table", words: ["it is no lock table; set lock.table"],
      properties: ["lock-impl": "org.apache.iceberg.aws.dynamodb.DynamoDbLockManager", "lock.table": "iceberg"]),
    Break(
      name: "nobody listens", status: 3, subject: "catalog", words: ["127.0.0.1:1"],
      properties: ["glue.endpoint": "http://127.0.0.1:1", "glue.max-retries": "0"]),
    Break(
      name: "a name that does not resolve", status: 3, subject: "catalog", words: ["glue.invalid"],
      properties: ["glue.endpoint": "http://glue.invalid", "glue.max-retries": "0"]),
  ]

  @Test("Each broken set-up is named by what is wrong, with an exit status of its kind", arguments: breaks)
  func broken(setUp: Break) async throws {
    try await SecurityGateway.with { gateway in
      let report = try await Self.check(setUp, gateway)
      #expect(report.status == setUp.status, "\(report)")
      let document = try JSONDocument(parsing: report.output).root
      #expect(document["ok"]?.bool == false)
      let faults = document["findings"]?.elements.filter { $0["status"]?.string == "fault" } ?? []
      let first = try #require(faults.first, "\(report)")
      #expect(first["subject"]?.string == setUp.subject, "\(report)")
      let text = [first["text"]?.string ?? ""] + (first["details"]?.elements.compactMap(\.string) ?? [])
      for word in setUp.words { #expect(text.contains { $0.contains(word) }, "\(word) in \(report)") }
      #expect(!report.text.contains(gateway.user.secret))
    }
  }

  @Test("A web page in the catalog's place is known for one")
  func webPage() async throws {
    try await SecurityGateway.with { gateway in
      let setUp = Break(
        name: "", status: 6, subject: "catalog", words: [], properties: ["glue.endpoint": .some(gateway.endpoint + "/web-page")])
      let report = try await Self.check(setUp, gateway)
      #expect(report.status == 6 && report.text.contains("answered HTML, not the AWS API"), "\(report)")
    }
  }

  @Test(
    "A set-up that works: every link of the chain, whose keys they are, where the region comes from, the clock, and a table",
    arguments: Metastore.allCases)
  func good(metastore: Metastore) async throws {
    try await SecurityGateway.with { gateway in
      var setUp = Break(name: "", status: 0, subject: "", words: [], metastore: metastore, user: nil)
      setUp.properties = [
        "client.factory": "org.apache.iceberg.aws.AssumeRoleAwsClientFactory", "client.assume-role.region": EmulatorWithSeed.region,
        "client.assume-role.arn": gateway.roleARN,
      ]
      setUp.variables = gateway.userVariables
      let report = try await Self.check(setUp, gateway, asJSON: false)
      #expect(report.status == 0, "\(report)")
      for words in [
        "\(EmulatorWithSeed.region) from client.assume-role.region; endpoint \(gateway.endpoint) from s3.endpoint", "environment: AKIA…",
        "web identity: not asked", "instance metadata: not asked", "role \(gateway.roleARN)", ":assumed-role/bergfs-tests/iceberg-aws-",
        "clock        differs from the service's by ", "namespaces can be listed", "its metadata file of ", "can be listed",
      ] {
        #expect(report.text.contains(words), "\(words) in \(report)")
      }
      #expect(report.lines.allSatisfy { $0.hasPrefix("ok  ") || $0.hasPrefix("warn") || $0.hasPrefix("     ") })
    }
  }

  private static let lockProperties: [String: String?] = [
    "lock-impl": "org.apache.iceberg.aws.dynamodb.DynamoDbLockManager", "lock.table": "test_check_locks",
  ]

  @Test("--write tries what files and commits need, and nothing stays of it", arguments: Metastore.allCases)
  func writing(metastore: Metastore) async throws {
    try await SecurityGateway.with { gateway in
      let emulator = try await EmulatorWithSeed.shared()
      var setUp = Break(name: "", status: 0, subject: "", words: [], metastore: metastore, properties: Self.lockProperties)
      // The first commit makes the lock table; check does not.
      let without = try await Self.check(setUp, gateway, asJSON: false, options: ["--write"])
      #expect(without.status == 0 && !without.text.contains("a lock was taken"), "\(without)")
      setUp.properties["lock.table"] = "test_check_locks_\(metastore)"
      try await emulator.account(["lock-table", "test_check_locks_\(metastore)"])
      let report = try await Self.check(setUp, gateway, asJSON: false, options: ["--write"])
      #expect(report.status == 0, "\(report)")
      let update = metastore == .glue ? "Glue: UpdateTable may be used" : "DynamoDB: PutItem and UpdateItem may be used"
      for words in ["S3: a file was written to the warehouse and deleted again", update, "DynamoDB: a lock was taken and given back"] {
        #expect(report.text.contains("ok    writing      " + words), "\(words) in \(report)")
      }
      let (bucket, key) = EmulatorWithSeed.split(try emulator.warehouse(metastore))
      #expect(try await emulator.objects(in: bucket, below: key + "/.bergfs").isEmpty)
      #expect(try await emulator.account(["items", "test_check_locks_\(metastore)"]).elements.contains { _ in true } == false)
      let entries = try await emulator.account(["items", "iceberg"]).elements
      #expect(!entries.contains { $0["identifier"]?.string?.hasPrefix("bergfs-check") == true })
    }
  }

  @Test("--write names each action that those lack who may only read", arguments: Metastore.allCases)
  func readingOnly(metastore: Metastore) async throws {
    try await SecurityGateway.with { gateway in
      let emulator = try await EmulatorWithSeed.shared()
      try await emulator.account(["lock-table", "test_check_locks_\(metastore)"])
      var setUp = Break(name: "", status: 0, subject: "", words: [], metastore: metastore, user: "reader", properties: Self.lockProperties)
      setUp.properties["lock.table"] = "test_check_locks_\(metastore)"
      let reading = try await Self.check(setUp, gateway)
      #expect(reading.status == 0, "\(reading)")
      let writing = try await Self.check(setUp, gateway, options: ["--write"])
      #expect(writing.status == 4, "\(writing)")
      let faults = try JSONDocument(parsing: writing.output).root["findings"]?.elements.filter { $0["status"]?.string == "fault" } ?? []
      #expect(faults.map { $0["subject"]?.string } == ["writing", "writing", "writing"], "\(writing)")
      let texts = faults.compactMap { $0["text"]?.string }
      let actions = ["s3:DeleteObject", metastore == .glue ? "glue:UpdateTable" : "dynamodb:PutItem", "dynamodb:PutItem"]
      for (text, action) in zip(texts, actions) { #expect(text.contains(action), "\(action) in \(text)") }
    }
  }

  private static func check(
    _ setUp: Break, _ gateway: SecurityGateway, asJSON: Bool = true, options: [String] = []
  ) async throws -> ProcessResult {
    var settings = MountSettings(setUp.metastore, properties: gateway.properties)
    settings.properties.merge(setUp.properties) { $1 }
    let workspace = try await MountWorkspace(settings)
    mkdir(workspace.directory.file(".aws"), 0o700)
    try workspace.directory.write(setUp.config, to: ".aws/config")
    let keys = setUp.user.map { gateway.variables(of: $0) } ?? gateway.variables()
    let result = try await workspace.bergfs(
      ["check", "lake", "--config", workspace.configurationFile] + (asJSON ? ["--json"] : []) + options,
      environment: keys.merging(setUp.variables) { $1 }, within: .seconds(60))
    await workspace.directory.remove()
    return result
  }
}
