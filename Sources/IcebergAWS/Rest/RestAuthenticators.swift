// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Telemetry

/// User and password. Source: spec/remote-signer.md §5.1.
struct BasicAuthenticator: RestAuthenticator {
  private let header: Secret

  init(user: String, password: Secret) {
    header = Secret("Basic \(Base64.encode(Array("\(user):\(password.reveal())".utf8)))")
  }

  func authorize(_ request: inout HTTPRequest) async throws(AWSError) {
    if request.headers.contains(where: { $0.name.lowercased() == "authorization" }) { return }
    request.headers.append(("Authorization", header.reveal()))
  }

  func renew(after refused: HTTPRequest) async -> Bool { false }
}

/// Signature version 4 over what another authenticator has made of a request, whose own `Authorization` moves to `Original-Authorization`.
/// Source: spec/remote-signer.md §5.1.
struct SigV4Authenticator: RestAuthenticator {
  let delegate: any RestAuthenticator
  let credentials: any AWSCredentialsProvider
  let scope: SigV4Signer.Scope
  let clock: any AWSClock
  private let signer = SigV4Signer()

  init(delegate: any RestAuthenticator, credentials: any AWSCredentialsProvider, scope: SigV4Signer.Scope, clock: any AWSClock) {
    self.delegate = delegate
    self.credentials = credentials
    self.scope = scope
    self.clock = clock
  }

  func authorize(_ request: inout HTTPRequest) async throws(AWSError) {
    try await delegate.authorize(&request)
    guard let keys = try await credentials.credentials() else {
      throw AWSError(
        kind: .credentials, code: "MissingCredentials", message: "no keys to sign REST calls with: \(credentials.name) has none",
        operation: "Rest.SigV4")
    }
    for index in request.headers.indices where request.headers[index].name.lowercased() == "authorization" {
      request.headers[index].name = "Original-Authorization"
    }
    let digest = SHA256.digest(request.body)
    // As the reference client does it: a body's hash stands in the header in base64, and in the signature in hex.
    request.headers.append(("x-amz-content-sha256", request.body.isEmpty ? SHA256.hexText(digest) : Base64.encode(digest)))
    signer.sign(&request, scope: scope, credentials: keys, payloadHash: SHA256.hexText(digest), at: clock.wallSeconds())
  }

  /// Other keys or, below them, another token.
  func renew(after refused: HTTPRequest) async -> Bool {
    var original = refused
    original.headers = refused.headers.compactMap { header in
      switch header.name.lowercased() {
      case "authorization": nil
      case "original-authorization": ("Authorization", header.value)
      default: header
      }
    }
    credentials.invalidate(nil)
    _ = await delegate.renew(after: original)
    return true
  }
}
