// SPDX-License-Identifier: Apache-2.0

import HTTP
import Telemetry
import Testing

@testable import AWSCore

@Suite("Where keys come from")
struct CredentialProviderTests {
  private static let keysDocument = #"{"AccessKeyId":"ASIA1","SecretAccessKey":"s","Token":"t","Expiration":"2015-08-30T13:36:00Z"}"#

  // MARK: roles

  @Test("A profile's role is assumed with the keys of its source_profile, and all it says is sent")
  func assumedRole() async throws {
    let bench = try CredentialsBench(
      ["AWS_PROFILE": "role", "AWS_REGION": "eu-west-1"],
      config: """
        [profile role]
        role_arn = arn:aws:iam::1:role/r
        source_profile = base
        external_id = a b
        role_session_name = me
        duration_seconds = 1800
        [profile base]
        aws_access_key_id = AKIABASE
        aws_secret_access_key = s
        """, services: [CredentialsBench.assumed("ASIAROLE")])
    let keys = try #require(try await bench.keys())
    #expect(keys.accessKeyID == "ASIAROLE")
    #expect(keys.sessionToken == Secret("t-ASIAROLE"))
    #expect(keys.expiration == 1_440_941_760)
    #expect(keys.source == "role arn:aws:iam::1:role/r (profile role)")
    let request = try #require(bench.services.requests.first)
    #expect(request.endpoint.host == "sts.eu-west-1.amazonaws.com")
    #expect(request.headers.contains { $0.name == "Authorization" && $0.value.contains("Credential=AKIABASE/") })
    #expect(
      CredentialsBench.form(request) == [
        "Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::1:role/r", "RoleSessionName": "me",
        "DurationSeconds": "1800", "ExternalId": "a b",
      ])
  }

  @Test("Roles are chained, each asked for with the keys of the one before")
  func chainedRoles() async throws {
    let bench = try CredentialsBench(
      ["AWS_PROFILE": "outer"],
      config: """
        [profile outer]
        role_arn = arn:aws:iam::2:role/outer
        source_profile = inner
        [profile inner]
        role_arn = arn:aws:iam::1:role/inner
        credential_source = Environment
        """, services: [CredentialsBench.assumed("ASIAINNER"), CredentialsBench.assumed("ASIAOUTER")])
    let environment = try AWSEnvironment(
      variables: ["HOME": "/home/u", "AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s"],
      profile: ("outer", "client.profile-name"), readFile: bench.context.readFile)
    let chosen = CredentialsBench(environment, services: [CredentialsBench.assumed("ASIAINNER"), CredentialsBench.assumed("ASIAOUTER")])
    #expect(try await chosen.keys()?.accessKeyID == "ASIAOUTER")
    let signers = chosen.services.requests.map { $0.headers.first { $0.name == "Authorization" }?.value ?? "" }
    #expect(signers.count == 2 && signers[0].contains("=AKIAENV/") && signers[1].contains("=ASIAINNER/"))
    #expect(chosen.services.requests.map(\.endpoint.host) == ["sts.amazonaws.com", "sts.amazonaws.com"])
  }

  @Test(
    "A profile that cannot work says why",
    arguments: [
      ("role_arn = r", "profile `p` has role_arn but neither source_profile nor credential_source"),
      (
        "role_arn = r\nsource_profile = q\ncredential_source = Environment",
        "profile `p` has both source_profile and credential_source; keep one"
      ),
      ("role_arn = r\nsource_profile = gone", "profile `p` names the source_profile `gone`, which does not exist"),
      ("role_arn = r\nsource_profile = p", "profile `p` names itself as source_profile but has no aws_access_key_id"),
      (
        "role_arn = r\nsource_profile = q\n[profile q]\nrole_arn = s\nsource_profile = p",
        "the source_profile of the profiles `p` → `q` → `p` is a circle"
      ),
      ("role_arn = r\nsource_profile = q\n[profile q]\nregion = x", "profile `p` names the source_profile `q`, which has no keys"),
      (
        "role_arn = r\ncredential_source = Moon",
        "profile `p` has credential_source `Moon`: it must be Environment, Ec2InstanceMetadata or EcsContainer"
      ),
      (
        "role_arn = r\ncredential_source = EcsContainer",
        "profile `p` has credential_source EcsContainer, but AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and"
      ),
      ("role_arn = r\nsource_profile = p\nmfa_serial = m", "profile `p` wants a code of a device (mfa_serial)"),
      (
        "role_arn = r\nsource_profile = p\naws_access_key_id = a\naws_secret_access_key = b\nduration_seconds = x",
        "duration_seconds `x` is not a number"
      ),
      ("credential_process = 'a", "credential_process has a quote or backslash without its end"),
      ("login_session = l", "profile `p` is a console login (login_session)"),
      ("sso_account_id = 1\nsso_region = r\nsso_role_name = n", "profile `p` has no sso_start_url"),
      ("sso_session = c\n[sso-session c]\nsso_start_url = u\nsso_region = r", "profile `p` has no sso_account_id"),
    ])
  func brokenProfile(text: String, message: String) async throws {
    let bench = try CredentialsBench(["AWS_PROFILE": "p"], config: "[profile p]\n\(text)\n")
    let refusal = await bench.refusal()
    #expect(refusal?.hasPrefix(message) == true, "\(refusal ?? "keys")")
    #expect(bench.services.requests.isEmpty && bench.link.requests.isEmpty)
  }

  // MARK: web identity

  @Test("A web identity is traded unsigned for keys, its file read anew each time, and its token never shown")
  func webIdentity() async throws {
    let bench = try CredentialsBench(
      [
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r", "AWS_ROLE_SESSION_NAME": "pod",
        "AWS_REGION": "eu-west-1",
      ],
      services: [
        CredentialsBench.assumed("ASIA1", action: "AssumeRoleWithWebIdentity"),
        .answer(400, body: "<ErrorResponse><Error><Code>ValidationError</Code><Message>bad second</Message></Error></ErrorResponse>"),
      ], files: ["/token": "first\n"])
    let chain = CredentialsChain.standard(bench.context)
    #expect(try await chain.credentials()?.accessKeyID == "ASIA1")
    bench.write("second", to: "/token")
    chain.invalidate(nil)
    let error = await #expect(throws: AWSError.self) { _ = try await chain.credentials() }
    #expect(error?.message == "bad ****")
    let requests = bench.services.requests
    #expect(requests.map { CredentialsBench.form($0)["WebIdentityToken"] } == ["first", "second"])
    #expect(requests.allSatisfy { request in !request.headers.contains { $0.name == "Authorization" } })
    #expect(CredentialsBench.form(requests[0])["RoleSessionName"] == "pod")
  }

  @Test("A token that was replaced while it was being traded is read once more")
  func webIdentityRotation() async throws {
    let bench = try CredentialsBench(
      ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "r"],
      services: [
        .answer(400, body: "<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error></ErrorResponse>"),
        CredentialsBench.assumed("ASIA2", action: "AssumeRoleWithWebIdentity"),
      ], files: ["/token": "same"])
    #expect(await bench.refusal() != nil)
    #expect(bench.services.requests.count == 1, "the same token is not sent twice")
    let missing = try CredentialsBench(["AWS_WEB_IDENTITY_TOKEN_FILE": "/gone", "AWS_ROLE_ARN": "r"])
    #expect(await missing.refusal() == "the web identity token file /gone does not exist")
  }

  // MARK: container

  @Test("A container's endpoint is asked with the token of its file, which is read anew each time")
  func container() async throws {
    let bench = try CredentialsBench(
      [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials?x=1",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/pod", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "unused",
      ],
      link: [.answer(200, body: Self.keysDocument)], files: ["/pod": "one\n"])
    let chain = CredentialsChain.standard(bench.context)
    let keys = try #require(try await chain.credentials())
    #expect(keys.accessKeyID == "ASIA1" && keys.sessionToken == Secret("t") && keys.source == "container")
    bench.write("two", to: "/pod")
    chain.invalidate(nil)
    _ = try await chain.credentials()
    #expect(bench.link.requests.map { $0.headers.first { $0.name == "Authorization" }?.value } == ["one", "two"])
    #expect(bench.link.requests[0].target == "/v1/credentials?x=1" && bench.link.requests[0].endpoint.host == "169.254.170.23")
    bench.write("a\u{1}b", to: "/pod")
    chain.invalidate(nil)
    let error = await #expect(throws: AWSError.self) { _ = try await chain.credentials() }
    #expect(error?.message.hasPrefix("the authorization token of the container endpoint holds a line end") == true)
  }

  @Test("The relative URI wins, is tried three times a second apart, and its refusal is told in the endpoint's words")
  func relativeContainer() async throws {
    let bench = try CredentialsBench(
      ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/creds", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://other/"],
      link: [.answer(500), .failure(.reset), .answer(403, body: #"{"code":"Denied","message":"not you"}"#)])
    #expect(await bench.refusal() == "the container endpoint http://169.254.170.2 answered HTTP 403: not you")
    #expect(bench.link.requests.count == 3 && bench.clock.sleeps == [.seconds(1), .seconds(1)])
    #expect(bench.link.requests[0].target == "/creds" && bench.link.requests[0].deadline == .seconds(2))
  }

  @Test(
    "Plain http is spoken with this machine and its link only",
    arguments: [
      ("http://127.0.0.1:80/c", true), ("http://127.9.9.9/c", true), ("http://localhost:1/c", true), ("http://[::1]/c", true),
      ("http://[fd00:ec2::23]/c", true), ("http://169.254.170.2/c", true), ("https://example.com/c", true),
      ("http://example.com/c", false), ("http://127.0.0.1.example.com/c", false), ("http://169.254.169.254/c", false),
      ("ftp://127.0.0.1/", false),
    ])
  func containerHosts(url: String, isAllowed: Bool) throws {
    let environment = try AWSEnvironment(variables: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": url]) { _ in nil }
    #expect(((try? ContainerCredentials.place(environment)) != nil) == isAllowed)
  }

  // MARK: instance

  @Test("An instance's role is asked for with a token of version 2")
  func instance() async throws {
    let bench = try CredentialsBench(
      link: [.answer(200, body: "TOKEN"), .answer(200, body: "my-role\n"), .answer(200, body: Self.keysDocument)])
    let keys = try #require(try await bench.keys())
    #expect(keys.source == "instance role my-role")
    let requests = bench.link.requests
    #expect(
      requests.map { "\($0.method) \($0.target)" } == [
        "PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/",
        "GET /latest/meta-data/iam/security-credentials/my-role",
      ])
    #expect(requests[0].headers.contains { $0 == ("x-aws-ec2-metadata-token-ttl-seconds", "21600") })
    #expect(requests.dropFirst().allSatisfy { $0.headers.contains { $0 == ("x-aws-ec2-metadata-token", "TOKEN") } })
    #expect(requests.allSatisfy { $0.endpoint.host == "169.254.169.254" && $0.deadline == .seconds(1) })
  }

  @Test(
    "Where version 2 is refused version 1 is asked, unless that is switched off",
    arguments: [(403, "false", true), (404, "false", true), (405, "false", true), (403, "true", false), (400, "false", false)])
  func version1(status: Int, isDisabled: String, isAsked: Bool) async throws {
    let bench = try CredentialsBench(
      ["AWS_EC2_METADATA_V1_DISABLED": isDisabled],
      link: [.answer(status), .answer(200, body: "r"), .answer(200, body: Self.keysDocument)])
    let keys = try? await bench.keys()
    #expect((keys != nil) == isAsked)
    #expect(bench.link.requests.count == (isAsked ? 3 : 1))
    #expect(bench.link.requests.allSatisfy { request in !request.headers.contains { $0.name == "x-aws-ec2-metadata-token" } })
  }

  @Test("A machine that is no instance, and one without a role, have no keys: that is no fault; a refusal by code is")
  func noInstance() async throws {
    let none = try CredentialsBench(link: [.failure(.refused)])
    let refusal = await none.refusal() ?? ""
    #expect(refusal.contains("instance metadata (no answer from the instance metadata service http://169.254.169.254)"), "\(refusal)")
    let roleless = try CredentialsBench(link: [.answer(200, body: "T"), .answer(404)])
    #expect(await roleless.refusal()?.contains("instance metadata (the instance has no role)") == true)
    let failed = try CredentialsBench(
      link: [
        .answer(200, body: "T"), .answer(200, body: "r"),
        .answer(200, body: #"{"Code":"AssumeRoleUnauthorizedAccess","Message":"no trust"}"#),
      ])
    #expect(
      await failed.refusal()
        == "the instance metadata service http://169.254.169.254 gives no keys of role r: AssumeRoleUnauthorizedAccess: no trust")
    let off = try CredentialsBench(["AWS_EC2_METADATA_DISABLED": "true"], link: [.answer(200, body: "T")])
    #expect(await off.refusal()?.contains("instance metadata (AWS_EC2_METADATA_DISABLED=true)") == true)
    #expect(off.link.requests.isEmpty)
  }

  @Test("The endpoint of an instance, its timeout and its tries can be set")
  func instanceSettings() async throws {
    let bench = try CredentialsBench(
      ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6", "AWS_METADATA_SERVICE_TIMEOUT": "3", "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "2"])
    _ = await bench.refusal()
    #expect(bench.link.requests.count == 2)
    #expect(bench.link.requests.allSatisfy { $0.endpoint.host == "[fd00:ec2::254]" && $0.deadline == .seconds(3) })
    let own = try CredentialsBench(["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"])
    _ = await own.refusal()
    #expect(own.link.requests[0].endpoint.authority == "127.0.0.1:9")
    let bad = try CredentialsBench(["AWS_METADATA_SERVICE_TIMEOUT": "soon"])
    #expect(await bad.refusal() == "AWS_METADATA_SERVICE_TIMEOUT `soon` is not a number from 1 to 60")
  }

  @Test("The instance's region is the last resort")
  func instanceRegion() async throws {
    let bench = try CredentialsBench(link: [.answer(200, body: "T"), .answer(200, body: "eu-south-2\n")])
    #expect(await (try InstanceMetadata(bench.context)).region() == "eu-south-2")
    #expect(bench.link.requests[1].target == "/latest/meta-data/placement/region")
    let odd = try CredentialsBench(link: [.answer(200, body: "T"), .answer(200, body: "<html>")])
    #expect(await (try InstanceMetadata(odd.context)).region() == nil)
  }

  // MARK: the chain

  @Test("The chain tells what became of each of its links")
  func links() async throws {
    let bench = try CredentialsBench(config: "[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\n")
    let links = await CredentialsChain.standard(bench.context).links()
    #expect(links.map(\.name) == ["environment", "web identity", "shared files (profile default)", "container", "instance metadata"])
    let words = links.map { link in
      switch link.outcome {
      case .used(let keys): "used \(keys.source)"
      case .absent(let reason): reason
      case .failed(let error): "failed \(error.message)"
      case .notTried: "not tried"
      }
    }
    #expect(
      words == [
        "AWS_ACCESS_KEY_ID is not set", "AWS_WEB_IDENTITY_TOKEN_FILE is not set", "used profile default", "not tried", "not tried",
      ])
  }

  @Test("Keys that the service refuses make the shared files be read again")
  func rereading() async throws {
    let bench = try CredentialsBench(config: "[default]\naws_access_key_id = OLD\naws_secret_access_key = s\n")
    let chain = CredentialsChain.standard(bench.context)
    let old = try await chain.credentials()
    bench.write("[default]\naws_access_key_id = NEW\naws_secret_access_key = s\n", to: "/home/u/.aws/config")
    #expect(try await chain.credentials()?.accessKeyID == "OLD")
    chain.invalidate(old)
    #expect(try await chain.credentials()?.accessKeyID == "NEW")
    chain.invalidate(old)
    bench.write("[default", to: "/home/u/.aws/config")
    #expect(try await chain.credentials()?.accessKeyID == "NEW", "an old refusal does not make it read the files again")
    chain.invalidate(nil)
    let error = await #expect(throws: AWSError.self) { _ = try await chain.credentials() }
    #expect(error?.message == "/home/u/.aws/config line 1: a section starts with `[` but has no `]`")
  }
}
