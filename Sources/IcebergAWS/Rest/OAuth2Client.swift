// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Telemetry

/// Asks a token service. Source: spec/remote-signer.md §5.3.
struct OAuth2Client: Sendable {
  static let operation = "OAuth2.Token"
  /// The whole of one request with its retries. A renewal may take three of them, and has to end well before the request that waits for it.
  private static let deadline = Duration.seconds(15)

  /// Who asks for the exchange of a token.
  enum Exchange: Sendable {
    /// Whoever holds the token.
    case byToken
    /// Whoever holds the credential, as the token has ended.
    case byCredential(OAuth2Properties.Credential)
  }

  let client: RestClient
  let server: RestURL
  let scope: String
  let audience: String?
  let resource: String?

  private var service: String { "the token service at \(server.place)" }

  func token(for credential: OAuth2Properties.Credential) async throws(AWSError) -> OAuth2Token {
    var form = [("grant_type", "client_credentials")]
    if let id = credential.id { form.append(("client_id", id)) }
    form += [("client_secret", credential.secret.reveal()), ("scope", scope)]
    return try await token(form, authorization: nil, secrets: [credential.secret])
  }

  func exchange(_ token: OAuth2Token, _ exchange: Exchange) async throws(AWSError) -> OAuth2Token {
    let form = [
      ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("scope", scope), ("subject_token", token.value.reveal()),
      ("subject_token_type", token.type),
    ]
    switch exchange {
    case .byToken:
      return try await self.token(form, authorization: "Bearer \(token.value.reveal())", secrets: [token.value])
    case .byCredential(let credential):
      let pair = "\(credential.id.map { "\($0):" } ?? "")\(credential.secret.reveal())"
      return try await self.token(
        form, authorization: "Basic \(Base64.encode(Array(pair.utf8)))", secrets: [token.value, credential.secret])
    }
  }

  private func token(_ form: [(String, String)], authorization: String?, secrets: [Secret]) async throws(AWSError) -> OAuth2Token {
    let optional = [("audience", audience), ("resource", resource)].compactMap { name, value in value.map { (name, $0) } }
    let body = (form + optional).map { "\(PercentEncoding.query($0))=\(PercentEncoding.query($1))" }.joined(separator: "&")
    var headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
    if let authorization { headers.append(("Authorization", authorization)) }
    let request = RestRequest(
      operation: Self.operation, service: service, method: "POST", url: server, headers: headers, body: Array(body.utf8), style: .oauth2,
      secrets: secrets, deadline: Self.deadline)
    let response = try await client.send(request, as: NoAuthenticator())
    return try OAuth2Token(response, service: service, operation: Self.operation, now: client.clock.wallSeconds())
  }
}
