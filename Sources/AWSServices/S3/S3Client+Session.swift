// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import HTTP
import Telemetry
import WireFormats

/// Sessions of directory buckets. Source: spec/s3fileio.md §10.
extension S3Client {
  /// Operations on objects of a directory bucket that take the client's own keys instead of a session's.
  package static let sessionlessOperations: Set<String> = ["S3.CreateSession", "S3.CopyObject", "S3.UploadPartCopy"]

  private static let createSession = "S3.CreateSession"

  /// CreateSession: keys for the objects of one directory bucket, for five minutes.
  ///
  /// - Parameter headers: the encryption that objects written in the session get.
  package func createSession(bucket: String, headers: [(name: String, value: String)] = []) async throws(AWSError) -> AWSCredentials {
    let request = AWSRequest(
      operation: Self.createSession, method: "GET", bucket: bucket, query: [("session", nil)],
      headers: [("x-amz-create-session-mode", "ReadWrite")] + headers, deadline: .seconds(30))
    let response = try await answer(request)
    let root = try RestXMLProtocol.document(of: response, operation: request.operation)
    return try AWSCredentials(
      xml: root["Credentials"], of: response, operation: request.operation, source: "session of bucket \(bucket)",
      tokenHeader: "x-amz-s3session-token")
  }
}

extension AWSCredentials {
  /// Keys as S3 and S3 Control hand them out: all four members must be there.
  init(
    xml: XMLElement?, of response: AWSResponse, operation: String, source: String, tokenHeader: String? = nil
  ) throws(AWSError) {
    func text(_ name: String) -> String { xml?[name]?.text ?? "" }
    let (id, secret, token) = (text("AccessKeyId"), text("SecretAccessKey"), text("SessionToken"))
    guard !id.isEmpty, !secret.isEmpty, !token.isEmpty, let end = Timestamp.nanoseconds(iso8601: text("Expiration")) else {
      throw .malformed(response, operation: operation, "the answer has no complete set of keys")
    }
    self.init(
      accessKeyID: id, secretAccessKey: Secret(secret), sessionToken: Secret(token), expiration: Double(end) / 1e9, source: source)
    if let tokenHeader { self.tokenHeader = tokenHeader }
  }
}
