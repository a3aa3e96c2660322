// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import TestSupport
import Testing
import WireFormats

/// Mounts through each model of AWS, on the same seeded tables: the same bytes, and requests that prove whose keys signed.
@Suite("Whose keys a mount signs with")
struct SecurityModelTests {
  private static let role = [
    "client.factory": "org.apache.iceberg.aws.AssumeRoleAwsClientFactory", "client.assume-role.region": EmulatorWithSeed.region,
    "client.assume-role.session-name": "bergfs-session", "client.assume-role.tags.LakeFormationAuthorizedCaller": "emr",
  ]

  @Test(
    "Through AssumeRole: STS is asked with the user's keys, everything else with the role's, and the bytes are the same",
    arguments: Metastore.allCases)
  func assumeRole(metastore: Metastore) async throws {
    try await SecurityGateway.with { gateway in
      var properties = gateway.properties
      properties.merge(Self.role) { $1 }
      properties["client.assume-role.arn"] = gateway.roleARN
      try await Self.mounted(metastore, properties, gateway.userVariables) { lake in
        try await Self.expectSameBytes(lake)
        let records = try gateway.records()
        #expect(records.allSatisfy { $0.problem == nil })
        #expect(records.filter { $0.operation == "AssumeRole" }.map(\.owner) == ["user"])
        #expect(Set(records.filter { $0.operation != "AssumeRole" }.map(\.owner)) == ["role"])
        #expect(records.contains { $0.isS3 } && records.contains { !$0.operation.isEmpty && $0.operation != "AssumeRole" })
        let asked = try #require(records.first { $0.operation == "AssumeRole" }?.body)
        #expect(asked.contains("RoleSessionName=bergfs-session") && asked.contains("Tags.member.1.Value=emr"))
        let status = try await lake.shell("cat $M/.bergfs/status.json")
        #expect(status.text.contains("role \(gateway.roleARN)"))
      }
    }
  }

  @Test("Through Lake Formation: each table's files with keys of its own, the catalog with the role's, and the bytes are the same")
  func lakeFormation() async throws {
    try await SecurityGateway.with { gateway in
      try await Self.mounted(.glue, Self.lakeFormation(gateway), gateway.userVariables) { lake in
        try await Self.expectSameBytes(lake)
        let records = try gateway.records()
        #expect(records.allSatisfy { $0.problem == nil })
        #expect(Set(records.filter(\.isS3).map(\.owner)) == ["lake-formation:sales/orders"])
        #expect(Set(records.filter { $0.operation.hasPrefix("Get") }.map(\.owner)) == ["role"])
        #expect(records.count { $0.target == "/GetTemporaryGlueTableCredentials" } == 1)
      }
    }
  }

