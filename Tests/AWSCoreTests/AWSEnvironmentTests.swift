// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import AWSCore

@Suite("Shared files, environment and the credential chain")
struct AWSEnvironmentTests {
  private static let config = """
    # comment
    [default]
    region = eu-west-1   ; the nearest
    output=json
    services = local
    [profile prod] # live
    REGION = us-east-2
    aws_access_key_id = FROMCONFIG
    s3 =
      addressing_style = path
      endpoint_url=http://nested
    role_session_name = x#y
    [ignored]
    region = nowhere
    [services local]
    glue =
      endpoint_url = http://glue:1
    [profile sso]
    sso_session = corp
    [profile "with space"]
    region = ap-south-1
    [profile role]
    role_arn = arn:aws:iam::1:role/r
    source_profile = prod
    """
  private static let credentials = """
    [prod]
    aws_access_key_id = AKIAPROD
    aws_secret_access_key = se/cret+#1
    aws_session_token = tok
    [half]
    aws_access_key_id = AKIAHALF
    """

  private func environment(
    _ variables: [String: String] = [:], profile: (name: String, source: String)? = nil, config: String? = config,
    credentials: String? = credentials
  ) throws(AWSError) -> AWSEnvironment {
    try AWSEnvironment(variables: variables.merging(["HOME": "/home/u"]) { $1 }, profile: profile) { path in
      switch path {
      case "/home/u/.aws/config": config.map { Array($0.utf8) }
      case "/home/u/.aws/credentials": credentials.map { Array($0.utf8) }
      default: nil
      }
    }
  }

  @Test("Sections, comments, nested blocks and both files are read and merged")
  func sections() throws {
    let files = try environment().files
    #expect(files.profiles["default"]?.values["region"] == "eu-west-1")
    #expect(files.profiles["prod"]?.values["region"] == "us-east-2")
    #expect(files.profiles["prod"]?.values["aws_access_key_id"] == "AKIAPROD")
    #expect(files.profiles["prod"]?.values["role_session_name"] == "x#y")
    #expect(files.profiles["prod"]?.blocks["s3"] == ["addressing_style": "path", "endpoint_url": "http://nested"])
    #expect(files.profiles["with space"]?.values["region"] == "ap-south-1")
    #expect(files.profiles["ignored"] == nil)
    #expect(files.services["local"]?.blocks["glue"] == ["endpoint_url": "http://glue:1"])
  }

  @Test("[profile default] wins over [default]")
  func prefixedDefault() throws {
    for text in ["[default]\nregion=a\n[profile default]\nregion=b", "[profile default]\nregion=b\n[default]\nregion=a"] {
      #expect(try environment(config: text).foundRegion?.name == "b")
    }
  }

  @Test(
    "A malformed file names itself and the line",
    arguments: [
      ("[default\n", "/home/u/.aws/config line 1: a section starts with `[` but has no `]`"),
      ("\nregion = x\n", "/home/u/.aws/config line 2: a setting stands before the first `[section]`"),
      ("[a]\nnonsense\n", "/home/u/.aws/config line 2: neither `[section]` nor `key = value`"),
      ("[a]\n= v\n", "/home/u/.aws/config line 2: no key before `=`"),
      ("[]\n", "/home/u/.aws/config line 1: the section has no name"),
    ])
  func malformed(text: String, message: String) {
    #expect(configurationRefusal { try environment(config: text) } == message)
  }

  @Test("Windows line ends are read as line ends")
  func carriageReturns() throws {
    #expect(try environment(config: "[default]\r\nregion = eu-west-1\r\n").foundRegion?.name == "eu-west-1")
  }

