// SPDX-License-Identifier: Apache-2.0

package import Telemetry
import WireFormats

/// Who the credentials belong to.
package struct CallerIdentity: Sendable, Hashable {
  package var account: String
  package var arn: String
  package var userID: String
}

/// A role that is to be assumed, and how. Source: spec/clients.md §2.
package struct RoleRequest: Sendable, Hashable {
  package var arn: String
  package var sessionName: String
  /// `DurationSeconds`; nil leaves it to the service (one hour).
  package var seconds: Int?
  package var externalID: String?
  /// Session tags, in the order in which they are sent.
  package var tags: [Tag]

  package struct Tag: Sendable, Hashable {
    package var key: String
    package var value: String

    package init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  package init(arn: String, sessionName: String, seconds: Int? = nil, externalID: String? = nil, tags: [Tag] = []) {
    self.arn = arn
    self.sessionName = sessionName
    self.seconds = seconds
    self.externalID = externalID
    self.tags = tags
  }

  fileprivate var parameters: [(name: String, value: String)] {
    var parameters = [(name: "RoleArn", value: arn), ("RoleSessionName", sessionName)]
    if let seconds { parameters.append(("DurationSeconds", String(seconds))) }
    if let externalID { parameters.append(("ExternalId", externalID)) }
    for (index, tag) in tags.enumerated() {
      parameters.append(("Tags.member.\(index + 1).Key", tag.key))
      parameters.append(("Tags.member.\(index + 1).Value", tag.value))
    }
    return parameters
  }
}

/// The calls of the Security Token Service. Source: spec/clients.md §2, §6.2, §10.
package struct STSClient: Sendable {
  private let sender: any AWSRequestSender

  package init(sender: any AWSRequestSender) {
    self.sender = sender
  }

  /// GetCallerIdentity: needs no permission, so it fails only for bad credentials or no connection.
  package func getCallerIdentity() async throws(AWSError) -> CallerIdentity {
    let (result, response) = try await call("GetCallerIdentity", [])
    guard let account = result["Account"]?.text, let arn = result["Arn"]?.text else {
      throw .malformed(response, operation: "STS.GetCallerIdentity", "the answer names no account")
    }
    return CallerIdentity(account: account, arn: arn, userID: result["UserId"]?.text ?? "")
  }

  /// AssumeRole: keys of a role, for those of this client.
  ///
  /// - Parameter source: of the keys, for messages.
  package func assumeRole(_ role: RoleRequest, source: String) async throws(AWSError) -> AWSCredentials {
    let (result, response) = try await call("AssumeRole", role.parameters)
    return try Self.credentials(result, response, operation: "STS.AssumeRole", source: source)
  }

  /// AssumeRoleWithWebIdentity: keys of a role, for the token of an identity provider. The client's requests must be unsigned.
  package func assumeRole(_ role: RoleRequest, webIdentity token: Secret, source: String) async throws(AWSError) -> AWSCredentials {
    do {
      let (result, response) = try await call(
        "AssumeRoleWithWebIdentity", role.parameters + [(name: "WebIdentityToken", value: token.reveal())])
      return try Self.credentials(result, response, operation: "STS.AssumeRoleWithWebIdentity", source: source)
    } catch {
      throw error.hiding(token)
    }
  }

  private func call(
    _ action: String, _ parameters: [(name: String, value: String)]
  ) async throws(AWSError) -> (XMLElement, AWSResponse) {
    let operation = "STS.\(action)"
    let response = try await sender.send(
      QueryProtocol.request(
        action: action, version: "2011-06-15", parameters: parameters, operation: operation, deadline: CredentialsContext.patience))
    return (try QueryProtocol.result(of: response, action: action, operation: operation), response)
  }

  private static func credentials(
    _ result: XMLElement, _ response: AWSResponse, operation: String, source: String
  ) throws(AWSError) -> AWSCredentials {
    guard let node = result["Credentials"], let key = node["AccessKeyId"]?.text, let secret = node["SecretAccessKey"]?.text,
      let token = node["SessionToken"]?.text, !key.isEmpty, !secret.isEmpty, !token.isEmpty
    else { throw .malformed(response, operation: operation, "the answer holds no keys") }
    return AWSCredentials(
      accessKeyID: key, secretAccessKey: Secret(secret), sessionToken: Secret(token),
      expiration: node["Expiration"].flatMap { Timestamp.seconds(iso8601: $0.text) }, source: source)
  }
}

extension AWSError {
  /// The error with a secret cut out of the service's words.
  func hiding(_ secret: Secret) -> AWSError {
    let text = secret.reveal()
    guard !text.isEmpty else { return self }
    var clean = self
    clean.message = message.split(separator: text, omittingEmptySubsequences: false).joined(separator: "****")
    return clean
  }
}