  @Test("Under Lake Formation a new table gets its entry before its first file, and loses it again when the commit is refused")
  func lakeFormationCreates() async throws {
    try await SecurityGateway.with { gateway in
      let emulator = try await EmulatorWithSeed.withoutSeed()
      let table = try await emulator.createTable("test_lake_formation.existing", in: .glue)
      var settings = MountSettings(.glue, properties: Self.lakeFormation(gateway))
      settings.mayWrite = true
      settings.isWithoutSeed = true
      settings.properties["client.assume-role.region"] = EmulatorWithSeed.emptyRegion
      settings.environment = gateway.userVariables
      try await MountedCatalog.with(settings) { lake in
        let script = """
          set -e
          cd "$M/test_lake_formation"
          mkdir made
          location=$(cat made/.iceberg/location.txt)
          jq --arg l "$location" '.location=$l | ."table-uuid"="9c12d441-03fe-4693-9a96-a0705ddf69c1" | .snapshots=[] | .refs={}
            | ."snapshot-log"=[] | ."metadata-log"=[] | ."current-snapshot-id"=-1 | del(.statistics) | ."last-sequence-number"=0' \
            existing/metadata/current.metadata.json > "$T/first.json"
          ls made/metadata made/data | wc -l
          cp "$T/first.json" made/data/too-early 2>&1 | grep -c 'Permission denied'
          cp "$T/first.json" made/metadata/00000-9c12d441-03fe-4693-9a96-a0705ddf69c2.metadata.json
          cat made/metadata/current.metadata.json | cmp - "$T/first.json"
          echo hello > made/data/after.txt
          cat made/data/after.txt
          """
        let result = try await lake.shell(script).succeeded()
        #expect(result.lines.last == "hello" && result.lines.dropLast().last == "1", "\(result)")
        #expect(
          try await lake.shell("tail -1 $M/.bergfs/errors.jsonl").text.contains("commit its first metadata file before data is written"))
        let records = try gateway.records()
        let create = try #require(records.firstIndex { $0.operation == "CreateTable" })
        let put = try #require(records.firstIndex { $0.method == "PUT" && $0.target.contains("9c12d441-03fe-4693-9a96-a0705ddf69c2") })
        let update = try #require(records.firstIndex { $0.operation == "UpdateTable" })
        #expect(create < put && put < update)
        #expect(records[create].body.contains(#""Parameters":{"table_type":"iceberg"}"#))
        #expect(records[put].owner == "lake-formation:test_lake_formation/made")
        #expect(
          records.filter { $0.method == "PUT" && $0.target.contains("after.txt") }.map(\.owner) == [
            "lake-formation:test_lake_formation/made"
          ])
        #expect(records.allSatisfy { $0.problem == nil })
      }
      _ = table
    }
  }

  @Test(
    "Each source of keys of the standard chain",
    arguments: ["web-identity", "container", "instance", "sso", "process", "role", "user"])
  func source(owner: String) async throws {
    try await SecurityGateway.with { gateway in
      let home = try TemporaryDirectory()
      try home.write(Array("web-token\n".utf8), to: "web-token")
      try home.write(Array("container-token\n".utf8), to: "container-token")
      mkdir(home.file(".aws"), 0o700)
      mkdir(home.file(".aws/sso"), 0o700)
      mkdir(home.file(".aws/sso/cache"), 0o700)
      // SHA-1 of "corp".
      let name = try await Shell.bash("printf corp | sha1sum | cut -c1-40").trimmed
      try home.write(Array(#"{"accessToken":"valid-token","expiresAt":"2200-01-01T00:00:00Z"}"#.utf8), to: ".aws/sso/cache/\(name).json")
      let base = "[profile base]\naws_access_key_id=\(gateway.user.access)\naws_secret_access_key=\(gateway.user.secret)\n"
      let profiles = [
        "sso":
          "[profile p]\nsso_session=corp\nsso_account_id=1\nsso_role_name=r\n[sso-session corp]\nsso_start_url=u\nsso_region=eu-west-1\n",
        "process": "[profile p]\ncredential_process = curl -sS \"\(gateway.endpoint)/mint\"\n",
        "role": "[profile p]\nrole_arn=\(gateway.roleARN)\nsource_profile=base\n\(base)",
        "user": base.replacing("profile base", with: "profile p"),
      ]
      let variables: [String: [String: String]] = [
        "web-identity": ["AWS_WEB_IDENTITY_TOKEN_FILE": home.file("web-token"), "AWS_ROLE_ARN": gateway.roleARN],
        "container": [
          "AWS_CONTAINER_CREDENTIALS_FULL_URI": gateway.endpoint + "/container",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": home.file("container-token"),
        ],
        "instance": ["AWS_EC2_METADATA_SERVICE_ENDPOINT": gateway.endpoint, "AWS_EC2_METADATA_DISABLED": "false"],
      ]
      try home.write(Array((profiles[owner] ?? "").utf8), to: ".aws/config")
      var environment = gateway.variables(variables[owner] ?? ["AWS_PROFILE": "p"])
      environment["HOME"] = home.path
      environment["PATH"] = "/usr/bin:/bin"
      try await Self.mounted(.glue, gateway.properties, environment) { lake in
        try await lake.shell("cat $M/sales/orders/metadata/current.metadata.json | jq -e .location").succeeded()
        let records = try gateway.records()
        #expect(Set(records.filter { $0.isS3 || $0.operation == "GetDatabases" }.map(\.owner)) == [owner])
        #expect(records.allSatisfy { $0.problem == nil })
      }
      await home.remove()
    }
  }

  // MARK: what changes while a mount is open

  @Test("Keys that end during a long read and during a multipart upload are replaced: nothing fails")
  func rotation() async throws {
    // Said to hold for an hour, they end after four seconds: only the service knows.
    try await SecurityGateway.with(["--life", "4", "--claimed-life", "3600"]) { gateway in
      let table = try await EmulatorWithSeed.shared().createTable("test_rotation.t", in: .glue)
      let emulator = try await EmulatorWithSeed.shared()
      try await emulator.putObject("\(table.location)/data/long.bin", [UInt8](repeating: 7, count: 48 << 20))
      let variables = gateway.variables([
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": gateway.endpoint + "/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token",
      ])
      var properties = gateway.properties
      properties["s3.multipart.part-size-bytes"] = "5242880"
      try await Self.mounted(.glue, properties, variables, mayWrite: true, options: ["--memory-limit", "32M"]) { lake in
        let script = """
          set -e
          exec 3< "$M/test_rotation/t/data/long.bin"
          for i in 1 2 3 4 5 6; do head -c 8388608 <&3 | md5sum; sleep 1.5; done > "$T/read"
          (for i in 1 2 3 4 5 6; do head -c 6000000 /dev/zero; sleep 1.5; done) > "$M/test_rotation/t/data/upload.bin"
          sort -u "$T/read" | wc -l
          stat -c %s "$M/test_rotation/t/data/upload.bin"
          """
        let result = try await lake.shell(script, within: .seconds(120)).succeeded()
        #expect(result.lines == ["1", "36000000"], "\(result)")
        let records = try gateway.records()
        #expect(records.count { $0.target == "/container" } >= 4, "four seconds each, in eighteen")
        #expect(records.contains { $0.method == "POST" && $0.target.contains("uploadId=") })
        #expect(try await lake.shell("cat $M/.bergfs/errors.jsonl").text == "")
      }
    }
  }

  @Test("A session's keys are renewed ahead of their end, and an idle mount asks for none")
  func renewal() async throws {
    try await SecurityGateway.with { gateway in
      var properties = gateway.properties
      properties.merge(Self.role) { $1 }
      properties["client.assume-role.arn"] = gateway.roleARN
      properties["client.assume-role.timeout-sec"] = "8"
      try await Self.mounted(.glue, properties, gateway.userVariables, options: ["--metadata-ttl", "0"]) { lake in
        let result = try await lake.shell("for i in $(seq 1 40); do ls $M/sales/orders/metadata > /dev/null || exit 1; sleep 0.4; done")
          .succeeded()
        #expect(result.errorText == "")
        let records = try gateway.records()
        #expect(records.count { $0.operation == "AssumeRole" } >= 3)
        #expect(records.allSatisfy { $0.problem == nil })
        let metrics = try await lake.shell("grep -c ExpiredToken $M/.bergfs/errors.jsonl || true").trimmed
        #expect(metrics == "0")
      }
    }
  }

  @Test("SIGHUP makes a mount read its credential files again")
  func hangUp() async throws {
    try await SecurityGateway.with { gateway in
      let home = try TemporaryDirectory()
      mkdir(home.file(".aws"), 0o700)
      func profile(_ access: String, _ secret: String) -> [UInt8] {
        Array("[default]\naws_access_key_id=\(access)\naws_secret_access_key=\(secret)\n".utf8)
      }
      try home.write(profile(gateway.user.access, gateway.user.secret), to: ".aws/credentials")
      var environment = gateway.variables()
      environment["HOME"] = home.path
      try await Self.mounted(.glue, gateway.properties, environment, options: ["--metadata-ttl", "0"]) { lake in
        try await lake.shell("ls $M/sales").succeeded()
        try home.write(profile("AKIANOBODY", "x"), to: ".aws/credentials")
        try await lake.shell("ls $M/sales").succeeded()
        let daemon = try #require(lake.workspace.daemons.first)
        kill(daemon, SIGHUP)
        #expect(await eventually(within: .seconds(20)) { (try? await lake.shell("ls $M/sales"))?.status != 0 })
        try home.write(profile(gateway.user.access, gateway.user.secret), to: ".aws/credentials")
        kill(daemon, SIGHUP)
        #expect(await eventually(within: .seconds(20)) { (try? await lake.shell("ls $M/sales"))?.status == 0 })
      }
      await home.remove()
    }
  }

  @Test("A clock that is 20 minutes wrong: requests are signed with the service's time", arguments: [1200, -1200])
  func skew(seconds: Int) async throws {
    try await SecurityGateway.with(["--skew", "\(seconds)"]) { gateway in
      try await Self.mounted(.glue, gateway.properties, gateway.userVariables) { lake in
        try await Self.expectSameBytes(lake)
        let refused = try gateway.records().filter { $0.problem != nil }
        #expect(
          !refused.isEmpty && refused.count <= 10, "each client is told once, or a few times where it sends at once: \(refused.count)")
        let check = try await lake.workspace.bergfs(
          ["check", "lake", "--config", lake.workspace.configurationFile], environment: gateway.userVariables)
        // `Date` has whole seconds, and the answer takes a moment.
        let told = (abs(seconds) - 3...abs(seconds) + 3).contains { check.text.contains("this machine's clock is \($0) s") }
        #expect(told, "\(check)")
        #expect(check.status == 0, "\(check)")
      }
    }
  }

  // MARK: parts

  private static func lakeFormation(_ gateway: SecurityGateway) -> [String: String?] {
    var properties = gateway.properties
    properties.merge(role) { $1 }
    properties["client.factory"] = .some(nil)
    properties["client.assume-role.arn"] = gateway.roleARN
    properties["glue.lakeformation-enabled"] = "true"
    properties["glue.account-id"] = "000000000000"
    return properties
  }

  private static func mounted(
    _ metastore: Metastore, _ properties: [String: String?], _ environment: [String: String], mayWrite: Bool = false,
    options: [String] = [],
    _ body: (MountedCatalog) async throws -> Void
  ) async throws {
    var settings = MountSettings(metastore, options: options, properties: properties)
    settings.mayWrite = mayWrite
    settings.environment = environment
    try await MountedCatalog.with(settings, body)
  }

  /// Every file of one seeded table, whole.
  private static func expectSameBytes(_ lake: MountedCatalog) async throws {
    let location = try lake.seed.table("sales.orders").location
    let (objects, prefix) = lake.emulator.seededObjects(at: location)
    #expect(objects.count > 5, "\(location)")
    let result = try await lake.shell(
      "cd $M/sales/orders && find . -type f ! -name '*version-hint*' -print0 | sort -z | xargs -0 sha256sum"
    ).succeeded()
    let wanted = objects.map { "\($0.sha256)  ./\(String(decoding: $0.key.dropFirst(prefix), as: UTF8.self))" }.sorted {
      $0.dropFirst(64) < $1.dropFirst(64)
    }
    #expect(result.lines.sorted { $0.dropFirst(64) < $1.dropFirst(64) } == wanted)
  }
}
