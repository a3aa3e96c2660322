// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Finds what kind of source a profile describes, in the order of the AWS SDKs, and makes it (spec: clients.md §6.1).
struct ProfileResolver {
  let context: CredentialsContext

  private var environment: AWSEnvironment { context.environment }

  /// The provider of the chosen profile; nil where it describes none.
  func chosen() throws(AWSError) -> (any AWSCredentialsProvider)? {
    guard environment.profile != nil else {
      guard environment.profileSource != "default" else { return nil }
      throw .missingCredentials(
        "profile `\(environment.profileName)` (named by \(environment.profileSource)) stands neither in \(environment.configPath) nor in "
          + environment.credentialsPath)
    }
    return try provider(of: environment.profileName, on: [])
  }

  /// - Parameter path: the profiles that lead here by their `source_profile`.
  private func provider(of name: String, on path: [String]) throws(AWSError) -> (any AWSCredentialsProvider)? {
    guard let section = environment.files.profiles[name] else {
      throw .missingCredentials("profile `\(path.last ?? "")` names the source_profile `\(name)`, which does not exist")
    }
    let values = section.values.filter { !$0.value.isEmpty }
    if let role = values["role_arn"], let file = values["web_identity_token_file"] {
      return try WebIdentityCredentials.provider(
        tokenFile: file, role: roleRequest(role, values), region: region(of: name), description: "profile \(name)", context: context)
    }
    if values.keys.contains(where: { $0.hasPrefix("sso_") }) { return try sso(name, values) }
    if let role = values["role_arn"] { return try assumed(role, name, values, on: path) }
    if let command = values["credential_process"] {
      return try ProcessCredentials.provider(command: command, profile: name, context: context)
    }
    if values["login_session"] != nil, values["aws_access_key_id"] == nil {
      throw .missingCredentials(
        "profile `\(name)` is a console login (login_session), which this program cannot renew: use a profile of another kind, or "
          + "credential_process = aws configure export-credentials --profile \(name)")
    }
    return try fixed(name, values)
  }

  private func fixed(_ name: String, _ values: [String: String]) throws(AWSError) -> (any AWSCredentialsProvider)? {
    switch (values["aws_access_key_id"], values["aws_secret_access_key"]) {
    case (nil, nil): return nil
    case (nil, _): throw .missingCredentials("profile `\(name)` has aws_secret_access_key but no aws_access_key_id")
    case (_, nil): throw .missingCredentials("profile `\(name)` has aws_access_key_id but no aws_secret_access_key")
    case (let key?, let secret?):
      return StaticCredentialsProvider(
        AWSCredentials(
          accessKeyID: key, secretAccessKey: Secret(secret), sessionToken: values["aws_session_token"].map { Secret($0) },
          source: "profile \(name)"))
    }
  }

  // MARK: roles

  private func assumed(
    _ role: String, _ name: String, _ values: [String: String], on path: [String]
  ) throws(AWSError) -> any AWSCredentialsProvider {
    guard values["mfa_serial"] == nil else {
      throw .missingCredentials(
        "profile `\(name)` wants a code of a device (mfa_serial) each time its keys are renewed, which a mount cannot type: use a role without "
          + "it, or keys of aws sts get-session-token in a profile of their own")
    }
    let source: any AWSCredentialsProvider
    switch (values["source_profile"], values["credential_source"]) {
    case (_?, _?): throw .missingCredentials("profile `\(name)` has both source_profile and credential_source; keep one")
    case (nil, nil): throw .missingCredentials("profile `\(name)` has role_arn but neither source_profile nor credential_source")
    case (let parent?, nil): source = try sourceProfile(parent, of: name, values, on: path)
    case (nil, let kind?): source = try credentialSource(kind, name)
    }
    return try AssumeRoleCredentials.provider(
      try roleRequest(role, values), source: source, region: region(of: name), description: "profile \(name)", context: context)
  }

  private func sourceProfile(
    _ parent: String, of name: String, _ values: [String: String], on path: [String]
  ) throws(AWSError) -> any AWSCredentialsProvider {
    // A profile may lend its own keys to the role.
    if parent == name {
      guard let own = try fixed(name, values) else {
        throw .missingCredentials("profile `\(name)` names itself as source_profile but has no aws_access_key_id")
      }
      return own
    }
    let here = path + [name]
    guard !here.contains(parent) else {
      throw .missingCredentials(
        "the source_profile of the profiles \((here + [parent]).map { "`\($0)`" }.joined(separator: " → ")) is a circle")
    }
    guard let found = try provider(of: parent, on: here) else {
      throw .missingCredentials("profile `\(name)` names the source_profile `\(parent)`, which has no keys")
    }
    return found
  }

  private func credentialSource(_ kind: String, _ name: String) throws(AWSError) -> any AWSCredentialsProvider {
    switch kind.lowercased() {
    case "environment": return EnvironmentCredentialsProvider(environment)
    case "ec2instancemetadata": return try InstanceMetadataCredentialsProvider(context)
    case "ecscontainer":
      guard let container = try ContainerCredentials.fromVariables(context) else {
        throw .missingCredentials("profile `\(name)` has credential_source EcsContainer, but \(ContainerCredentials.absence)")
      }
      return container
    default:
      throw .missingCredentials(
        "profile `\(name)` has credential_source `\(kind)`: it must be Environment, Ec2InstanceMetadata or EcsContainer")
    }
  }

  private func roleRequest(_ arn: String, _ values: [String: String]) throws(AWSError) -> RoleRequest {
    var seconds: Int?
    if let text = values["duration_seconds"] {
      guard let number = Int(text), (1...43200).contains(number) else {
        throw .missingCredentials("duration_seconds `\(text)` is not a number from 900 to 43200")
      }
      seconds = number
    }
    return RoleRequest(
      arn: arn, sessionName: values["role_session_name"] ?? AssumeRoleCredentials.defaultSessionName(context.clock), seconds: seconds,
      externalID: values["external_id"])
  }

  /// Where a profile's role is asked for; nil for the environment's region.
  private func region(of name: String) -> String? {
    environment.variable("AWS_REGION") ?? environment.variable("AWS_DEFAULT_REGION")
      ?? environment.files.profiles[name]?.values["region"].flatMap { $0.isEmpty ? nil : $0 }
  }

  // MARK: IAM Identity Center

  private func sso(_ name: String, _ values: [String: String]) throws(AWSError) -> any AWSCredentialsProvider {
    let session = values["sso_session"]
    var place = values
    if let session {
      guard let section = environment.files.ssoSessions[session] else {
        throw .missingCredentials(
          "profile `\(name)` names sso_session `\(session)`: there is no [sso-session \(session)] in \(environment.configPath)")
      }
      place = section.values
    }
    func value(_ key: String, in source: [String: String], _ section: String) throws(AWSError) -> String {
      guard let text = source[key], !text.isEmpty else { throw .missingCredentials("\(section) has no \(key)") }
      return text
    }
    let here = "profile `\(name)`"
    let there = session.map { "[sso-session \($0)]" } ?? here
    return try SSOCredentials.provider(
      SSOCredentials.Settings(
        profile: name, session: session, startURL: try value("sso_start_url", in: place, there),
        region: try value("sso_region", in: place, there), account: try value("sso_account_id", in: values, here),
        role: try value("sso_role_name", in: values, here)),
      context: context)
  }
}
