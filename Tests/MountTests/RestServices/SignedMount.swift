// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import WireFormats

/// What a mount needs to have its S3 requests signed, or its keys handed out, by a service of a test's own.
struct SignedMount: Sendable {
  /// Signs with keys that nobody else has.
  let service: RestService
  let accessKeyID: String
  private let emulator: EmulatorWithSeed

  /// - Parameter bucket: what the service's keys may write; they may read everything.
  init(_ emulator: EmulatorWithSeed, bucket: String) async throws {
    self.emulator = emulator
    let name = "rest-service-\(UInt32.random(in: 0...UInt32.max))"
    let keys = try await emulator.account(["writer", name, "--bucket", bucket])
    accessKeyID = try keys.text("access_key")
    service = try await RestService.start(
      .shared(), accessKeyID: accessKeyID, secretAccessKey: try keys.text("secret_key"))
  }

  /// No keys for S3; those of the metastore are for the metastore alone.
  func metastoreKeys(_ metastore: Metastore, mayWrite: Bool = false) -> [String: String?] {
    let keys = mayWrite ? emulator.owner : emulator.reader
    return [
      "client.access-key-id": nil as String?, "client.secret-access-key": nil as String?,
      "\(metastore.rawValue).access-key-id": keys.access,
      "\(metastore.rawValue).secret-access-key": keys.secret,
    ]
  }

  /// Remote signing as the only way to S3.
  func signing(_ metastore: Metastore, mayWrite: Bool = false) -> [String: String?] {
    metastoreKeys(metastore, mayWrite: mayWrite).merging([
      "s3.signer": "S3V4RestSigner", "signer.uri": service.endpoint, "signer.endpoint": "v1/namespaces/ns1/tables/t1/sign",
      "credential": "bergfs:client-secret",
    ]) { $1 }
  }

  /// That every request to S3 carries a signature which the service has made, and there were some.
  ///
  /// - Returns: the requests.
  @discardableResult
  func expectOwnSignatures(_ proxy: CountingProxy, sourceLocation: SourceLocation = #_sourceLocation) async throws -> [ProxiedRequest] {
    let issued = try await service.calls("sign").compactMap {
      $0.answer?["headers"]?["Authorization"]?.elements.map { $0.string ?? "" }.first
    }
    let requests = proxy.requests.filter { $0.operation == nil }
    #expect(!requests.isEmpty, sourceLocation: sourceLocation)
    for request in requests {
      let signature = request.headers["authorization"] ?? ""
      #expect(signature.contains("Credential=\(accessKeyID)/"), "\(request.method) \(request.target)", sourceLocation: sourceLocation)
      #expect(issued.contains(signature), "\(request.method) \(request.target)", sourceLocation: sourceLocation)
      #expect(request.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD", sourceLocation: sourceLocation)
    }
    return requests
  }
}
