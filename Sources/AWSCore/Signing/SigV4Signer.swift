// SPDX-License-Identifier: Apache-2.0

package import HTTP
import Synchronization
import Telemetry

/// AWS Signature Version 4 in the `Authorization` header (spec: clients.md §8).
package final class SigV4Signer: Sendable {
  /// Whom a request is signed for.
  package struct Scope: Sendable, Hashable {
    package var service: String
    /// One region; for ``SigV4ASigner`` the set of them.
    package var region: String

    package init(service: String, region: String) {
      self.service = service
      self.region = region
    }

    /// S3 signs the path as sent and always sends the payload's hash.
    var followsS3Rules: Bool { service.hasPrefix("s3") }
  }

  package static let unsignedPayload = "UNSIGNED-PAYLOAD"

  private struct KeyName: Hashable {
    let secret: Secret
    let day: String
    let scope: Scope
  }

  private let keys = Mutex<[KeyName: [UInt8]]>([:])

  package init() {}

  /// Adds `X-Amz-Date`, the session token, for S3 `x-amz-content-sha256`, and `Authorization`. Anonymous credentials add nothing.
  ///
  /// - Parameters:
  ///   - payloadHash: what stands for the body; nil: a `x-amz-content-sha256` header already there, else the body's SHA-256.
  ///   - seconds: signing time since 1970.
  package func sign(
    _ request: inout HTTPRequest, scope: Scope, credentials: AWSCredentials, payloadHash: String? = nil, at seconds: Double
  ) {
    if credentials.isAnonymous { return }
    let time = AWSTimestamp.basic(seconds)
    let day = String(time.prefix(8))
    let payload = request.addSigningHeaders(time: time, scope: scope, credentials: credentials, payloadHash: payloadHash)
    let canonical = CanonicalRequest(request, keepsPath: scope.followsS3Rules, payloadHash: payload)
    let scopeText = "\(day)/\(scope.region)/\(scope.service)/aws4_request"
    var toSign = Array("AWS4-HMAC-SHA256\n\(time)\n\(scopeText)\n".utf8)
    toSign += SHA256.hex(SHA256.digest(canonical.bytes))
    let key = signingKey(KeyName(secret: credentials.secretAccessKey, day: day, scope: scope))
    let signature = String(decoding: SHA256.hex(SHA256.hmac(key: key, toSign)), as: UTF8.self)
    request.headers.append(
      (
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scopeText), SignedHeaders=\(canonical.signedHeaders), "
          + "Signature=\(signature)"
      ))
  }

  private func signingKey(_ name: KeyName) -> [UInt8] {
    if let key = keys.withLock({ $0[name] }) { return key }
    var key = Array("AWS4\(name.secret.reveal())".utf8)
    for step in [name.day, name.scope.region, name.scope.service, "aws4_request"] {
      key = SHA256.hmac(key: key, Array(step.utf8))
    }
    let derived = key
    keys.withLock { keys in
      // Refreshed credentials and new days leave old keys behind; a few dozen are more than any client has in use.
      if keys.count >= 64 { keys.removeAll() }
      keys[name] = derived
    }
    return derived
  }
}

extension HTTPRequest {
  /// The first value of a header, its name compared without case.
  func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name }?.value
  }
}
