// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Keys of the chosen profile in the shared files (spec: clients.md §6.1).
///
/// A profile that names another kind of source is an error that says which: it is never passed over.
package struct ProfileCredentialsProvider: AWSCredentialsProvider {
  private let environment: AWSEnvironment

  package init(_ environment: AWSEnvironment) {
    self.environment = environment
  }

  package var name: String { "shared files (profile \(environment.profileName))" }

  package func credentials() async throws(AWSError) -> AWSCredentials? {
    guard let profile = environment.profile else {
      guard environment.profileSource != "default" else { return nil }
      throw .missingCredentials(
        "profile `\(environment.profileName)` (named by \(environment.profileSource)) stands neither in \(environment.configPath) nor in "
          + environment.credentialsPath)
    }
    if let kind = Self.otherKind(of: profile.values) {
      throw .unusedSource("profile `\(environment.profileName)` is configured for \(kind)")
    }
    guard let key = environment.profileValue("aws_access_key_id") else {
      guard environment.profileValue("aws_secret_access_key") == nil else {
        throw .missingCredentials("profile `\(environment.profileName)` has aws_secret_access_key but no aws_access_key_id")
      }
      return nil
    }
    guard let secret = environment.profileValue("aws_secret_access_key") else {
      throw .missingCredentials("profile `\(environment.profileName)` has aws_access_key_id but no aws_secret_access_key")
    }
    return AWSCredentials(
      accessKeyID: key, secretAccessKey: Secret(secret),
      sessionToken: environment.profileValue("aws_session_token").map { Secret($0) }, source: "profile \(environment.profileName)")
  }

  package func invalidate() {}

  /// A source that comes before static keys in a profile, in the order of evaluation.
  private static func otherKind(of values: [String: String]) -> String? {
    func has(_ key: String) -> Bool { values[key]?.isEmpty == false }
    if has("role_arn"), has("web_identity_token_file") { return "a web identity role (role_arn, web_identity_token_file)" }
    if values.keys.contains(where: { $0.hasPrefix("sso_") }) { return "IAM Identity Center (sso_…)" }
    if has("role_arn") { return "an assumed role (role_arn)" }
    if has("credential_process") { return "an external program (credential_process)" }
    if has("login_session") { return "a console login (login_session)" }
    return nil
  }
}

extension AWSError {
  /// A source of credentials is configured that this build does not use.
  static func unusedSource(_ found: String) -> AWSError {
    .missingCredentials(
      "\(found), which this build does not use yet: give keys by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, by a profile with "
        + "aws_access_key_id, or by properties")
  }
}
