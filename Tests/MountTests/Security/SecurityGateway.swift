// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing
import WireFormats

/// `gateway.py`: verifies and records who signs, in front of the emulator, and stands in for what the emulator lacks.
final class SecurityGateway: Sendable {
  /// One request, as it was recorded.
  struct Record: Sendable, Hashable {
    let method: String
    let target: String
    /// `GetTable`, `AssumeRole`; empty for S3.
    let operation: String
    /// Whose key signed: `user`, `role`, `container`, …; nil for an unsigned request.
    let owner: String?
    /// Why the signature was refused.
    let problem: String?
    let body: String

    var isS3: Bool { operation.isEmpty && target.hasPrefix("/bergfs-") }
  }

  /// `http://127.0.0.1:PORT`
  let endpoint: String
  let roleARN: String
  /// Users of the emulator: `user` may do everything, `lister` list databases and nothing else, `nobody` nothing.
  private let users: [String: EmulatorWithSeed.Keys]
  private let process: RunningProcess

  /// - Parameter options: see `gateway.py --help`.
  static func with<Result: Sendable>(
    _ options: [String] = [], _ body: (SecurityGateway) async throws -> Result
  ) async throws -> Result {
    let emulator = try await EmulatorWithSeed.shared()
    let process = try Shell.start(
      ProjectFiles.clientsPython,
      [ProjectFiles.root + "/Tests/MountTests/Security/gateway.py", "--upstream", "\(emulator.port)", "--region", EmulatorWithSeed.region]
        + options,
      environment: [
        "SEED_ACCESS_KEY": emulator.owner.access, "SEED_SECRET_KEY": emulator.owner.secret, "PYTHONDONTWRITEBYTECODE": "1",
      ])
    guard await eventually(within: .seconds(60), { process.status != nil || process.output.contains(UInt8(ascii: "\n")) }),
      let line = process.output.split(separator: UInt8(ascii: "\n")).first, process.status == nil
    else { throw HarnessError("no gateway: \(String(decoding: process.errors, as: UTF8.self))") }
    let first = try JSONDocument(parsing: Array(line)).root
    var users: [String: EmulatorWithSeed.Keys] = [:]
    guard let list = first["users"] else { throw HarnessError("the gateway has no users") }
    for (name, keys) in list.members {
      users[name] = EmulatorWithSeed.Keys(access: try keys.text("access"), secret: try keys.text("secret"))
    }
    let gateway = SecurityGateway(process, port: try first.integer("port"), role: try first.text("role"), users: users)
    do {
      let result = try await body(gateway)
      await gateway.end()
      return result
    } catch {
      Issue.record("the gateway's errors: \(String(decoding: process.errors, as: UTF8.self).suffix(3000))")
      await gateway.end()
      throw error
    }
  }

  private init(_ process: RunningProcess, port: Int64, role: String, users: [String: EmulatorWithSeed.Keys]) {
    self.process = process
    self.users = users
    endpoint = "http://127.0.0.1:\(port)"
    roleARN = role
  }

  private func end() async {
    process.closeInput()
    _ = await process.finished(within: .seconds(600))
  }

  /// What came so far.
  func records() throws -> [Record] {
    let lines = process.output.split(separator: UInt8(ascii: "\n")).dropFirst()
    return try lines.map { line in
      let node = try JSONDocument(parsing: Array(line)).root
      return Record(
        method: try node.text("method"), target: try node.text("target"), operation: try node.text("operation"),
        owner: node["owner"]?.string,
        problem: node["problem"]?.string, body: try node.text("body"))
    }
  }

  /// Properties of a catalog whose services are all behind the gateway, and no keys in them.
  var properties: [String: String?] {
    [
      "client.access-key-id": nil, "client.secret-access-key": nil, "glue.endpoint": endpoint, "s3.endpoint": endpoint,
      "dynamodb.endpoint": endpoint,
    ]
  }

  var user: EmulatorWithSeed.Keys { users["user"] ?? EmulatorWithSeed.Keys(access: "", secret: "") }

  /// The user's keys in the environment.
  var userVariables: [String: String] { variables(of: "user") }

  /// The keys of one of the users in the environment.
  func variables(of name: String) -> [String: String] {
    guard let keys = users[name] else { return variables() }
    return variables(["AWS_ACCESS_KEY_ID": keys.access, "AWS_SECRET_ACCESS_KEY": keys.secret])
  }

  /// STS, Lake Formation and IAM Identity Center are behind it too; keys are looked for nowhere else.
  func variables(_ more: [String: String] = [:]) -> [String: String] {
    [
      "AWS_ENDPOINT_URL_STS": endpoint, "AWS_ENDPOINT_URL_LAKEFORMATION": endpoint, "AWS_ENDPOINT_URL_SSO": endpoint,
      "AWS_ENDPOINT_URL_SSO_OIDC": endpoint, "AWS_EC2_METADATA_DISABLED": "true",
    ].merging(more) { $1 }
  }
}
