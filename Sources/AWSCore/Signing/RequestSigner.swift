// SPDX-License-Identifier: Apache-2.0

package import HTTP

/// What a signature is made with, beside the request itself.
package struct SigningContext: Sendable {
  /// For messages: "S3.GetObject".
  package var operation: String
  /// Names the service and the region of the signature.
  package var resolved: ResolvedEndpoint
  package var credentials: AWSCredentials
  /// Signing time since 1970, by the service's clock as far as it is known.
  package var seconds: Double

  package init(operation: String, resolved: ResolvedEndpoint, credentials: AWSCredentials, seconds: Double) {
    self.operation = operation
    self.resolved = resolved
    self.credentials = credentials
    self.seconds = seconds
  }
}

/// Makes a request one that its service accepts as somebody's. Held by a client and asked before every send.
package protocol RequestSigner: Sendable {
  /// Whether signatures come from the context's credentials and time: else other keys and another clock here change nothing.
  var usesOwnKeys: Bool { get }

  /// Signs, and may replace the address and add headers. One that signs here never suspends.
  ///
  /// - Parameter request: complete but for what a signature adds; its deadline is the longest that signing may take.
  /// - Throws: the error of the whole call: it is not tried again. `operation`, `attempts` and `isDefinite` are the caller's to fill in.
  func sign(_ request: inout HTTPRequest, _ context: SigningContext) async throws(AWSError)

  /// Told that the service refused a signature; asked whether another one may do better. At most once a call.
  ///
  /// - Parameter request: as it was before it was signed.
  func renews(_ request: HTTPRequest, _ context: SigningContext, refusedWith error: AWSError) -> Bool
}

/// Signs with the credentials of the client, in this process.
package struct LocalSigner: RequestSigner {
  private let sigV4 = SigV4Signer()
  private let sigV4A = SigV4ASigner()

  package init() {}

  package var usesOwnKeys: Bool { true }

  package func sign(_ request: inout HTTPRequest, _ context: SigningContext) async throws(AWSError) {
    let scope = SigV4Signer.Scope(service: context.resolved.signingName, region: context.resolved.signingRegion)
    // TLS protects an S3 body; hashing it as well would cost more than sending it.
    let isUnhashed = scope.followsS3Rules && request.endpoint.isSecure && !request.body.isEmpty
    let payloadHash = isUnhashed ? SigV4Signer.unsignedPayload : nil
    switch context.resolved.signingAlgorithm {
    case .sigV4, .sigV4Session:
      sigV4.sign(&request, scope: scope, credentials: context.credentials, payloadHash: payloadHash, at: context.seconds)
    case .sigV4A:
      try sigV4A.sign(&request, scope: scope, credentials: context.credentials, payloadHash: payloadHash, at: context.seconds)
    }
  }

  /// New keys are the credentials provider's affair.
  package func renews(_ request: HTTPRequest, _ context: SigningContext, refusedWith error: AWSError) -> Bool { false }
}
