// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Keys of a role, had from STS for other keys (spec: clients.md §2).
package enum AssumeRoleCredentials {
  /// - Parameters:
  ///   - source: whose keys ask for the role.
  ///   - region: of STS; nil for the environment's.
  ///   - description: after the role, in messages: "profile prod".
  package static func provider(
    _ role: RoleRequest, source: any AWSCredentialsProvider, region: String? = nil, description: String, context: CredentialsContext
  ) throws(AWSError) -> RefreshingCredentialsProvider {
    let sts = STSClient(sender: try context.client(.sts, region: region, credentials: source))
    let name = "role \(role.arn) (\(description))"
    return context.refreshing(name, .standard, origin: source) { () throws(AWSError) in
      try await sts.assumeRole(role, source: name)
    }
  }

  /// A session name like the AWS SDKs'.
  static func defaultSessionName(_ clock: any AWSClock) -> String {
    "aws-sdk-bergfs-\(Int64(max(0, min(clock.wallSeconds(), 1e12)) * 1000))"
  }
}

/// Keys of a role for the token of an identity provider, in a file that is read anew each time (spec: clients.md §6.2).
enum WebIdentityCredentials {
  static func provider(
    tokenFile: String, role: RoleRequest, region: String? = nil, description: String, context: CredentialsContext
  ) throws(AWSError) -> RefreshingCredentialsProvider {
    let sts = STSClient(sender: try context.client(.sts, region: region, credentials: AnonymousCredentialsProvider()))
    let name = "web identity role \(role.arn) (\(description))"
    let readFile = context.readFile
    return context.refreshing(name, .standard) { () throws(AWSError) in
      let token = try token(tokenFile, readFile)
      do throws(AWSError) {
        return try await sts.assumeRole(role, webIdentity: token, source: name)
      } catch {
        // The file may have been replaced between reading and asking; the same token again would be refused again.
        guard error.code == "ExpiredTokenException" || error.code == "InvalidIdentityToken" else { throw error }
        let fresh = try self.token(tokenFile, readFile)
        guard fresh != token else { throw error }
        return try await sts.assumeRole(role, webIdentity: fresh, source: name)
      }
    }
  }

  /// The provider that `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN` configure; nil where they do not.
  static func fromVariables(_ context: CredentialsContext) throws(AWSError) -> (any AWSCredentialsProvider)? {
    let environment = context.environment
    guard let file = environment.variable("AWS_WEB_IDENTITY_TOKEN_FILE") else { return nil }
    guard let arn = environment.variable("AWS_ROLE_ARN") else {
      throw .missingCredentials("AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not")
    }
    let session = environment.variable("AWS_ROLE_SESSION_NAME") ?? AssumeRoleCredentials.defaultSessionName(context.clock)
    return try provider(
      tokenFile: file, role: RoleRequest(arn: arn, sessionName: session), description: "AWS_WEB_IDENTITY_TOKEN_FILE", context: context)
  }

  private static func token(_ path: String, _ readFile: (String) throws(AWSError) -> [UInt8]?) throws(AWSError) -> Secret {
    guard let bytes = try readFile(path) else { throw .missingCredentials("the web identity token file \(path) does not exist") }
    let text = String(decoding: bytes, as: UTF8.self).trimmingLine()
    guard !text.isEmpty else { throw .missingCredentials("the web identity token file \(path) is empty") }
    return Secret(text)
  }
}

extension String {
  /// Without blanks and line ends at both ends.
  func trimmingLine() -> String {
    let isBlank: (Unicode.Scalar) -> Bool = { $0.value <= 0x20 }
    let scalars = unicodeScalars
    guard let first = scalars.firstIndex(where: { !isBlank($0) }), let last = scalars.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(scalars[first...last])
  }
}