  @Test("The region comes from AWS_REGION, AWS_DEFAULT_REGION, profile, in this order")
  func region() throws {
    let all = ["AWS_REGION": "r1", "AWS_DEFAULT_REGION": "r2"]
    #expect(try environment(all).foundRegion?.name == "r1")
    #expect(try environment(["AWS_DEFAULT_REGION": "r2"]).foundRegion?.name == "r2")
    #expect(try environment(["AWS_PROFILE": "prod"]).foundRegion?.name == "us-east-2")
    #expect(try environment().foundRegion?.name == "eu-west-1")
    let nothing = try environment(config: nil)
    #expect(nothing.foundRegion == nil)
    #expect(
      nothing.noRegion
        == "Unable to load region from any of the providers in the chain: client.region, AWS_REGION and AWS_DEFAULT_REGION are not set, and "
        + "profile `default` in /home/u/.aws/config has no region.")
  }

  @Test("Keys in the environment come first, unless configuration chose a profile")
  func chain() async throws {
    let variables = ["AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "AWS_PROFILE": "prod"]
    let keys = try #require(try await CredentialsChain.standard(CredentialsBench(environment(variables)).context).credentials())
    #expect(keys.accessKeyID == "AKIAENV")
    #expect(keys.sessionToken == Secret("t"))
    #expect(keys.source == "environment")
    let chosen = try environment(variables, profile: ("prod", "glue.profile-name"))
    let profileKeys = try #require(try await CredentialsChain.standard(CredentialsBench(chosen).context).credentials())
    #expect(profileKeys.accessKeyID == "AKIAPROD")
    #expect(profileKeys.secretAccessKey == Secret("se/cret+#1"))
    #expect(profileKeys.source == "profile prod")
  }

  @Test(
    "A configured source that cannot be used is an error that names it",
    arguments: [
      (["AWS_ACCESS_KEY_ID": "A"], "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not"),
      (["AWS_PROFILE": "half"], "profile `half` has aws_access_key_id but no aws_secret_access_key"),
      (
        ["AWS_PROFILE": "sso"],
        "profile `sso` names sso_session `corp`: there is no [sso-session corp] in /home/u/.aws/config"
      ),
      (
        ["AWS_PROFILE": "gone"],
        "profile `gone` (named by AWS_PROFILE) stands neither in /home/u/.aws/config nor in /home/u/.aws/credentials"
      ),
      (["AWS_WEB_IDENTITY_TOKEN_FILE": "/t"], "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not"),
      (
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://x"],
        "AWS_CONTAINER_CREDENTIALS_FULL_URI names x over http: keys come that way only from this machine"
      ),
      (
        ["AWS_EC2_METADATA_DISABLED": "true"],
        "Unable to load credentials from any of the providers in the chain: nothing is configured in "
          + "environment (AWS_ACCESS_KEY_ID is not set), web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set), shared files (profile default) ("
      ),
    ] as [([String: String], String)])
  func unusable(variables: [String: String], message: String) async throws {
    let chain = CredentialsChain.standard(CredentialsBench(try environment(variables)).context)
    do {
      _ = try await chain.credentials()
      Issue.record("keys came from nowhere")
    } catch {
      #expect(error.kind == .credentials)
      #expect(error.message.hasPrefix(message), "\(error.message)")
    }
  }

  @Test("Custom endpoints: property, service variable, general variable, services section, profile; and the switch that ignores them")
  func endpoints() throws {
    let variables = ["AWS_ENDPOINT_URL_GLUE": "http://v-glue", "AWS_ENDPOINT_URL": "http://v"]
    #expect(try environment(variables).endpointURL(for: .glue, property: ("glue.endpoint", "http://p"))?.url == "http://p")
    #expect(try environment(variables).endpointURL(for: .glue)?.url == "http://v-glue")
    #expect(try environment(variables).endpointURL(for: .s3)?.source == "AWS_ENDPOINT_URL")
    #expect(try environment().endpointURL(for: .glue)?.url == "http://glue:1")
    #expect(try environment().endpointURL(for: .s3) == nil)
    let ignoring = try environment(variables.merging(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]) { $1 })
    #expect(ignoring.endpointURL(for: .glue) == nil)
    #expect(ignoring.endpointURL(for: .glue, property: ("glue.endpoint", "http://p"))?.url == "http://p")
    #expect(try environment(["AWS_USE_FIPS_ENDPOINT": "true"]).endpointSettings(for: .sts).usesFIPS)
  }

  @Test("Retry mode and attempts come from property, variable, profile")
  func retryPolicy() throws {
    #expect(try environment().retryPolicy() == .standard())
    #expect(try environment(["AWS_RETRY_MODE": "legacy"]).retryPolicy() == .legacy())
    #expect(try environment(["AWS_RETRY_MODE": "Adaptive", "AWS_MAX_ATTEMPTS": "7"]).retryPolicy() == .adaptive(maxAttempts: 7))
    #expect(try environment(["AWS_MAX_ATTEMPTS": "7"]).retryPolicy(mode: "standard", maxAttempts: 2) == .standard(maxAttempts: 2))
    #expect(throws: AWSError.self) { try environment(["AWS_MAX_ATTEMPTS": "0"]).retryPolicy() }
    #expect(throws: AWSError.self) { try environment(["AWS_RETRY_MODE": "bold"]).retryPolicy() }
  }
}
