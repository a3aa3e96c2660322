// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import HTTP
import Telemetry
import Testing
import WireFormats

@testable import AWSCore

@Suite("Keys from IAM Identity Center and from programs")
struct SSOAndProcessTests {
  private static let keys =
    #"{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"s","sessionToken":"t","expiration":1440941760000}}"#

  private static let config = """
    [profile p]
    sso_session = corp
    sso_account_id = 123456789012
    sso_role_name = Reader
    [sso-session corp]
    sso_start_url = https://corp.awsapps.com/start
    sso_region = eu-north-1
    [profile legacy]
    sso_start_url = https://corp.awsapps.com/start
    sso_region = eu-north-1
    sso_account_id = 123456789012
    sso_role_name = Reader
    """

  private func path(_ name: String) -> String { "/home/u/.aws/sso/cache/\(SHA1.hexDigest(Array(name.utf8))).json" }

  @Test("The token that aws sso login left is traded for a role's keys, unsigned")
  func token() async throws {
    for (profile, name) in [("p", "corp"), ("legacy", "https://corp.awsapps.com/start")] {
      let bench = try CredentialsBench(
        ["AWS_PROFILE": profile], config: Self.config, services: [.answer(200, body: Self.keys)],
        files: [path(name): #"{"accessToken":"TOK","expiresAt":"2015-08-30T18:36:00Z"}"#])
      let keys = try #require(try await bench.keys())
      #expect(keys.accessKeyID == "ASIASSO" && keys.expiration == 1_440_941_760)
      let request = try #require(bench.services.requests.first)
      #expect(request.endpoint.host == "portal.sso.eu-north-1.amazonaws.com")
      #expect(request.target == "/federation/credentials?role_name=Reader&account_id=123456789012")
      #expect(request.headers.contains { $0 == ("x-amz-sso_bearer_token", "TOK") })
      #expect(!request.headers.contains { $0.name == "Authorization" })
    }
  }

  @Test("SHA-1 names are sha1sum's")
  func digest() {
    #expect(SHA1.hexDigest(Array("abc".utf8)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
  }

  @Test("A token that is missing, expired or refused asks for aws sso login")
  func login() async throws {
    let missing = try CredentialsBench(["AWS_PROFILE": "p"], config: Self.config)
    #expect(await missing.refusal()?.hasSuffix("run aws sso login --profile p") == true)
    let expired = try CredentialsBench(
      ["AWS_PROFILE": "legacy"], config: Self.config,
      files: [path("https://corp.awsapps.com/start"): #"{"accessToken":"TOK","expiresAt":"2015-08-30T12:35:59Z"}"#])
    #expect(await expired.refusal() == "profile `legacy`: the token has expired; run aws sso login --profile legacy")
    let refused = try CredentialsBench(
      ["AWS_PROFILE": "p"], config: Self.config,
      services: [.answer(401, headers: [("x-amzn-ErrorType", "UnauthorizedException")], body: #"{"message":"Session token TOK"}"#)],
      files: [path("corp"): #"{"accessToken":"TOK","expiresAt":"2015-08-30T18:36:00Z"}"#])
    #expect(
      await refused.refusal()
        == "profile `p`: IAM Identity Center does not take its token any more; run aws sso login --profile p")
  }

  @Test("A token near its end is renewed, and the file written anew for the other tools, for its owner alone")
  func renewal() async throws {
    let home = FileManager.default.temporaryDirectory.appendingPathComponent("sso-\(UUID().uuidString)")
    let directory = home.appendingPathComponent(".aws/sso/cache")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: home) }
    let file = directory.appendingPathComponent("\(SHA1.hexDigest(Array("corp".utf8))).json")
    try Data(
      #"{"startUrl":"u","region":"r","accessToken":"OLD","expiresAt":"2015-08-30T12:40:00Z","clientId":"id","clientSecret":"cs","refreshToken":"R1","other":[1]}"#
        .utf8
    ).write(to: file)
    let environment = try AWSEnvironment(variables: ["HOME": home.path, "AWS_PROFILE": "p"]) { path in
      path.hasSuffix("/config") ? Array(Self.config.utf8) : nil
    }
    let bench = CredentialsBench(
      environment,
      services: [
        .answer(200, body: #"{"accessToken":"FRESH","tokenType":"Bearer","expiresIn":3600,"refreshToken":"R2"}"#),
        .answer(200, body: Self.keys),
      ])
    var context = bench.context
    context.readFile = SharedFileReader.read
    #expect(try await CredentialsChain.standard(context).credentials()?.accessKeyID == "ASIASSO")
    let requests = bench.services.requests
    #expect(requests[0].endpoint.host == "oidc.eu-north-1.amazonaws.com" && requests[0].target == "/token")
    let asked = try JSONDocument(parsing: requests[0].body).root
    #expect(asked["grantType"]?.string == "refresh_token" && asked["refreshToken"]?.string == "R1" && asked["clientSecret"]?.string == "cs")
    #expect(requests[1].headers.contains { $0 == ("x-amz-sso_bearer_token", "FRESH") })
    let kept = try JSONDocument(parsing: Array(try Data(contentsOf: file))).root
    #expect(kept["accessToken"]?.string == "FRESH" && kept["refreshToken"]?.string == "R2" && kept["other"]?.kind == .array)
    #expect(kept["expiresAt"]?.string == "2015-08-30T13:36:00Z")
    let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).count == 1)
  }

  @Test("Where the renewal fails the old token serves while it is valid")
  func failedRenewal() async throws {
    let bench = try CredentialsBench(
      ["AWS_PROFILE": "p"], config: Self.config,
      services: [.answer(400, body: #"{"error":"invalid_grant"}"#), .answer(200, body: Self.keys)],
      files: [
        path("corp"):
          #"{"accessToken":"OLD","expiresAt":"2015-08-30T12:40:00Z","clientId":"id","clientSecret":"cs","refreshToken":"R1"}"#
      ])
    #expect(try await bench.keys()?.accessKeyID == "ASIASSO")
    #expect(bench.services.requests[1].headers.contains { $0 == ("x-amz-sso_bearer_token", "OLD") })
  }

  // MARK: programs

  @Test("credential_process gives keys; without an end they are asked for once")
  func process() async throws {
    let bench = try CredentialsBench(
      config: "[default]\ncredential_process = /opt/get \"a b\" 'c d' e\\ f\n",
      processOutput: #"{"Version":1,"AccessKeyId":"AKIAPROC","SecretAccessKey":"s"}"#)
    let chain = CredentialsChain.standard(bench.context)
    #expect(try await chain.credentials()?.source == "credential_process of profile default")
    bench.clock.advance(.seconds(1_000_000))
    #expect(try await chain.credentials()?.accessKeyID == "AKIAPROC")
    #expect(bench.ranProcesses.map(\.arguments) == [["/opt/get", "a b", "c d", "e f"]])
  }

  @Test(
    "What a program writes must be keys of version 1",
    arguments: [
      ("", "credential_process of profile default gave no JSON: "),
      ("[]", "credential_process of profile default gave JSON that is no object"),
      (#"{"Version":2,"AccessKeyId":"A","SecretAccessKey":"s"}"#, "credential_process of profile default gave no keys of Version 1"),
      (#"{"Version":1,"AccessKeyId":"A"}"#, "credential_process of profile default gave no SecretAccessKey"),
      (
        #"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"soon"}"#,
        "credential_process of profile default gave an Expiration that is no ISO 8601 time"
      ),
    ])
  func badOutput(output: String, message: String) async throws {
    let bench = try CredentialsBench(config: "[default]\ncredential_process = x\n", processOutput: output)
    #expect(await bench.refusal()?.hasPrefix(message) == true)
  }

  @Test("A program is run without a shell, with its output, its failure and its time limit")
  func running() async throws {
    func run(_ command: String, limit: Duration = .seconds(20)) async -> Result<String, AWSError> {
      do throws(AWSError) {
        var process = try CredentialProcess(command: command, variables: ["PATH": "/usr/bin:/bin", "X": "from the environment"])
        process.limit = limit
        return .success(String(decoding: try await process.run(), as: UTF8.self))
      } catch {
        return .failure(error)
      }
    }
    #expect(try await run("/bin/echo $HOME 'a  b'").get() == "$HOME a  b\n")
    #expect(try await run("/bin/sh -c 'printf %s \"$X\"; cat'").get() == "from the environment", "its input is empty")
    #expect(try await run("/bin/sh -c 'head -c 300000 /dev/zero | tr \"\\0\" x'").get().count == 300_000)
    func message(_ result: Result<String, AWSError>) -> String {
      if case .failure(let error) = result { return error.message }
      return "no failure"
    }
    #expect(
      message(await run("/bin/sh -c 'echo first >&2; echo no luck >&2; exit 3'"))
        == "credential_process `/bin/sh`: it ended with status 3: no luck")
    #expect(message(await run("/no/such/program")) == "credential_process `/no/such/program`: No such file or directory")
    let start = ContinuousClock.now
    #expect(
      message(await run("/bin/sh -c '/bin/sleep 100 & /bin/sleep 100'", limit: .seconds(1)))
        == "credential_process `/bin/sh`: it did not end within 1 s, and was stopped")
    #expect(ContinuousClock.now - start < .seconds(20))
  }

  @Test("A program has no descriptor but its own three, and no signal blocked or ignored")
  func inheritance() async throws {
    // As a library might leave it: not closed at exec.
    let open = Glibc.open("/dev/null", O_RDONLY)
    defer { close(open) }
    func output(_ command: String) async throws -> [Substring] {
      let output = try await CredentialProcess(command: command, variables: ["PATH": "/usr/bin:/bin"]).run()
      return String(decoding: output, as: UTF8.self).split(separator: "\n")
    }
    // The last is the directory that it lists.
    #expect(try await output("ls /proc/self/fd") == ["0", "1", "2", "3"])
    for line in try await output("grep -E ^Sig(Blk|Ign): /proc/self/status") {
      // 32 and 33 are the C library's own.
      #expect(try #require(UInt64(line.suffix(16), radix: 16)) & 0x7FFF_FFFF == 0, "\(line)")
    }
  }
}
