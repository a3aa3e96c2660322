// SPDX-License-Identifier: Apache-2.0

package import HTTP
import Synchronization
import Telemetry

/// AWS Signature Version 4A: one signature for a set of regions, as multi-region access points demand it (spec: clients.md §8).
package final class SigV4ASigner: Sendable {
  package static let algorithm = "AWS4-ECDSA-P256-SHA256"

  private struct KeyName: Hashable {
    let accessKeyID: String
    let secret: Secret
  }

  private let keys = Mutex<[KeyName: SigV4AKey]>([:])

  package init() {}

  /// Adds what ``SigV4Signer`` adds, and `X-Amz-Region-Set`. Anonymous credentials add nothing.
  ///
  /// - Parameters:
  ///   - scope: its region is the set: `*`, or names joined by commas.
  ///   - payloadHash: what stands for the body; nil: a `x-amz-content-sha256` header already there, else the body's SHA-256.
  ///   - seconds: signing time since 1970.
  package func sign(
    _ request: inout HTTPRequest, scope: SigV4Signer.Scope, credentials: AWSCredentials, payloadHash: String? = nil, at seconds: Double
  ) throws(AWSError) {
    if credentials.isAnonymous { return }
    let time = AWSTimestamp.basic(seconds)
    request.headers.append(("X-Amz-Region-Set", scope.region))
    let payload = request.addSigningHeaders(time: time, scope: scope, credentials: credentials, payloadHash: payloadHash)
    let canonical = CanonicalRequest(request, keepsPath: scope.followsS3Rules, payloadHash: payload)
    let scopeText = "\(time.prefix(8))/\(scope.service)/aws4_request"
    let toSign = Self.stringToSign(canonical, time: time, scopeText: scopeText)
    let key = try key(KeyName(accessKeyID: credentials.accessKeyID, secret: credentials.secretAccessKey))
    let signature = String(decoding: SHA256.hex(try key.signature(of: toSign)), as: UTF8.self)
    request.headers.append(
      (
        "Authorization",
        "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scopeText), SignedHeaders=\(canonical.signedHeaders), "
          + "Signature=\(signature)"
      ))
  }

  static func stringToSign(_ canonical: CanonicalRequest, time: String, scopeText: String) -> [UInt8] {
    Array("\(algorithm)\n\(time)\n\(scopeText)\n".utf8) + SHA256.hex(SHA256.digest(canonical.bytes))
  }

  private func key(_ name: KeyName) throws(AWSError) -> SigV4AKey {
    if let key = keys.withLock({ $0[name] }) { return key }
    let derived = try SigV4AKey(accessKeyID: name.accessKeyID, secretAccessKey: name.secret)
    return keys.withLock { keys in
      // Refreshed credentials leave old keys behind.
      if keys.count >= 16 { keys.removeAll() }
      keys[name] = derived
      return derived
    }
  }
}

extension HTTPRequest {
  /// Adds what both versions of the signature cover beside the request itself: time, session token, and for S3 the payload's hash.
  ///
  /// - Returns: what stands for the body in the canonical request.
  mutating func addSigningHeaders(time: String, scope: SigV4Signer.Scope, credentials: AWSCredentials, payloadHash: String?) -> String {
    headers.append(("X-Amz-Date", time))
    if let token = credentials.sessionToken { headers.append((credentials.tokenHeader, token.reveal())) }
    let given = header("x-amz-content-sha256")
    let payload = payloadHash ?? given ?? SHA256.hexDigest(body)
    if scope.followsS3Rules, given == nil { headers.append(("x-amz-content-sha256", payload)) }
    return payload
  }
}
