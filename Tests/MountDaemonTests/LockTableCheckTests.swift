// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Configuration
import Iceberg
import Logging
import Telemetry
import Testing

@testable import AWSServices
@testable import MountDaemon

@Suite("What check says of locks, processes and conditions")
struct LockTableCheckTests {
  private func table(_ status: String, key: [String] = ["entityId"]) -> DynamoDBTable {
    DynamoDBTable(name: "locks", status: status, globalIndexes: [], keyAttributes: key)
  }

  private func finding(_ properties: [String: String]) async throws -> CheckFinding {
    let given = ["type": "glue", "client.region": "eu-west-1"].merging(properties) { $1 }
    var inputs = ConfigurationInputs(environment: [:], homeDirectory: nil, workingDirectory: "/no/such/directory")
    inputs.properties = given.map { "\($0.key)=\($0.value)" }
    let assembly = try await CatalogAssembly(
      try CatalogConfiguration.load("lake", from: inputs), metrics: Metrics(),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return await LockTableCheck(assembly: assembly).finding()
  }

  @Test("Without lock-impl, with locks in memory, and with a table that is not named, nothing is asked")
  func noTable() async throws {
    let none = try await finding([:])
    #expect(
      none.line == "ok    lock table   none: lock-impl is not set, so the catalog's conditional writes alone keep writers apart")
    let memory = try await finding(["lock-impl": "org.apache.iceberg.util.LockManagers$InMemoryLockManager"])
    #expect(memory.isGood && memory.text == "in memory: locks out other writers of the same process only")
    let unnamed = try await finding(["lock-impl": "org.apache.iceberg.aws.dynamodb.DynamoDbLockManager"])
    #expect(!unnamed.isGood && unnamed.text == "DynamoDB lock table name must not be null: set lock.table")
  }

  @Test("A server that does not keep conditions, or may not, is a warning; S3 itself is not asked")
  func conditions() {
    #expect(CatalogCheck.conditions(nil).line == "ok    conditions   S3 keeps two writers of one file name apart")
    #expect(CatalogCheck.conditions(.kept).line.hasPrefix("ok    "))
    for found in [ConditionalWrites.ignored, .refused] {
      #expect(CatalogCheck.conditions(found).line == "warn  conditions   \(CatalogCheck.noConditions)")
    }
    let unknown = CatalogCheck.conditions(.unknown(FileIOError(code: .denied, message: "no right to delete")))
    #expect(unknown.verdict == .warning && unknown.text.hasSuffix(": no right to delete"))
  }

  @Test("A table that is active is good, one being made is a warning, others are not usable")
  func states() {
    #expect(LockTableCheck.finding("locks", table("ACTIVE")).line == "ok    lock table   DynamoDB table 'locks' is ACTIVE")
    #expect(LockTableCheck.finding("locks", table("UPDATING")).line.hasPrefix("ok    "))
    #expect(
      LockTableCheck.finding("locks", table("CREATING")).line
        == "warn  lock table   DynamoDB table 'locks' is being made: the first commit waits for it")
    for status in ["DELETING", "ARCHIVED"] { #expect(LockTableCheck.finding("locks", table(status)).line.hasPrefix("FAIL  lock table")) }
  }

  @Test("A table with another key is no lock table", arguments: [["id"], [], ["entityId", "owner"], ["namespace", "identifier"]])
  func key(attributes: [String]) {
    let finding = LockTableCheck.finding("locks", table("ACTIVE", key: attributes))
    #expect(!finding.isGood && finding.text.contains("(\(attributes.joined(separator: ", "))) instead of (entityId)"))
  }

  @Test("An absent table will be created; a refusal names the permissions; anything else is shown")
  func errors() {
    func finding(_ kind: AWSError.Kind, _ code: String) -> CheckFinding {
      LockTableCheck.finding("locks", AWSError(kind: kind, code: code, message: "no", operation: "DynamoDB.DescribeTable"))
    }
    #expect(
      finding(.notFound, "ResourceNotFoundException").line
        == "warn  lock table   DynamoDB table 'locks' does not exist: the first commit creates it, if dynamodb:CreateTable is allowed")
    let denied = finding(.accessDenied, "AccessDeniedException")
    #expect(!denied.isGood && denied.text.contains("allow dynamodb:DescribeTable, GetItem, PutItem and DeleteItem"))
    #expect(finding(.network, "reset").line == "FAIL  lock table   the DynamoDB table 'locks' cannot be looked at: no")
  }

  @Test("Hidden processes are a warning that says what then publishes")
  func processes() {
    #expect(CatalogCheck.processes(areVisible: true).line == "ok    processes    /proc shows who writes")
    let hidden = CatalogCheck.processes(areVisible: false)
    #expect(hidden.isGood && hidden.line.hasPrefix("warn  processes    /proc hides other users' processes (hidepid): "))
  }
}
