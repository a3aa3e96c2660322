// SPDX-License-Identifier: Apache-2.0

import Glibc
import HTTP
import Logging
import Processes
import Telemetry
import WireFormats

/// Keys from IAM Identity Center for the token that `aws sso login` left in a file (spec: clients.md §6.3).
struct SSOCredentials: Sendable {
  /// What a profile says.
  struct Settings: Sendable, Hashable {
    var profile: String
    /// The name of an `[sso-session]`, whose tokens can be renewed; nil in the old form.
    var session: String?
    var startURL: String
    var region: String
    var account: String
    var role: String
  }

  /// Renewed when fewer seconds are left.
  private static let renewal = 900.0

  private let settings: Settings
  private let context: CredentialsContext
  private let tokenPath: String

  static func provider(_ settings: Settings, context: CredentialsContext) throws(AWSError) -> any AWSCredentialsProvider {
    guard let home = context.environment.variable("HOME") else {
      throw .missingCredentials(
        "profile `\(settings.profile)` uses IAM Identity Center, whose token lies in the home directory: HOME is not set")
    }
    let name = SHA1.hexDigest(Array((settings.session ?? settings.startURL).utf8))
    let source = SSOCredentials(settings: settings, context: context, tokenPath: "\(home)/.aws/sso/cache/\(name).json")
    return context.refreshing("IAM Identity Center (profile \(settings.profile))", .standard) { () throws(AWSError) in
      try await source.credentials()
    }
  }

  private func credentials() async throws(AWSError) -> AWSCredentials {
    let token = try await token()
    let client = try context.client(.sso, region: settings.region, credentials: AnonymousCredentialsProvider())
    let operation = "SSO.GetRoleCredentials"
    let response: AWSResponse
    do {
      response = try await client.send(
        AWSRequest(
          operation: operation, method: "GET", path: "/federation/credentials",
          query: [("role_name", settings.role), ("account_id", settings.account)],
          headers: [("x-amz-sso_bearer_token", token.reveal())], deadline: CredentialsContext.patience))
    } catch {
      guard error.status == 401 else { throw error.hiding(token) }
      throw login("IAM Identity Center does not take its token any more")
    }
    let origin = "IAM Identity Center"
    let document = try KeyDocument(response.http.body, origin: origin)
    guard let keys = document.root["roleCredentials"], let key = keys["accessKeyId"]?.string, let secret = keys["secretAccessKey"]?.string,
      !key.isEmpty, !secret.isEmpty
    else { throw .missingCredentials("\(origin) gave no keys of role \(settings.role)") }
    return AWSCredentials(
      accessKeyID: key, secretAccessKey: Secret(secret), sessionToken: keys["sessionToken"]?.string.map { Secret($0) },
      expiration: keys["expiration"]?.double.map { $0 / 1000 },
      source: "IAM Identity Center role \(settings.role) of account \(settings.account) (profile \(settings.profile))")
  }

  // MARK: the token

  private func token() async throws(AWSError) -> Secret {
    guard let bytes = try context.readFile(tokenPath) else { throw login("there is no token in \(tokenPath)") }
    let document = try KeyDocument(bytes, origin: tokenPath)
    guard let text = document.string("accessToken"), let expiry = document.string("expiresAt").flatMap(Timestamp.seconds(iso8601:)) else {
      throw login("\(tokenPath) holds no token")
    }
    let now = context.clock.wallSeconds()
    if settings.session != nil, expiry - now < Self.renewal, let renewed = await renewed(document, now: now) { return renewed }
    guard now < expiry else { throw login("the token has expired") }
    return Secret(text)
  }

  /// A new token for the refresh token in the file; nil where there is none, or it is refused.
  private func renewed(_ document: KeyDocument, now: Double) async -> Secret? {
    guard let id = document.string("clientId"), let secret = document.string("clientSecret"), let refresh = document.string("refreshToken"),
      document.string("registrationExpiresAt").flatMap(Timestamp.seconds(iso8601:)).map({ now < $0 }) ?? true
    else { return nil }
    do throws(AWSError) {
      let client = try context.client(.ssoOIDC, region: settings.region, credentials: AnonymousCredentialsProvider())
      let body: JSONValue = [
        "clientId": .string(id), "clientSecret": .string(secret), "grantType": "refresh_token", "refreshToken": .string(refresh),
      ]
      let response = try await client.send(
        AWSRequest(
          operation: "SSO.CreateToken", method: "POST", path: "/token", headers: [("Content-Type", "application/json")],
          body: body.serialized(), deadline: CredentialsContext.patience))
      let answer = try KeyDocument(response.http.body, origin: "IAM Identity Center")
      guard let token = answer.string("accessToken") else { return nil }
      keep(token, refresh: answer.string("refreshToken"), until: now + (answer.root["expiresIn"]?.double ?? 3600), in: document)
      return Secret(token)
    } catch {
      context.logger.warning(
        "the token of IAM Identity Center cannot be renewed", metadata: ["profile": "\(settings.profile)", "code": "\(error.code)"])
      return nil
    }
  }

  /// Writes the file anew, for the other tools too: its refresh token works once. What it holds besides stays.
  private func keep(_ token: String, refresh: String?, until end: Double, in document: KeyDocument) {
    var members = JSONMembers(document.root.members.map { ($0.key, JSONValue($0.value)) })
    members["accessToken"] = .string(token)
    members["expiresAt"] = .string(AWSTimestamp.extended(end))
    if let refresh { members["refreshToken"] = .string(refresh) }
    do throws(AWSError) {
      try PrivateFile.replace(tokenPath, with: JSONValue.object(members).serialized())
    } catch {
      context.logger.warning("the token of IAM Identity Center cannot be kept", metadata: ["reason": "\(error.message)"])
    }
  }

  private func login(_ reason: String) -> AWSError {
    .missingCredentials("profile `\(settings.profile)`: \(reason); run aws sso login --profile \(settings.profile)")
  }
}

/// A file that only its owner may read.
private enum PrivateFile {
  /// In one step: readers see the old bytes or the new ones.
  static func replace(_ path: String, with bytes: [UInt8]) throws(AWSError) {
    let temporary = "\(path).\(getpid()).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure(path) }
    var offset = 0
    while offset < bytes.count {
      let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress?.advanced(by: offset), bytes.count - offset) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        let error = failure(path)
        close(descriptor)
        unlink(temporary)
        throw error
      }
      offset += written
    }
    close(descriptor)
    guard rename(temporary, path) == 0 else {
      let error = failure(path)
      unlink(temporary)
      throw error
    }
  }

  private static func failure(_ path: String) -> AWSError {
    .configuration("\(path) cannot be written: \(SystemError.text(errno))")
  }
}
