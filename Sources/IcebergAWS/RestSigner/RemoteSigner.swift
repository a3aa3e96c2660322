// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import HTTP
import Logging
import Synchronization
import Telemetry
import WireFormats

/// Has S3 requests signed by a REST service; what Iceberg calls `S3V4RestSignerClient`. Source: spec/remote-signer.md.
///
/// One for a mount: its connections, its session and its cache serve the requests of all regions.
package final class RemoteSigner: RequestSigner {
  private static let operation = "Signer.Sign"

  /// As the subject of messages: "the signer at https://signer.example".
  package let name: String
  private let properties: RemoteSigningProperties
  private let client: RestClient
  private let identity: any RestAuthenticator
  private let cache = SignatureCache()
  private let hasWarned = Atomic(false)

  package init(_ properties: RemoteSigningProperties, client: RestClient, identity: any RestAuthenticator) {
    self.properties = properties
    self.client = client
    self.identity = identity
    name = "the signer at \(properties.endpoint.place)"
  }

  package var usesOwnKeys: Bool { false }

  package func sign(_ request: inout HTTPRequest, _ context: SigningContext) async throws(AWSError) {
    let body = Self.bodyToAuthorize(request)
    let key = SignatureCache.Key(request, region: context.resolved.signingRegion)
    if body == nil, let known = cache.signature(key, for: request, now: client.clock.elapsed()) {
      known.apply(to: &request)
      return
    }
    warnOfPath()
    let signature: RemoteSignature
    do throws(AWSError) {
      let answer = try await client.send(call(request, region: context.resolved.signingRegion, body: body), as: identity)
      signature = try RemoteSignature(answer, of: request, service: name, operation: Self.operation)
      // A signature for a list of keys was given to that list alone.
      if body == nil, answer.header("Cache-Control") == "private" {
        cache.store(signature, for: key, now: client.clock.elapsed())
      }
    } catch {
      throw Self.signingError(error)
    }
    if signature.url.endpoint != request.endpoint {
      client.logger.debug(
        "signer sends a request elsewhere",
        metadata: ["operation": "\(context.operation)", "from": "\(request.endpoint.authority)", "to": "\(signature.url.place)"])
    }
    signature.apply(to: &request)
  }

  /// A signature out of the cache may be one for other headers, or of keys that have ended since.
  package func renews(_ request: HTTPRequest, _ context: SigningContext, refusedWith error: AWSError) -> Bool {
    let isDropped = cache.drop(SignatureCache.Key(request, region: context.resolved.signingRegion))
    return isDropped || error.kind == .credentials
  }

  /// Iceberg's newest version has no path of its own to fall back on.
  private func warnOfPath() {
    guard properties.isPathDefault, !hasWarned.exchange(true, ordering: .relaxed) else { return }
    client.logger.warning(
      "signer.endpoint is not set: requests are signed at the path of older signers", metadata: ["path": "\(properties.endpoint.target)"])
  }

  /// Makes the next request ask for its signature anew.
  func forget() {
    cache.removeAll()
  }

  private func call(_ request: HTTPRequest, region: String, body: String?) -> RestRequest {
    var headers = JSONMembers()
    for header in request.headers {
      if let index = headers.members.firstIndex(where: { $0.key.lowercased() == header.name.lowercased() }),
        case .array(let values) = headers.members[index].value
      {
        headers.members[index].value = .array(values + [.string(header.value)])
      } else {
        headers.members.append((header.name, .array([.string(header.value)])))
      }
    }
    var members: [JSONMembers.Member] = [
      ("region", .string(region)), ("method", .string(request.method)),
      ("uri", .string(request.endpoint.description + request.target)), ("headers", .object(headers)),
    ]
    if !properties.properties.isEmpty {
      members.append(("properties", .object(JSONMembers(properties.properties.map { ($0.name, .string($0.value)) }))))
    }
    if let body { members.append(("body", .string(body))) }
    members.append(("provider", "s3"))
    return RestRequest(
      operation: Self.operation, service: name, method: "POST", url: properties.endpoint,
      headers: properties.headers + [
        ("Content-Type", "application/json"), ("Accept", "application/json"), ("X-Client-Version", client.userAgent),
      ], body: JSONValue.object(JSONMembers(members)).serialized(),
      secrets: RestSecrets.values(of: request.headers) + properties.headers.map { Secret($0.value) },
      deadline: request.deadline)
  }

  /// The list of keys of a DeleteObjects; no other body is for the signer to see.
  private static func bodyToAuthorize(_ request: HTTPRequest) -> String? {
    guard request.method == "POST", !request.body.isEmpty, let question = request.target.firstIndex(of: "?") else { return nil }
    let names = request.target[request.target.index(after: question)...].split(separator: "&").map { $0.prefix { $0 != "=" } }
    return names.contains("delete") ? String(decoding: request.body, as: UTF8.self) : nil
  }

  /// The error as one of a request that S3 has never seen: neither its status nor its code is S3's.
  private static func signingError(_ error: AWSError) -> AWSError {
    var signing = error
    if error.status > 0 { signing.code = "Signer.\(error.code)" }
    signing.status = 0
    signing.isRetryable = false
    signing.isDefinite = true
    return signing
  }
}
